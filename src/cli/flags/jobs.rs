//! `-j`: how many tasks at a time, in all the forms people write.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;

use super::values::whole;
use crate::numbers::decimal;

/// How many at a time, as one number says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum JobCount {
    /// `-j N`
    Exactly(usize),
    /// `-j 0`: as many as there are.
    AsMany,
    /// `-j +N`: more than there are cores.
    Plus(usize),
    /// `-j -N`: fewer than there are cores.
    Minus(usize),
    /// `-j N%` of the cores.
    Percent(f64),
}

/// What was typed behind `-j`.
#[derive(Clone, Debug, PartialEq)]
pub struct JobsOption {
    text: OsString,
    /// Empty where it is no number, list or range, but perhaps the name of a file.
    counts: Vec<JobCount>,
}

/// The most that one range may span: each width is a run of its own.
const WIDEST_RANGE: usize = 1024;

impl JobsOption {
    /// Reads `4`, `50%`, `+2`, `-1`, `0`, `1,2,4` or `1-8`; anything else may be the
    /// name of a file.
    pub fn parse(word: &OsStr) -> Self {
        let text = word.to_str().unwrap_or_default();
        let parts = text.split(',').map(|part| several(part.trim())).collect::<Option<Vec<_>>>();
        Self { text: word.to_owned(), counts: parts.unwrap_or_default().concat() }
    }

    /// The one number that it is, unless it is several or none.
    pub fn one(&self) -> Option<JobCount> {
        if let [count] = self.counts[..] { Some(count) } else { None }
    }

    /// The name of the file that says it, where it is not one number.
    pub fn text(&self) -> &OsStr {
        &self.text
    }

    /// The widths it means on `usable` cores, each once, in the order given; none
    /// where a file would say it.
    pub fn widths(&self, usable: usize, as_many: usize) -> Vec<NonZeroUsize> {
        each_once(self.counts.iter().map(|count| count.on(usable, as_many)))
    }

    /// Refuses what is no number, list or range of threads.
    ///
    /// # Errors
    /// With the forms that are understood.
    pub fn check_widths(&self) -> Result<(), String> {
        let is_countable = |count: &JobCount| match *count {
            JobCount::Exactly(n) | JobCount::Plus(n) | JobCount::Minus(n) => u32::try_from(n).is_ok(),
            JobCount::AsMany | JobCount::Percent(_) => true,
        };
        let is_sound = !self.counts.is_empty() && self.counts.iter().all(is_countable);
        is_sound.then_some(()).ok_or_else(|| {
            format!("give N, N%, +N, -N, 0 (as many as tasks), or a list or range such as 1,2,4 or 1-8, upwards and at most {WIDEST_RANGE} wide")
        })
    }
}

/// `widths` without those that are there already.
pub(in crate::cli) fn each_once(widths: impl Iterator<Item = NonZeroUsize>) -> Vec<NonZeroUsize> {
    let mut known = Vec::new();
    for width in widths {
        if !known.contains(&width) {
            known.push(width);
        }
    }
    known
}

impl JobCount {
    /// Reads one number, as it follows `-j` or stands in the file that does.
    pub fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [] => None,
            [b'+', ..] => whole(&text[1..]).map(Self::Plus),
            [b'-', ..] => whole(&text[1..]).map(Self::Minus),
            [.., b'%'] => decimal(&text[..text.len() - 1]).map(Self::Percent),
            _ => whole(text).map(|n| if n == 0 { Self::AsMany } else { Self::Exactly(n) }),
        }
    }

    /// How many these are on `usable` cores, at least one; `as_many` for 0.
    ///
    /// A share of the cores is rounded up: as long as fewer jobs than that run, GNU
    /// parallel starts another one.
    pub fn on(self, usable: usize, as_many: usize) -> NonZeroUsize {
        let number = match self {
            Self::Exactly(count) => count,
            Self::AsMany => as_many,
            Self::Plus(more) => usable.saturating_add(more),
            Self::Minus(fewer) => usable.saturating_sub(fewer),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
            Self::Percent(percent) => (usable as f64 * percent / 100.0).ceil() as usize,
        };
        NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
    }
}

/// A part of a list: a number or a range.
fn several(part: &str) -> Option<Vec<JobCount>> {
    if let Some(count) = JobCount::parse(part) {
        return Some(vec![count]);
    }
    let (first, last) = part.split_once('-')?;
    let (first, last): (usize, usize) = (whole(first)?, whole(last)?);
    let sound = first >= 1 && first <= last && last - first < WIDEST_RANGE;
    sound.then(|| (first..=last).map(JobCount::Exactly).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn jobs(text: &str) -> JobsOption {
        JobsOption::parse(OsStr::new(text))
    }

    fn widths(text: &str) -> Vec<usize> {
        let jobs = jobs(text);
        assert_eq!(jobs.check_widths(), Ok(()));
        jobs.widths(8, 100).into_iter().map(NonZeroUsize::get).collect()
    }

    #[test]
    fn a_share_of_the_cores_is_what_gnu_parallel_makes_of_it() {
        let on = |text: &str, usable| jobs(text).one().unwrap().on(usable, 250).get();
        // As seen of GNU parallel on two cores.
        for (share, count) in [
            ("0%", 1),
            ("25%", 1),
            ("50%", 1),
            ("74%", 2),
            ("75%", 2),
            ("99%", 2),
            ("100%", 2),
            ("120%", 3),
            ("150%", 3),
            ("151%", 4),
        ] {
            assert_eq!(on(share, 2), count, "{share}");
        }
        assert_eq!([on("0", 2), on("7", 2), on("+1", 2), on("-1", 2), on("-9", 2)], [250, 7, 3, 1, 1]);
    }

    #[test]
    fn jobs_are_numbers_shares_or_names() {
        let one = |text: &str| jobs(text).one();
        assert_eq!(one("4"), Some(JobCount::Exactly(4)));
        assert_eq!(one("0"), Some(JobCount::AsMany));
        assert_eq!(one("+0"), Some(JobCount::Plus(0)));
        assert_eq!(one("-2"), Some(JobCount::Minus(2)));
        assert_eq!(one("50.5%"), Some(JobCount::Percent(50.5)));
        for named in ["", "1.5", "procfile", "1,2,4", "1-8", "+50%", "2k"] {
            assert_eq!(one(named), None, "{named}");
        }
    }

    #[test]
    fn every_form_means_what_gnu_parallel_means() {
        assert_eq!(widths("3"), [3]);
        assert_eq!(widths("50%"), [4]);
        assert_eq!(widths("200%"), [16]);
        assert_eq!(widths("1%"), [1]);
        assert_eq!(widths("+2"), [10]);
        assert_eq!(widths("-2"), [6]);
        assert_eq!(widths("-20"), [1]);
        assert_eq!(widths("0"), [100]);
    }

    #[test]
    fn lists_and_ranges_are_sweeps_without_repeats() {
        assert_eq!(widths("1,2,4"), [1, 2, 4]);
        assert_eq!(widths("1-4,8,100%"), [1, 2, 3, 4, 8]);
        assert_eq!(widths("75%,75%"), widths("75%"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for text in [
            "",
            "x",
            "1.5",
            "-",
            "+",
            "%",
            "-5%",
            "nan%",
            "4-2",
            "0-3",
            "1,,2",
            "1-99999",
            "--",
            "99999999999",
        ] {
            assert!(jobs(text).check_widths().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,12}") {
            let jobs = jobs(&text);
            prop_assert!(jobs.widths(8, 8).iter().all(|width| width.get() > 0));
        }
    }
}
