//! A running median in little memory: the remedian (Rousseeuw and Bassett, The
//! Remedian, Journal of the American Statistical Association 85, 1990).

use super::median;

/// How many values a level holds; odd, so that its median is one of them.
const BASE: usize = 999;

/// The median of what was added, exact up to 999 values and near it beyond.
#[derive(Clone, Debug, Default)]
pub struct Remedian {
    /// Values first, then medians of so many values, then medians of those.
    levels: Vec<Vec<f64>>,
}

impl Remedian {
    /// Takes note of one more value.
    pub fn add(&mut self, value: f64) {
        let mut carried = value;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let values = &mut self.levels[level];
            values.push(carried);
            if values.len() < BASE {
                return;
            }
            carried = median(values);
            values.clear();
        }
    }

    /// The median so far; 0 of nothing.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        // The highest level stands for most of the values.
        self.levels.iter().rev().find(|level| !level.is_empty()).map_or(0.0, |level| median(level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_have_their_exact_median_and_many_one_near_it() {
        let mut remedian = Remedian::default();
        assert!(remedian.estimate().abs() < f64::EPSILON);
        for value in [5.0, 1.0, 3.0] {
            remedian.add(value);
        }
        assert!((remedian.estimate() - 3.0).abs() < f64::EPSILON);
        let mut remedian = Remedian::default();
        for value in 0..1_000_000_u32 {
            // In an order that has nothing to do with their size.
            remedian.add(f64::from(value.wrapping_mul(7919) % 1_000_003));
        }
        assert!((remedian.estimate() - 500_000.0).abs() < 20_000.0, "{}", remedian.estimate());
        assert!(remedian.levels.iter().all(|level| level.len() < BASE));
    }
}
