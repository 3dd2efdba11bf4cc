//! When jobs start, are tried again and given up: from options to a [`Policy`].

use std::num::NonZeroU64;
use std::time::Duration;

use crate::cli::exit::Fault;
use crate::cli::flags::{self, Timeout, Typed};
use crate::policy::{Policy, Retry};
use crate::process::child::TermSequence;

/// What the options say of the batch as a whole.
pub(super) fn policy(typed: &Typed) -> Policy {
    let run = &typed.run;
    // `--retries 0` is without end.
    let tries = run.retries.map_or(Some(NonZeroU64::MIN), NonZeroU64::new);
    Policy {
        halt: run.halt,
        retry: Retry {
            tries,
            wait: run.retry_delay.unwrap_or_default(),
            backoff: run.backoff.unwrap_or(1.0).max(1.0),
        },
        delay: run.delay,
        load: run.load,
        // Running jobs are not stopped for lack of memory; others wait all the same.
        memory: run.memfree.max(run.memsuspend),
        spares_swap: typed.flags.has(flags::Flag::NoSwap),
        max_time: run.max_time,
    }
}

/// How long a job may last.
pub(super) fn timeout(typed: &Typed) -> Option<Duration> {
    match typed.run.timeout {
        Some(Timeout::After(time)) => Some(time),
        // This one grows out of the jobs.
        Some(Timeout::Percent(_)) | None => None,
    }
}

/// How jobs that have to go are ended.
pub(super) fn term_sequence(typed: &Typed) -> Result<TermSequence, Fault> {
    use flags::TermStep::{Signal, Wait};
    let Some(asked) = &typed.run.term_seq else { return Ok(TermSequence::default()) };
    let steps: Vec<String> = asked
        .iter()
        .map(|step| match step {
            Signal(name) => name.clone(),
            Wait(wait) => wait.as_millis().to_string(),
        })
        .collect();
    let text = steps.join(",");
    text.parse().map_err(|error| Fault::Usage(format!("--term-seq {text}: {error}")))
}
