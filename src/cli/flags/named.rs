//! Inputs that have names: lists of values, and scans over numbers, which are decimal and
//! exact.
//!
//! Pure data; does not know how they are typed.

use std::ffi::OsStr;

use crate::inputs::{InputSource, Origin};

/// An input that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedInput {
    /// What stands in braces for its values.
    pub name: Vec<u8>,
    /// Its values.
    pub values: NamedValues,
}

/// The values of an input that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedValues {
    /// These.
    List(Vec<Vec<u8>>),
    /// The numbers from one to another.
    Scan {
        /// The first one.
        least: Decimal,
        /// None is larger.
        most: Decimal,
    },
}

/// `inputs` as sources; the numbers of scans are `step` apart.
///
/// # Errors
/// A scan without values, or of very many; a step for no scan.
pub(super) fn sources(inputs: &[NamedInput], step: Option<Decimal>) -> Result<Vec<InputSource>, String> {
    let is_scan = |input: &NamedInput| matches!(input.values, NamedValues::Scan { .. });
    if step.is_some() && !inputs.iter().any(is_scan) {
        return Err("--parameter-step-size needs --parameter-scan VAR MIN MAX".to_owned());
    }
    let step = step.unwrap_or(Decimal { digits: 1, places: 0 });
    let source = |NamedInput { name, values }: &NamedInput| {
        let values = match values {
            NamedValues::List(values) => values.clone(),
            NamedValues::Scan { least, most } => scanned(*least, *most, step)
                .map_err(|why| format!("the values of {{{}}}: {why}", String::from_utf8_lossy(name)))?,
        };
        Ok(InputSource { name: Some(name.clone()), ..InputSource::new(Origin::Values(values)) })
    };
    inputs.iter().map(source).collect()
}

/// No scan has more values.
const MOST_VALUES: i128 = 1_000_000;

/// A decimal number, exactly: its digits with so many places behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    digits: i128,
    places: usize,
}

impl Decimal {
    pub(super) fn is_positive(self) -> bool {
        self.digits > 0
    }

    /// Its digits with as many `places` as another has.
    fn with(self, places: usize) -> i128 {
        (self.places..places).fold(self.digits, |digits, _| digits * 10)
    }
}

/// Reads `4`, `-1.5`, `.25`, with at most eighteen digits.
pub(super) fn number(word: &OsStr) -> Option<Decimal> {
    let text = word.to_str()?;
    let (sign, size) = text.strip_prefix('-').map_or((1, text), |size| (-1, size));
    let (whole, part) = size.split_once('.').unwrap_or((size, ""));
    let digits = format!("{whole}{part}");
    let is_number = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let digits: i128 = digits.parse().ok().filter(|_| is_number)?;
    Some(Decimal { digits: sign * digits, places: part.len() })
}

/// The numbers from `least` to at most `most`, `step` apart.
fn scanned(least: Decimal, most: Decimal, step: Decimal) -> Result<Vec<Vec<u8>>, String> {
    let places = least.places.max(most.places).max(step.places);
    let [least, most, step] = [least, most, step].map(|number| number.with(places));
    if most < least {
        return Err("the first number is the larger one".to_owned());
    }
    let count = (most - least) / step + 1;
    if count > MOST_VALUES {
        return Err(format!("there are {count}, and at most {MOST_VALUES} can be had: use a larger step"));
    }
    Ok((0..count).map(|at| written(least + at * step, places).into_bytes()).collect())
}

fn written(digits: i128, places: usize) -> String {
    let sign = if digits < 0 { "-" } else { "" };
    let text = format!("{:0width$}", digits.unsigned_abs(), width = places + 1);
    let (whole, part) = text.split_at(text.len() - places);
    match part.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan_of(least: &str, most: &str, step: &str) -> Result<String, String> {
        let [least, most, step] = [least, most, step].map(|text| number(OsStr::new(text)).unwrap());
        let values = scanned(least, most, step)?;
        Ok(values.into_iter().map(|value| String::from_utf8(value).unwrap()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn scans_are_exact_and_end_at_most_at_the_second_number() {
        for (least, most, step, values) in [
            ("1", "4", "1", "1 2 3 4"),
            ("0.3", "0.7", "0.2", "0.3 0.5 0.7"),
            ("0", "1", ".25", "0 0.25 0.5 0.75 1"),
            ("-1.5", "1", "1", "-1.5 -0.5 0.5"),
            ("7", "7", "2", "7"),
            ("100", "300", "150", "100 250"),
        ] {
            assert_eq!(scan_of(least, most, step).as_deref(), Ok(values));
        }
        assert!(scan_of("2", "1", "1").unwrap_err().contains("larger"));
        assert!(scan_of("0", "999999999", "0.001").unwrap_err().contains("a larger step"));
    }

    #[test]
    fn what_is_no_decimal_number_is_none() {
        for text in ["", "-", ".", "1e3", "+1", "1.2.3", "x", "1234567890123456789", "--1"] {
            assert_eq!(number(OsStr::new(text)), None, "{text}");
        }
    }
}
