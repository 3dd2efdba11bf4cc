//! Rows of `BINARY` and `BINARY2`: from base64, as it comes, to bytes to the texts of
//! cells.
//!
//! An array of variable length has its number of values in front, all dimensions taken
//! together, as STIL writes and reads it.

use std::fmt::{Debug, LowerExp, Write};

use super::super::ParseError;
use super::super::sniff::head;
use super::TableError;
use super::field::{ArraySize, Datatype, Field};
use super::row::RowCells;

/// The value of what is no character of base64.
const NO_VALUE: u8 = 0xff;

/// The value of each character of base64 (RFC 4648, 4).
const VALUES: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [NO_VALUE; 256];
    let mut value = 0_u8;
    while value < 64 {
        values[alphabet[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// Whether more may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StreamState {
    Open,
    /// What follows is no base64.
    Broken,
    Ended,
}

/// A stream of rows.
#[derive(Debug)]
pub struct BinaryRows {
    /// Whether each row begins with bits that tell which cells have no value (`BINARY2`).
    has_flags: bool,
    /// The limit of a cell.
    most: usize,
    /// The bits of characters that are no whole bytes yet, and how many characters.
    bits: u32,
    n_characters: u8,
    /// Padding that has come, behind which nothing else may.
    n_padding: u8,
    state: StreamState,
    /// Decoded bytes, of which so many are taken.
    bytes: Vec<u8>,
    taken: usize,
    /// The bits of the row that is begun.
    flags: Vec<u8>,
    is_in_row: bool,
}

impl BinaryRows {
    pub fn new(has_flags: bool, most: usize) -> Self {
        Self {
            has_flags,
            most,
            bits: 0,
            n_characters: 0,
            n_padding: 0,
            state: StreamState::Open,
            bytes: Vec::new(),
            taken: 0,
            flags: Vec::new(),
            is_in_row: false,
        }
    }

    /// Takes in characters of base64, blanks between them left out.
    pub fn feed(&mut self, characters: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.reserve(characters.len() / 4 * 3);
        for character in characters {
            let value = VALUES[usize::from(*character)];
            if value != NO_VALUE && self.n_padding == 0 && self.state == StreamState::Open {
                self.bits = (self.bits << 6) | u32::from(value);
                self.n_characters += 1;
                if self.n_characters == 4 {
                    self.bytes.extend_from_slice(&self.bits.to_be_bytes()[1..]);
                    self.n_characters = 0;
                }
            } else if *character == b'=' && self.n_padding < 2 && self.state == StreamState::Open {
                // Padding is no beginning.
                if self.n_padding == 0 && self.n_characters == 0 {
                    self.state = StreamState::Broken;
                }
                self.n_padding += 1;
                self.end_bytes();
            } else if !character.is_ascii_whitespace() {
                self.state = StreamState::Broken;
            }
        }
    }

    /// The characters that have come are the last: they may make a byte or two.
    fn end_bytes(&mut self) {
        match self.n_characters {
            2 => self.bytes.push((self.bits >> 4).to_be_bytes()[3]),
            3 => self.bytes.extend_from_slice(&(self.bits >> 2).to_be_bytes()[2..]),
            0 => {}
            // One character is no byte.
            _ => self.state = StreamState::Broken,
        }
        self.n_characters = 0;
    }

    /// There is no more.
    pub fn finish(&mut self) {
        self.end_bytes();
        if self.state == StreamState::Open {
            self.state = StreamState::Ended;
        }
    }

    /// What is wrong where no more rows come; `row` is the number of the next.
    pub fn flaw(&self, row: u64) -> Option<ParseError> {
        let is_within = self.is_in_row || self.taken < self.bytes.len();
        match self.state {
            StreamState::Broken => Some(ParseError::bad_value("the binary data is not base64")),
            StreamState::Ended if is_within => {
                Some(ParseError::bad_value(format!("the binary data ends within row {row}")))
            }
            StreamState::Open | StreamState::Ended => None,
        }
    }

    /// Goes on with the row in `cells`, the `row`th; whether it is whole.
    pub fn advance(&mut self, fields: &[Field], cells: &mut RowCells, row: u64) -> Result<bool, TableError> {
        if !self.is_in_row {
            if self.taken == self.bytes.len() {
                return Ok(false);
            }
            // There would be no end of them.
            if (!self.has_flags || fields.is_empty()) && fields.iter().all(is_nothing) {
                return Err(ParseError::bad_value("binary data in rows of no bytes").into());
            }
            cells.clear();
            if self.has_flags {
                let Some(flags) = self.bytes[self.taken..].get(..fields.len().div_ceil(8)) else {
                    return Ok(false);
                };
                self.flags.clear();
                self.flags.extend_from_slice(flags);
                self.taken += flags.len();
            }
            self.is_in_row = true;
        }
        while let Some(field) = fields.get(cells.len()) {
            let at = |what: &str| format!("row {row}: column {:?} {what}", head(&field.name, 60));
            let rest = &self.bytes[self.taken..];
            let (skipped, n_values) = match n_values(field, rest) {
                Ok(Some(found)) => found,
                Ok(None) => return Ok(false),
                Err(what) => return Err(ParseError::bad_value(at(what)).into()),
            };
            let Some(n_bytes) = n_bytes(&field.datatype, n_values).filter(|n_bytes| *n_bytes <= self.most)
            else {
                return Err(TableError::TooLarge(at(&format!("has more than {} bytes", self.most))));
            };
            let Some(bytes) = rest[skipped..].get(..n_bytes) else { return Ok(false) };
            let column = cells.len();
            let is_flagged =
                self.flags.get(column / 8).is_some_and(|byte| byte & (0x80 >> (column % 8)) != 0);
            if is_flagged {
                cells.end(true);
            } else {
                let is_null = write_cell(field, bytes, n_values, &mut cells.text);
                let is_null = is_null.map_err(|what| ParseError::bad_value(at(what)))?;
                // Blanks are no text, and integers have a value that means none.
                let may_be_null = field.datatype.is_text() || field.null.is_some();
                cells.end(is_null || may_be_null && field.is_null(cells.open()) == Ok(true));
            }
            self.taken += skipped + n_bytes;
        }
        self.is_in_row = false;
        Ok(true)
    }
}

/// Whether its cells take no bytes: an array of no values.
fn is_nothing(field: &Field) -> bool {
    matches!(&field.arraysize, ArraySize::Fixed(sizes) if sizes.contains(&0))
}

/// How many values the next cell has, and how many bytes tell that; nothing where too few
/// bytes have come.
fn n_values(field: &Field, bytes: &[u8]) -> Result<Option<(usize, usize)>, &'static str> {
    Ok(match &field.arraysize {
        ArraySize::One => Some((0, 1)),
        ArraySize::Fixed(sizes) => {
            let product = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
            Some((0, product.unwrap_or(usize::MAX)))
        }
        ArraySize::Variable(_) => match bytes.first_chunk() {
            None => None,
            Some(count) => {
                let count = i32::from_be_bytes(*count);
                Some((4, usize::try_from(count).map_err(|_| "has less than no values")?))
            }
        },
        ArraySize::Unknown(_) => return Err("has an arraysize that cannot be read"),
    })
}

/// How many bytes so many values take; nothing where that is beyond all measure.
fn n_bytes(datatype: &Datatype, n_values: usize) -> Option<usize> {
    let size = match datatype {
        Datatype::Bit => return Some(n_values.div_ceil(8)),
        Datatype::Boolean | Datatype::UnsignedByte | Datatype::Char => 1,
        Datatype::Short | Datatype::UnicodeChar => 2,
        Datatype::Int | Datatype::Float => 4,
        Datatype::Long | Datatype::Double | Datatype::FloatComplex => 8,
        Datatype::DoubleComplex => 16,
        // It is refused when it is read.
        Datatype::Missing | Datatype::Other(_) => 0,
    };
    n_values.checked_mul(size)
}

/// Writes the text of a cell; whether it has no value.
fn write_cell(field: &Field, bytes: &[u8], n_values: usize, text: &mut String) -> Result<bool, &'static str> {
    Ok(match field.datatype {
        Datatype::Char => {
            write_chars(bytes, text);
            false
        }
        Datatype::UnicodeChar => {
            let (pairs, _) = bytes.as_chunks();
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).take_while(|unit| *unit != 0);
            for character in char::decode_utf16(units) {
                text.push(character.map_err(|_| "is not UTF-16")?);
            }
            false
        }
        Datatype::Boolean if !bytes.iter().all(|byte| b"TtFf10? \0".contains(byte)) => {
            return Err("is neither true nor false");
        }
        Datatype::Boolean => join(text, bytes.iter(), |text, byte| {
            let is_null = matches!(byte, b'?' | b' ' | 0);
            text.push(if is_null { '?' } else { char::from(*byte) });
            is_null
        }),
        Datatype::Bit => {
            let bits = (0..n_values).map(|at| bytes[at / 8] & (0x80 >> (at % 8)) != 0);
            join(text, bits, |text, bit| {
                text.push(if bit { '1' } else { '0' });
                false
            })
        }
        Datatype::UnsignedByte => join(text, bytes.iter(), integer),
        Datatype::Short => join(text, numbers(bytes).map(i16::from_be_bytes), integer),
        Datatype::Int => join(text, numbers(bytes).map(i32::from_be_bytes), integer),
        Datatype::Long => join(text, numbers(bytes).map(i64::from_be_bytes), integer),
        Datatype::Float | Datatype::FloatComplex => join(text, numbers(bytes).map(f32::from_be_bytes), float),
        Datatype::Double | Datatype::DoubleComplex => {
            join(text, numbers(bytes).map(f64::from_be_bytes), float)
        }
        Datatype::Missing | Datatype::Other(_) => return Err("has a datatype that no binary table can have"),
    })
}

fn numbers<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks().0.iter().copied()
}

/// Writes values with blanks between, and tells whether none of them is a value; of each
/// `write` tells it.
fn join<T>(
    text: &mut String,
    values: impl Iterator<Item = T>,
    write: impl Fn(&mut String, T) -> bool,
) -> bool {
    let mut all_null = true;
    for (at, value) in values.enumerate() {
        if at > 0 {
            text.push(' ');
        }
        all_null &= write(text, value);
    }
    all_null
}

fn integer(text: &mut String, number: impl std::fmt::Display) -> bool {
    write!(text, "{number}").expect("a string takes all");
    false
}

/// The shortest digits that read back as the same number, in the form that Python and with
/// it most services write into `TABLEDATA`: `18.0`, `1e-05`, `1.5e+16`.
fn float<T: Copy + Debug + LowerExp + Into<f64>>(text: &mut String, number: T) -> bool {
    let wide: f64 = number.into();
    if !wide.is_finite() {
        let signed = if wide > 0.0 { "+Inf" } else { "-Inf" };
        text.push_str(if wide.is_nan() { "NaN" } else { signed });
        return true;
    }
    let written = if wide == 0.0 || (1e-4..1e16).contains(&wide.abs()) {
        write!(text, "{number:?}")
    } else {
        let digits = format!("{number:e}");
        let (digits, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
        match exponent.strip_prefix('-') {
            Some(exponent) => write!(text, "{digits}e-{exponent:0>2}"),
            None => write!(text, "{digits}e+{exponent:0>2}"),
        }
    };
    written.expect("a string takes all");
    false
}

/// Characters up to the first that is zero: UTF-8 as services write it, else one byte each,
/// as those of old do.
fn write_chars(bytes: &[u8], text: &mut String) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let bytes = &bytes[..end];
    match std::str::from_utf8(bytes) {
        Ok(characters) => text.push_str(characters),
        // A character that the array's end cuts.
        Err(error) if error.error_len().is_none() => {
            text.push_str(&String::from_utf8_lossy(&bytes[..error.valid_up_to()]));
        }
        Err(_) => text.extend(bytes.iter().map(|byte| char::from(*byte))),
    }
}
