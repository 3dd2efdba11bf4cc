//! A record cut into columns: at a regular expression as Perl's `split` does,
//! or as CSV.

use regex::bytes::{Regex, RegexBuilder};

use super::source::Split;
use super::{InputError, beginning};

/// How a record becomes columns, ready to be used.
pub(super) enum ColumnSplitter {
    Whole,
    At(Regex),
    Csv(u8),
}

impl ColumnSplitter {
    pub(super) fn new(split: &Split) -> Result<Self, InputError> {
        Ok(match split {
            Split::Whole => Self::Whole,
            Split::At(pattern) => Self::At(compile("--colsep", pattern)?),
            Split::Csv(separator) => Self::Csv(*separator),
        })
    }

    /// Gives `column` each column of `record` in turn; there is at least one.
    pub(super) fn split(&self, record: &[u8], column: &mut dyn FnMut(&[u8])) -> Result<(), InputError> {
        match self {
            Self::Whole => column(record),
            Self::At(regex) => split_at(record, regex, column),
            Self::Csv(separator) => split_csv(record, *separator, column)?,
        }
        Ok(())
    }
}

/// A pattern over bytes: `.` is any byte but a newline, `\s` is ASCII.
pub(super) fn compile(option: &'static str, pattern: &[u8]) -> Result<Regex, InputError> {
    let ascii: String = pattern
        .iter()
        .map(|byte| if byte.is_ascii() { char::from(*byte).into() } else { format!("\\x{byte:02x}") })
        .collect();
    RegexBuilder::new(&ascii).unicode(false).build().map_err(|error| {
        let told = error.to_string();
        let reason = told.lines().last().unwrap_or_default().trim_start_matches("error: ");
        InputError::Pattern { option, reason: format!("{reason}: {}", String::from_utf8_lossy(pattern)) }
    })
}

/// Perl's `split` without a limit on fields: a match of nothing needs at least one byte
/// before it, empty columns at the end stay, and what groups match becomes columns of
/// its own.
fn split_at(record: &[u8], regex: &Regex, column: &mut dyn FnMut(&[u8])) {
    let mut start = 0;
    let mut at = 0;
    while let Some(found) = regex.find_at(record, at) {
        if found.is_empty() && found.start() == start {
            if at >= record.len() {
                break;
            }
            at = start + 1;
            continue;
        }
        column(&record[start..found.start()]);
        if regex.captures_len() > 1
            && let Some(captures) = regex.captures_at(record, at)
        {
            captures.iter().skip(1).for_each(|group| column(group.map_or(b"", |group| group.as_bytes())));
        }
        (start, at) = (found.end(), found.end());
    }
    column(&record[start..]);
}

fn split_csv(record: &[u8], separator: u8, column: &mut dyn FnMut(&[u8])) -> Result<(), InputError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .buffer_capacity(record.len().clamp(16, 8 << 10))
        .from_reader(record);
    let mut fields = csv::ByteRecord::new();
    let read = reader.read_byte_record(&mut fields);
    read.map_err(|error| InputError::Csv { record: beginning(record), reason: error.to_string() })?;
    if fields.is_empty() {
        column(b"");
    }
    fields.iter().for_each(column);
    Ok(())
}

/// Follows quotes through CSV, to tell where a record ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Quotes {
    /// At the beginning of a field.
    #[default]
    Begin,
    /// In a field without quotes.
    Bare,
    /// Between quotes.
    Open,
    /// After a quote between quotes: the closing one, or half of a doubled one.
    Closed,
}

impl Quotes {
    /// The state after `bytes`.
    pub(super) fn after(self, bytes: &[u8], separator: u8) -> Self {
        bytes.iter().fold(self, |state, byte| match (state, *byte) {
            (Self::Open, b'"') => Self::Closed,
            (Self::Begin | Self::Closed, b'"') | (Self::Open, _) => Self::Open,
            (_, b) if b == separator || b == b'\n' => Self::Begin,
            _ => Self::Bare,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(split: &Split, record: &str) -> Vec<String> {
        let mut columns = Vec::new();
        let splitter = ColumnSplitter::new(split).unwrap();
        splitter
            .split(record.as_bytes(), &mut |c| columns.push(String::from_utf8_lossy(c).into_owned()))
            .unwrap();
        columns
    }

    fn at(pattern: &str, record: &str) -> Vec<String> {
        columns(&Split::At(pattern.as_bytes().to_vec()), record)
    }

    #[test]
    fn columns_are_split_as_perl_splits() {
        assert_eq!(at(",", "a,b,,"), ["a", "b", "", ""]);
        assert_eq!(at(",", ",,a"), ["", "", "a"]);
        assert_eq!(at(",", ""), [""]);
        assert_eq!(at(" ", "a  b"), ["a", "", "b"]);
        assert_eq!(at(r"\s+", "a \t b"), ["a", "b"]);
        assert_eq!(at(r"\|", "a|b"), ["a", "b"]);
        assert_eq!(at("(?i)B", "a b"), ["a ", ""]);
    }

    #[test]
    fn a_pattern_that_matches_nothing_splits_between_bytes() {
        assert_eq!(at("", "abc"), ["a", "b", "c", ""]);
        assert_eq!(at("x*", "abxc"), ["a", "b", "c", ""]);
        assert_eq!(at("", ""), [""]);
    }

    #[test]
    fn groups_become_columns() {
        assert_eq!(at("([0-9])", "a1b2c"), ["a", "1", "b", "2", "c"]);
        assert_eq!(at("(x)|(y)", "axbyc"), ["a", "x", "", "b", "", "y", "c"]);
    }

    #[test]
    fn patterns_are_over_bytes() {
        assert_eq!(at("é", "aéb"), ["a", "b"]);
        let error = ColumnSplitter::new(&Split::At(b"(".to_vec())).err().map(|e| e.to_string());
        assert_eq!(error.as_deref(), Some("--colsep is not a regular expression: unclosed group: ("));
    }

    #[test]
    fn csv_knows_quotes() {
        let csv = |record| columns(&Split::Csv(b','), record);
        assert_eq!(csv(r#""a,b",c"#), ["a,b", "c"]);
        assert_eq!(csv(r#""x4"" plank",12"#), [r#"x4" plank"#, "12"]);
        assert_eq!(csv("\"d\ne\",f"), ["d\ne", "f"]);
        assert_eq!(csv(""), [""]);
        assert_eq!(csv("a,"), ["a", ""]);
        assert_eq!(csv("a,b\r"), ["a", "b"]);
    }

    #[test]
    fn a_quote_opens_only_at_the_beginning_of_a_field() {
        let state = |text: &str| Quotes::default().after(text.as_bytes(), b',');
        assert_eq!(state(r#"a,"b"#), Quotes::Open);
        assert_eq!(state(r#"a,"b""#), Quotes::Closed);
        assert_eq!(state(r#""b"""#), Quotes::Open);
        assert_eq!(state(r#"5" pipe"#), Quotes::Bare);
    }
}
