//! One sentence that says what held the speed-up back, with the number it
//! rests on.
//!
//! Rules in order of how much they explain; the first that fits speaks. Each
//! rests on what the records and the machine's counters say, never on what the
//! workload is known to do.

mod bounds;
mod losses;
mod outside;
mod view;
mod workers;

use self::view::View;
use super::{Comparison, Study, Verdict};

/// What a rule says, if it applies.
type Rule = fn(&View<'_>) -> Option<String>;

/// The causes that are told by evidence of their own, the plainest first; where
/// none fits, the largest loss of the slots' time speaks.
const RULES: &[Rule] = &[
    bounds::one_task,
    bounds::more_than_the_slots,
    outside::quota,
    outside::swapping,
    outside::other_load,
    outside::disk,
    bounds::waiting,
    bounds::too_few_tasks,
    bounds::threads_of_their_own,
    bounds::near_the_ideal,
];

/// What the study says about its widest parallel column, as one sentence, and in
/// another one how processes compare with threads; `None` when there is nothing to
/// compare.
#[must_use]
pub fn explain(study: &Study) -> Option<String> {
    let sentences = [held_back(study), workers::beside_threads(study)];
    let said: Vec<String> = sentences.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// What held the widest parallel column back.
fn held_back(study: &Study) -> Option<String> {
    let serial = study.serial()?;
    let parallel = study.widest()?;
    let comparison = Comparison::of(study, parallel)?;
    if parallel.width == 1 {
        return Some("One task at a time against one at a time: there was nothing to gain.".to_owned());
    }
    let view = View::new(study, serial, parallel, comparison.speedup);
    match comparison.verdict {
        Verdict::Unclaimed(_) => return None,
        // That more was to be had is sure all the same.
        Verdict::NoDifference(interval) if interval.high >= view::NEAR_ENOUGH * view.possible => return None,
        Verdict::NoDifference(_) | Verdict::Different(_) | Verdict::Untested { .. } => {}
    }
    Some(RULES.iter().find_map(|rule| rule(&view)).unwrap_or_else(|| losses::largest(&view)))
}

#[cfg(test)]
mod tests;
