//! The kernel's way of naming sets of CPUs: "0-3,8,10-11".
//!
//! Does not know what a set is for.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A set of logical CPUs by the kernel's numbers.
pub type CpuSet = BTreeSet<usize>;

/// Reads a list such as "0-3,8,10-11"; an empty one is the empty set.
///
/// None if it is not such a list, or names a CPU no kernel is built for (65,536 and above).
#[must_use]
pub fn parse_cpulist(text: &str) -> Option<CpuSet> {
    let text = text.trim();
    if text.is_empty() {
        return Some(CpuSet::new());
    }
    let mut cpus = CpuSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (parse_cpu(first)?, parse_cpu(last)?);
        if first > last {
            return None;
        }
        cpus.extend(first..=last);
    }
    Some(cpus)
}

/// Writes a set as the kernel would: ascending, neighbours joined.
#[must_use]
pub fn format_cpulist(cpus: &CpuSet) -> String {
    let mut text = String::new();
    let mut rest = cpus.iter().copied().peekable();
    while let Some(first) = rest.next() {
        let mut last = first;
        while let Some(next) = rest.next_if(|next| *next == last + 1) {
            last = next;
        }
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        let _ = match last - first {
            0 => write!(text, "{comma}{first}"),
            _ => write!(text, "{comma}{first}-{last}"),
        };
    }
    text
}

/// Linux is built for 8,192 CPUs at most; the bound keeps a nonsense range from filling memory.
const CPU_BOUND: usize = 65_536;

fn parse_cpu(text: &str) -> Option<usize> {
    // `parse` alone would take "+1".
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|cpu| *cpu < CPU_BOUND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    #[test]
    fn ranges_and_single_cpus_are_read() {
        let expected = CpuSet::from([0, 1, 2, 3, 8, 10, 11]);
        assert_eq!(parse_cpulist("0-3,8,10-11\n"), Some(expected));
        assert_eq!(parse_cpulist("5"), Some(CpuSet::from([5])));
        assert_eq!(parse_cpulist("\n"), Some(CpuSet::new()));
    }

    #[test]
    fn what_is_no_cpulist_is_refused() {
        for list in
            ["x", "1,", ",1", "3-1", "-1", "1-", "1-2-3", "1 2", "+1", "0-65536", "0-99999999999999999999"]
        {
            assert_eq!(parse_cpulist(list), None, "{list:?}");
        }
    }

    #[test]
    fn neighbours_are_joined_when_written() {
        let cpus = CpuSet::from([0, 1, 2, 3, 8, 10, 11]);
        assert_eq!(format_cpulist(&cpus), "0-3,8,10-11");
        assert_eq!(format_cpulist(&CpuSet::new()), "");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(cpus in btree_set(0_usize..300, 0..80)) {
            prop_assert_eq!(parse_cpulist(&format_cpulist(&cpus)), Some(cpus));
        }

        #[test]
        fn ranges_in_any_order_and_overlap_are_their_union(
            ranges in vec((0_usize..200, 0_usize..20), 1..20)
        ) {
            let parts: Vec<_> = ranges
                .iter()
                .map(|(first, more)| format!("{first}-{}", first + more))
                .collect();
            let union: CpuSet = ranges
                .iter()
                .flat_map(|(first, more)| *first..=first + more)
                .collect();
            prop_assert_eq!(parse_cpulist(&parts.join(",")), Some(union));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "([0-9]{0,2}[-, x]?){0,6}") {
            let _ = parse_cpulist(&text);
        }
    }
}
