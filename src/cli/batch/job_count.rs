//! How many jobs there are, where the command line alone says it: without
//! reading anything, for a bar.

use crate::cli::flags::{Flag, Typed};
use crate::inputs::{Joined, Origin};

/// The number of jobs, where each combination of the values typed is one.
pub(super) fn total(typed: &Typed) -> Option<u64> {
    let input = &typed.input;
    let changes_the_number = [
        Flag::Link,
        Flag::Multiple,
        Flag::Pipe,
        Flag::PipePart,
        Flag::Resume,
        Flag::ResumeFailed,
        Flag::RetryFailed,
        Flag::SkipBlank,
        Flag::SkipFirstLine,
        Flag::WithContext,
        Flag::Xargs,
    ];
    let is_packed = [input.max_args, input.max_replace_args, input.max_lines, input.lines];
    if changes_the_number.iter().any(|&flag| typed.flags.has(flag))
        || is_packed.iter().any(Option::is_some)
        || input.header.is_some()
        || input.delimiter.is_some()
        || input.end_mark.is_some()
        || typed.sources.is_empty()
    {
        return None;
    }
    typed.sources.iter().try_fold(1_u64, |total, source| match (&source.origin, source.joined) {
        (Origin::Values(values), Joined::Product)
            if !values.is_empty() && !values.iter().any(|value| value.contains(&b'\n')) =>
        {
            total.checked_mul(values.len() as u64)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags::{self, Scope};

    #[test]
    fn only_combinations_of_typed_values_are_counted() {
        let total = |line: &str| {
            let words: Vec<_> = line.split_whitespace().map(Into::into).collect();
            total(&flags::parse(&words, Scope::ONE_WAY).unwrap())
        };
        assert_eq!(total("echo ::: a b c"), Some(3));
        assert_eq!(total("-k echo ::: a b c ::: 1 2"), Some(6));
        for line in ["echo", "echo :::: list", "echo ::: a b :::+ 1 2", "-n2 echo ::: a b", "-X echo ::: a b"]
        {
            assert_eq!(total(line), None, "{line}");
        }
    }
}
