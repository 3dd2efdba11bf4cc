//! The sizes asked for, checked once.

use anyhow::{Context as _, ensure};

use super::CsvOptions;

/// Rows and columns of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) rows: u64,
    pub(super) cols: u64,
}

impl Shape {
    pub(super) fn new(options: &CsvOptions) -> anyhow::Result<Self> {
        let CsvOptions { files, rows, cols, .. } = *options;
        ensure!(files >= 0, "--files {files}: give 0 or more");
        // The words of NumPy's ValueErrors.
        let sized = |size: i64| u64::try_from(size).ok();
        let negative = || format!("--rows {rows} --cols {cols}: negative dimensions are not allowed");
        let shape =
            Self { rows: sized(rows).with_context(negative)?, cols: sized(cols).with_context(negative)? };
        let values = shape.rows.checked_mul(shape.cols).and_then(|values| values.checked_mul(8));
        let in_reach = values.is_some_and(|bytes| i64::try_from(bytes).is_ok());
        ensure!(
            in_reach,
            "--rows {rows} --cols {cols}: array is too big; `arr.size * arr.dtype.itemsize` is larger than the maximum possible size"
        );
        Ok(shape)
    }

    /// How many values a file holds.
    pub(super) fn values(self) -> u64 {
        self.rows * self.cols
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_numpy_refuses_are_refused_in_its_words() {
        let shape = |rows, cols| Shape::new(&CsvOptions { rows, cols, ..CsvOptions::default() });
        assert_eq!(shape(0, 0).unwrap().values(), 0);
        assert_eq!(shape(3, 4).unwrap().values(), 12);
        for (rows, cols, words) in [
            (-1, 2, "negative dimensions are not allowed"),
            (2, -1, "negative dimensions are not allowed"),
            (i64::MAX, i64::MAX, "array is too big"),
            (1 << 31, 1 << 31, "array is too big"),
        ] {
            let error = shape(rows, cols).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains(&format!("--rows {rows}")), "{error}");
        }
    }
}
