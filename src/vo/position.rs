//! Positions in the sky as people write them, and radii with their units.
//!
//! Two decimals are degrees; `12:54:35.6 -12:34:06` and `12 54 35.6 -12 34 06` are hours and
//! degrees; with letters, signs and primes each number says what it is. What could mean two
//! things, or lies in another frame than ICRS, is refused with the reason.
//!
//! Knows nothing of names of objects: [`looks_like_position`] tells one from the other.

mod parts;

use parts::{Words, degrees, hours};

/// A position in ICRS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkyPosition {
    /// Right ascension in degrees, from 0 up to and without 360.
    pub ra: f64,
    /// Declination in degrees, from -90 to 90.
    pub dec: f64,
    /// Whether it is known to a minute only, as `J1254-1234` is.
    pub is_coarse: bool,
}

/// Why a text is no position or no radius.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPosition(String);

impl BadPosition {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// Reads a position.
///
/// # Errors
/// When it is none, is out of range, could mean two things, or is in another frame.
pub fn read(text: &str) -> Result<SkyPosition, BadPosition> {
    let text = plain(text);
    if let Some(named) = j_name(&text) {
        return named;
    }
    let words = Words::read(&text)?;
    let (ra, dec) = words.coordinates()?;
    if ra.is_plain_single() && !dec.is_single() {
        return Err(BadPosition::new("the right ascension may be hours or degrees: write both in one form"));
    }
    position(ra.right_ascension()?, dec.declination()?, false)
}

/// Whether `text` is meant as a position, sound or not, and not as a name.
#[must_use]
pub fn looks_like_position(text: &str) -> bool {
    let text = plain(text);
    j_name(&text).is_some() || Words::is_all_of_positions(&text)
}

/// Reads a radius: degrees, or with a unit (`2.4m`, `144s`, `2.4arcmin`, `144"`). In degrees,
/// more than 0 and at most 180.
///
/// # Errors
/// When it is no number, has no unit of angles, or is out of range.
pub fn read_radius(text: &str) -> Result<f64, BadPosition> {
    let text = plain(text);
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-');
    let mut end = text.find(|c| !is_number(c)).unwrap_or(text.len());
    if let Some(rest) = text[end..].strip_prefix(['e', 'E'])
        && rest.starts_with(is_number)
    {
        end += 1 + rest.find(|c| !is_number(c)).unwrap_or(rest.len());
    }
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().map_err(|_| BadPosition::new("not a number of degrees"))?;
    let in_a_degree = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "d" | "deg" | "degree" | "degrees" => 1.0,
        "m" | "'" | "arcmin" | "arcmins" | "arcminute" | "arcminutes" => 60.0,
        "s" | "\"" | "arcsec" | "arcsecs" | "arcsecond" | "arcseconds" => 3600.0,
        _ => return Err(BadPosition::new("unknown unit: use d, m or s (degrees, arcminutes, arcseconds)")),
    };
    let radius = number / in_a_degree;
    match radius {
        radius if radius > 0.0 && radius <= 180.0 => Ok(radius),
        radius if radius <= 0.0 => Err(BadPosition::new("a radius is more than 0")),
        _ => Err(BadPosition::new("a radius is at most 180 degrees")),
    }
}

/// `text` in the plain characters that mean the same, blanks around and brackets left out.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        plain.push(match character {
            '\u{2212}' | '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2013}' | '\u{fe63}' | '\u{ff0d}' => '-',
            '\u{ff0b}' => '+',
            'ʰ' => 'h',
            'ᵐ' => 'm',
            'ˢ' => 's',
            'ᵈ' | '°' | 'º' | '˚' => 'd',
            '′' | '\u{2018}' | '\u{2019}' | 'ʹ' | '´' => '\'',
            '″' | '\u{201c}' | '\u{201d}' | 'ʺ' => '"',
            blank if blank.is_whitespace() => ' ',
            // Without a width, as copied from a web page.
            '\u{200b}' | '\u{feff}' => ' ',
            other => other,
        });
    }
    let mut inside = plain.trim();
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("<", ">")] {
        if let Some(within) = inside.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
            inside = within.trim();
        }
    }
    inside.replace("''", "\"").replace("(J2000)", " J2000 ").replace("(ICRS)", " ICRS ")
}

/// `J125435.6-123406`: what stands for a position in the names of many catalogues. Nothing
/// where the text does not have that form.
fn j_name(text: &str) -> Option<Result<SkyPosition, BadPosition>> {
    let rest = text.strip_prefix(['J', 'j'])?;
    let at = rest.find(['+', '-'])?;
    let is_decimal = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(|c| c.is_ascii_digit() || c == b'.')
    };
    let (ra, dec) = (&rest[..at], &rest[at + 1..]);
    if !is_decimal(ra) || !is_decimal(dec) {
        return None;
    }
    let sides = split_digits(ra).zip(split_digits(dec));
    Some(sides.ok_or_else(|| BadPosition::new("a J name has hhmm or hhmmss, and ddmm or ddmmss")).and_then(
        |(ra, dec)| {
            let is_coarse = ra.len() < 3 || dec.len() < 3;
            let is_south = rest[at..].starts_with('-');
            position(hours(false, &ra)?, degrees(is_south, &dec)?, is_coarse)
        },
    ))
}

/// `12`, `54`, `35.6` of `125435.6`.
fn split_digits(digits: &str) -> Option<Vec<&str>> {
    let whole = digits.find('.').unwrap_or(digits.len());
    match whole {
        4 => Some(vec![&digits[..2], &digits[2..]]),
        6 => Some(vec![&digits[..2], &digits[2..4], &digits[4..]]),
        _ => None,
    }
}

/// Checks the ranges; right ascension is brought to them.
fn position(ra: f64, dec: f64, is_coarse: bool) -> Result<SkyPosition, BadPosition> {
    if !(-180.0..=360.0).contains(&ra) {
        return Err(BadPosition::new("the right ascension is not between -180 and 360 degrees"));
    }
    if !(-90.0..=90.0).contains(&dec) {
        return Err(BadPosition::new("the declination is not between -90 and 90 degrees"));
    }
    // What is less than nothing by less than a double can tell of 360 is 360.
    let ra = if ra < 0.0 { ra + 360.0 } else { ra };
    let ra = if ra >= 360.0 { ra - 360.0 } else { ra };
    // No zero has a sign.
    Ok(SkyPosition { ra: ra + 0.0, dec: dec + 0.0, is_coarse })
}

#[cfg(test)]
mod tests;
