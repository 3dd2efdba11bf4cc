//! The matrix that all files share: drawn once per run, before the clock.

use std::ops::Range;

use ndarray::Array2;

use super::options::Shape;
use super::source::{Source, Values};
use super::text::Text;

/// A shared matrix takes at most this much memory; a larger one is drawn again
/// by every file, so that memory stays flat.
pub(super) const MOST_SHARED: u64 = 8 << 20;

/// How many values are drawn at a time: they stay in the second-level cache.
pub(super) const CHUNK: usize = 1 << 14;

/// A matrix, rows by columns.
#[derive(Clone, Debug)]
pub(super) enum Matrix {
    /// Counts that fit into 16 bits, which is what most means draw.
    Small(Array2<u16>),
    Counts(Array2<i64>),
    Reals(Array2<f64>),
}

impl Matrix {
    /// Whether a matrix of so many values may be kept in memory.
    pub(super) fn fits(source: &Source, values: u64) -> bool {
        let width = if source.is_small() { 2 } else { 8 };
        values.saturating_mul(width) <= MOST_SHARED
    }

    /// Draws all of it.
    pub(super) fn draw(source: &Source, shape: Shape) -> Self {
        let length = index(shape.values());
        let dim = (index(shape.rows), index(shape.cols));
        let mut chunk = source.room(CHUNK.min(length));
        let mut matrix = match chunk {
            Values::Counts(_) if source.is_small() => Self::Small(Array2::zeros(dim)),
            Values::Counts(_) => Self::Counts(Array2::zeros(dim)),
            Values::Reals(_) => Self::Reals(Array2::zeros(dim)),
        };
        let mut draw = source.of(None);
        for start in (0..length).step_by(CHUNK) {
            let place = start..length.min(start + CHUNK);
            draw.fill(&mut chunk, place.len());
            matrix.put(place, &chunk);
        }
        matrix
    }

    /// Takes the first of `values` for a place, in row order.
    fn put(&mut self, place: Range<usize>, values: &Values) {
        fn part<T>(matrix: &mut Array2<T>, place: Range<usize>) -> &mut [T] {
            &mut matrix.as_slice_mut().expect(ROW_ORDER)[place]
        }
        let n_values = place.len();
        match (self, values) {
            (Self::Small(all), Values::Counts(counts)) => narrow(&counts[..n_values], part(all, place)),
            (Self::Counts(all), Values::Counts(counts)) => {
                part(all, place).copy_from_slice(&counts[..n_values]);
            }
            (Self::Reals(all), Values::Reals(reals)) => part(all, place).copy_from_slice(&reals[..n_values]),
            (_, Values::Counts(_) | Values::Reals(_)) => unreachable!("both were made for one source"),
        }
    }

    /// Adds its values in this place, in row order, to `text`.
    pub(super) fn add(&self, place: Range<usize>, text: &mut Text) {
        fn part<T>(matrix: &Array2<T>, place: Range<usize>) -> &[T] {
            &matrix.as_slice().expect(ROW_ORDER)[place]
        }
        match self {
            Self::Small(all) => text.small_counts(part(all, place)),
            Self::Counts(all) => text.counts(part(all, place)),
            Self::Reals(all) => text.reals(part(all, place)),
        }
    }

    /// All of it as bytes: what the values are, then the values, little-endian.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        fn bytes<const N: usize, T: Copy>(kind: u8, matrix: &Array2<T>, of: fn(T) -> [u8; N]) -> Vec<u8> {
            let mut bytes = vec![kind; 1 + N * matrix.len()];
            let (places, _) = bytes[1..].as_chunks_mut();
            for (place, &value) in places.iter_mut().zip(matrix) {
                *place = of(value);
            }
            bytes
        }
        match self {
            Self::Small(matrix) => bytes(SMALL, matrix, u16::to_le_bytes),
            Self::Counts(matrix) => bytes(COUNTS, matrix, i64::to_le_bytes),
            Self::Reals(matrix) => bytes(REALS, matrix, f64::to_le_bytes),
        }
    }

    /// What [`Self::to_bytes`] made; `None` of anything else, and of another shape.
    pub(super) fn from_bytes(bytes: &[u8], shape: Shape) -> Option<Self> {
        fn values<const N: usize, T>(bytes: &[u8], shape: Shape, of: fn([u8; N]) -> T) -> Option<Array2<T>> {
            let (values, rest) = bytes.as_chunks::<N>();
            let dim = (usize::try_from(shape.rows).ok()?, usize::try_from(shape.cols).ok()?);
            let values = values.iter().map(|&bytes| of(bytes)).collect();
            Array2::from_shape_vec(dim, values).ok().filter(|_| rest.is_empty())
        }
        match bytes.split_first()? {
            (&SMALL, bytes) => values(bytes, shape, u16::from_le_bytes).map(Self::Small),
            (&COUNTS, bytes) => values(bytes, shape, i64::from_le_bytes).map(Self::Counts),
            (&REALS, bytes) => values(bytes, shape, f64::from_le_bytes).map(Self::Reals),
            _ => None,
        }
    }
}

/// What the values of a matrix are, where it is passed on as bytes.
const SMALL: u8 = b's';
const COUNTS: u8 = b'c';
const REALS: u8 = b'r';

/// Why the values are one slice.
const ROW_ORDER: &str = "it was made in row order";

fn narrow(counts: &[i64], small: &mut [u16]) {
    // One check on the whole: one for each value would cost more than the narrowing.
    let bits = counts.iter().fold(0, |bits, count| bits | count);
    assert!(u16::try_from(bits).is_ok(), "a count 69 standard deviations above its mean");
    for (small, &count) in small.iter_mut().zip(counts) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
        (*small = count as u16);
    }
}

fn index(size: u64) -> usize {
    usize::try_from(size).expect("a shared matrix was checked to fit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_made_of_its_own_bytes_only() {
        let shape = Shape { rows: 1, cols: 2 };
        let matrix = Matrix::Counts(Array2::from_shape_vec((1, 2), vec![1, -2]).unwrap());
        let bytes = matrix.to_bytes();
        assert_eq!(Matrix::from_bytes(&bytes, shape).unwrap().to_bytes(), bytes);
        let refused = |bytes: &[u8], shape| Matrix::from_bytes(bytes, shape).is_none();
        assert!(refused(&[&bytes[..], b"x"].concat(), shape), "one byte too many");
        assert!(refused(&bytes[..bytes.len() - 1], shape), "one byte too few");
        assert!(refused(&bytes, Shape { rows: 2, cols: 2 }), "another shape");
        assert!(refused(b"", shape) && refused(b"?", shape), "no kind of matrix");
    }
}
