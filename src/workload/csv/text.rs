//! Numbers to text, as `np.savetxt` writes them with `fmt='%d'` or `'%.18e'`,
//! `delimiter=','` and a newline after each row.
//!
//! Counts below 1000, which is nearly all of them, are one load from a table
//! and one store of four bytes; two below 100 are one load and one store
//! together.

use std::io::Write as _;

/// The longest count with its comma: `-9223372036854775808,`.
const LONGEST_COUNT: usize = 21;

/// The longest count of 16 bits with its comma: `65535,`.
const LONGEST_SMALL_COUNT: usize = 6;

/// The longest real with its comma: `-1.234567890123456789e-308,`.
pub(super) const LONGEST_REAL: usize = 28;

/// So many counts are looked at together.
const GROUP: usize = 8;

/// By value: its digits and a comma in the low four bytes, their length above.
static WORDS: [u64; 1000] = words();

const fn words() -> [u64; 1000] {
    let mut words = [0; 1000];
    let mut value = 0;
    while value < 1000 {
        let mut word = b',' as u64;
        let mut length = 1;
        let mut left = value;
        while length == 1 || left > 0 {
            // The digits come last first: each pushes those behind it along.
            word = word << 8 | (b'0' as u64 + left as u64 % 10);
            left /= 10;
            length += 1;
        }
        words[value] = word | length << 32;
        value += 1;
    }
    words
}

/// Counts below this have a place in [`PAIRS`].
const PAIRED: usize = 100;

/// By two values, the first times [`PAIRED`] and the second: the digits of both,
/// each with its comma, in the low six bytes, their length in the highest.
static PAIRS: [u64; PAIRED * PAIRED] = pairs();

#[expect(clippy::large_stack_arrays, reason = "the compiler makes it")]
const fn pairs() -> [u64; PAIRED * PAIRED] {
    let mut pairs = [0; PAIRED * PAIRED];
    let mut place = 0;
    while place < pairs.len() {
        let (first, second) = (WORDS[place / PAIRED], WORDS[place % PAIRED]);
        let (length, behind) = (first >> 32, second >> 32);
        let text = (first & 0xff_ffff) | (second & 0xff_ffff) << (8 * length);
        pairs[place] = text | (length + behind) << 56;
        place += 1;
    }
    pairs
}

/// Text under way, with the column that comes next.
#[derive(Debug)]
pub(super) struct Text {
    bytes: Vec<u8>,
    length: usize,
    cols: u64,
    column: u64,
}

/// A whole number that may be a word of the table.
pub(super) trait Count: itoa::Integer + Copy {
    /// Its place in the table; anything beyond the table's end for others.
    fn index(self) -> usize;
}

impl Count for u16 {
    fn index(self) -> usize {
        self.into()
    }
}

impl Count for i64 {
    fn index(self) -> usize {
        usize::try_from(self).unwrap_or(usize::MAX)
    }
}

impl Text {
    /// Text of a matrix of `cols` columns, from value number `position` on.
    pub(super) fn new(cols: u64, position: u64) -> Self {
        let column = if cols == 0 { 0 } else { position % cols };
        Self { bytes: Vec::new(), length: 0, cols, column }
    }

    /// The same with room for `length` bytes, so that it need not grow.
    pub(super) fn with_room(self, length: usize) -> Self {
        Self { bytes: vec![0; length], ..self }
    }

    /// Begins anew at value number `position`, in the same memory.
    pub(super) fn restart(&mut self, position: u64) {
        let bytes = std::mem::take(&mut self.bytes);
        *self = Self { bytes, ..Self::new(self.cols, position) };
    }

    /// What has been written since the last [`Text::clear`].
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
    }

    /// So many rows of no columns.
    pub(super) fn empty_rows(&mut self, count: usize) {
        self.reserve(count);
        self.bytes[self.length..][..count].fill(b'\n');
        self.length += count;
    }

    pub(super) fn small_counts(&mut self, values: &[u16]) {
        self.reserve(values.len() * LONGEST_SMALL_COUNT);
        self.rows(values, Self::count_row);
    }

    pub(super) fn counts(&mut self, values: &[i64]) {
        self.reserve(values.len() * LONGEST_COUNT);
        self.rows(values, Self::count_row);
    }

    pub(super) fn reals(&mut self, values: &[f64]) {
        self.reserve(values.len() * LONGEST_REAL);
        self.rows(values, Self::real_row);
    }

    fn reserve(&mut self, more: usize) {
        if self.bytes.len() < self.length + more {
            self.bytes.resize(self.length + more, 0);
        }
    }

    /// Writes `values` row by row and ends each finished row.
    fn rows<T>(&mut self, values: &[T], write: impl Fn(&mut Self, &[T])) {
        let mut rest = values;
        while !rest.is_empty() {
            let room = usize::try_from(self.cols - self.column).unwrap_or(usize::MAX);
            let (row, behind) = rest.split_at(room.min(rest.len()));
            write(self, row);
            self.column += row.len() as u64;
            if self.column == self.cols {
                self.bytes[self.length - 1] = b'\n';
                self.column = 0;
            }
            rest = behind;
        }
    }

    fn count_row<T: Count>(&mut self, row: &[T]) {
        let (groups, rest) = row.as_chunks::<GROUP>();
        for group in groups {
            // One look at the group and one bound for its text instead of eight.
            if group.iter().all(|value| value.index() < PAIRED) {
                let room = &mut self.bytes[self.length..][..4 * GROUP];
                let mut at = 0;
                for [first, second] in group.as_chunks::<2>().0 {
                    let pair = PAIRS[first.index() * PAIRED + second.index()];
                    // Eight bytes at a time: what is too much is written over.
                    *room[at..].first_chunk_mut().expect("room for a group") = pair.to_le_bytes();
                    at += (pair >> 56) as usize;
                }
                self.length += at;
            } else if group.iter().all(|value| value.index() < WORDS.len()) {
                let room = &mut self.bytes[self.length..][..4 * GROUP];
                let mut at = 0;
                for value in group {
                    let word = WORDS[value.index()];
                    let [a, b, c, d, length, ..] = word.to_le_bytes();
                    *room[at..].first_chunk_mut().expect("room for a group") = [a, b, c, d];
                    at += usize::from(length);
                }
                self.length += at;
            } else {
                self.any_counts(group);
            }
        }
        self.any_counts(rest);
    }

    /// The plain form, for counts of any size.
    fn any_counts<T: Count>(&mut self, counts: &[T]) {
        for &count in counts {
            let mut digits = itoa::Buffer::new();
            let digits = digits.format(count).as_bytes();
            let room = &mut self.bytes[self.length..];
            room[..digits.len()].copy_from_slice(digits);
            room[digits.len()] = b',';
            self.length += digits.len() + 1;
        }
    }

    fn real_row(&mut self, row: &[f64]) {
        for &value in row {
            self.length += write_real(&mut self.bytes[self.length..], value);
        }
    }
}

/// C's `%.18e` and a comma, and their length: Rust writes the same digits, but
/// the exponent without its sign and leading zero.
fn write_real(mut room: &mut [u8], value: f64) -> usize {
    let mut scratch = [0; 32];
    let mut rest = &mut scratch[..];
    write!(rest, "{value:.18e}").expect("every double fits into 32 bytes");
    let length = 32 - rest.len();
    let text = std::str::from_utf8(&scratch[..length]).expect("digits are ASCII");
    let before = room.len();
    let written = match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
            write!(room, "{mantissa}e{sign}{digits:0>2},")
        }
        // C's spelling of what is no number.
        None => write!(room, "{},", text.to_ascii_lowercase()),
    };
    written.expect("room was reserved for the longest real");
    before - room.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The plain form that the fast one is tested against.
    fn plain(values: &[i64], cols: usize, column: usize) -> String {
        let mut text = String::new();
        for (index, value) in values.iter().enumerate() {
            let ends_row = (column + index + 1).is_multiple_of(cols);
            text += &format!("{value}{}", if ends_row { '\n' } else { ',' });
        }
        text
    }

    proptest! {
        #[test]
        fn counts_are_written_as_the_plain_form_does(
            values in prop_oneof![
                prop::collection::vec(0..100_i64, 0..200),
                prop::collection::vec(prop_oneof![60 => 0..100_i64, 1 => 100..1200_i64], 0..200),
                prop::collection::vec(prop_oneof![0..1200_i64, any::<i64>()], 0..200),
            ],
            cols in 1..20_usize,
            column in 0..20_usize,
        ) {
            let mut text = Text::new(cols as u64, column as u64);
            text.counts(&values);
            let expected = plain(&values, cols, column % cols);
            prop_assert_eq!(std::str::from_utf8(text.bytes()).unwrap(), expected);
        }

        #[test]
        fn small_counts_are_written_as_large_ones_are(values in prop::collection::vec(any::<u16>(), 0..300), cols in 1..20_u64) {
            let (mut small, mut large) = (Text::new(cols, 0), Text::new(cols, 0));
            small.small_counts(&values);
            large.counts(&values.iter().map(|&value| value.into()).collect::<Vec<i64>>());
            prop_assert_eq!(small.bytes(), large.bytes());
        }

        #[test]
        fn reals_keep_every_bit(value in any::<f64>().prop_filter("a number", |value| value.is_finite())) {
            let mut text = Text::new(1, 0);
            text.reals(&[value]);
            let back: f64 = std::str::from_utf8(text.bytes()).unwrap().trim_end().parse().unwrap();
            prop_assert_eq!(back.to_bits(), value.to_bits());
        }
    }

    #[test]
    fn every_pair_of_counts_of_two_digits_is_written_as_the_plain_form_does() {
        let values: Vec<i64> =
            (0..100).flat_map(|first| (0..100).flat_map(move |second| [first, second])).collect();
        let mut text = Text::new(8, 0);
        text.counts(&values);
        assert_eq!(std::str::from_utf8(text.bytes()).unwrap(), plain(&values, 8, 0));
    }

    #[test]
    fn a_count_just_beyond_a_table_is_written_as_the_plain_form_does() {
        for value in [99, 100, 999, 1000] {
            for place in 0..GROUP {
                let mut values = [7; GROUP];
                values[place] = value;
                let mut text = Text::new(8, 0);
                text.counts(&values);
                assert_eq!(std::str::from_utf8(text.bytes()).unwrap(), plain(&values, 8, 0));
            }
        }
    }

    #[test]
    fn reals_look_as_c_prints_them() {
        let mut text = Text::new(2, 0);
        text.reals(&[0.0, -1.5, 1e-5, 1e300, 123_456.789, f64::MIN_POSITIVE]);
        let expected = "0.000000000000000000e+00,-1.500000000000000000e+00\n\
                        1.000000000000000082e-05,1.000000000000000053e+300\n\
                        1.234567890000000043e+05,2.225073858507201383e-308\n";
        assert_eq!(std::str::from_utf8(text.bytes()).unwrap(), expected);
    }

    #[test]
    fn rows_of_no_columns_are_bare_newlines() {
        let mut text = Text::new(0, 0);
        text.empty_rows(3);
        assert_eq!(text.bytes(), b"\n\n\n");
    }
}
