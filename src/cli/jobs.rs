//! `-j`: how many tasks at a time, in all the forms people write.

use std::ffi::OsStr;
use std::num::NonZeroUsize;

use crate::gnu_args::Jobs;

/// One or several widths.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct JobsList(Vec<Jobs>);

/// The most that one range may span: each width is a run of its own.
const WIDEST_RANGE: usize = 1024;

impl JobsList {
    /// Reads `4`, `50%`, `+2`, `-1`, `0`, `1,2,4` or `1-8`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(parse_part).collect::<Option<Vec<_>>>();
        match parts {
            Some(parts) => Ok(Self(parts.concat())),
            None => Err(format!(
                "give N, N%, +N, -N, 0 (as many as tasks), or a list or range such as 1,2,4 or 1-8, upwards and at most {WIDEST_RANGE} wide"
            )),
        }
    }

    /// The widths it means here, each once, in the order given.
    pub(super) fn widths(&self, usable: usize, tasks: Option<u64>) -> Vec<NonZeroUsize> {
        let as_many = tasks.and_then(|tasks| usize::try_from(tasks).ok()).unwrap_or(usable);
        let mut widths = Vec::new();
        for width in self.0.iter().filter_map(|jobs| jobs.on(usable, as_many)) {
            if !widths.contains(&width) {
                widths.push(width);
            }
        }
        widths
    }
}

fn parse_part(part: &str) -> Option<Vec<Jobs>> {
    match Jobs::parse(OsStr::new(part.trim())).ok()? {
        // More than threads can be counted with.
        Jobs::Exactly(number) | Jobs::Plus(number) | Jobs::Minus(number)
            if u32::try_from(number).is_err() =>
        {
            None
        }
        Jobs::Percent(percent) if percent <= 0.0 || !percent.is_finite() => None,
        // No files here, but ranges.
        Jobs::Named(name) => {
            let (first, last) = name.to_str()?.split_once('-')?;
            let (first, last) = (digits(first)?, digits(last)?);
            let sound = first >= 1 && first <= last && last - first < WIDEST_RANGE;
            sound.then(|| (first..=last).map(Jobs::Exactly).collect())
        }
        jobs => Some(vec![jobs]),
    }
}

/// A whole number without a sign, at most what threads can be counted with.
fn digits(text: &str) -> Option<usize> {
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok())??;
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn widths(text: &str) -> Vec<usize> {
        JobsList::parse(text).unwrap().widths(8, Some(100)).into_iter().map(NonZeroUsize::get).collect()
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
            assert!(JobsList::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,12}") {
            if let Ok(list) = JobsList::parse(&text) {
                prop_assert!(!list.widths(8, None).is_empty());
            }
        }
    }
}
