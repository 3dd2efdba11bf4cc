//! From the answer to a request for the availability to a verdict. Asks nobody.

use crate::http::{Fetched, Response, RetryAfter};
use crate::task::{ErrorClass, Finding, SelfReport, ServiceVerdict, Warning};
use crate::vo::{self, Availability, Moment, Oddity};
use crate::workload::service::{
    Attempt, class_of, fail, in_words, is_success, kept_by_proxy, one_line, read, short, status_line,
};

/// Clocks differ by so many seconds without anybody being wrong.
const CLOCK_SKEW: i64 = 300;

/// So many characters of notes are kept.
const MOST_NOTES: usize = 16 << 10;

/// Judges what asking for the availability came to in `attempt`.
pub(super) fn judge(fetched: &Fetched, attempt: &mut Attempt<'_>) {
    attempt.note_travel(fetched);
    let (now, limit) = (attempt.now, attempt.limit());
    let finding = &mut attempt.finding;
    let answer = match &fetched.answer {
        Ok(answer) => answer,
        Err(error) => return fail(finding, class_of(error), &in_words(error, limit)),
    };
    finding.status = Some(answer.status);
    if let Some(why) = kept_by_proxy(fetched) {
        return fail(finding, ErrorClass::Proxy, &why);
    }
    if !is_success(answer) {
        return unsuccessful(answer, now, limit, finding);
    }
    match read(answer, limit, vo::read_availability) {
        Ok(availability) => {
            if !answer.media_type.as_deref().is_some_and(is_xml) {
                finding.warn(Warning::ContentType);
            }
            said(&availability, now, finding);
        }
        Err((class, why)) => fail(finding, class, &why),
    }
}

fn unsuccessful(answer: &Response, now: i64, limit: &str, finding: &mut Finding) {
    // A document that says "down" is believed whatever the status.
    if let Ok(availability) = read(answer, limit, vo::read_availability)
        && !availability.available
    {
        finding.warn(Warning::HttpStatus);
        return said(&availability, now, finding);
    }
    let mut reason = status_line(answer);
    match answer.retry_after {
        Some(RetryAfter::In(time)) => {
            reason += &format!(", asks to come back in {}", crate::numbers::duration(time));
        }
        Some(RetryAfter::At(_)) => reason += ", names a date to come back",
        None => {}
    }
    fail(finding, ErrorClass::Http, &reason);
}

/// What an availability document says.
fn said(availability: &Availability, now: i64, finding: &mut Finding) {
    finding.verdict = if availability.available { ServiceVerdict::Up } else { ServiceVerdict::Down };
    for oddity in &availability.oddities {
        finding.warn(match oddity {
            Oddity::Namespace => Warning::Namespace,
            Oddity::NonSchemaBoolean => Warning::NonschemaBoolean,
            Oddity::Repeated => Warning::Repeated,
        });
    }
    let text =
        |moment: &Option<Moment>| moment.as_ref().map(|moment| one_line(&moment.text).into_boxed_str());
    let mut says = SelfReport {
        available: availability.available,
        up_since: text(&availability.up_since),
        up_since_seconds: availability.up_since.as_ref().and_then(|since| since.seconds),
        down_at: text(&availability.down_at),
        back_at: text(&availability.back_at),
        ..SelfReport::default()
    };
    if let Some(since) = &availability.up_since {
        match since.seconds {
            None => finding.warn(Warning::BadUpsince),
            Some(seconds) if seconds > now.saturating_add(CLOCK_SKEW) => finding.warn(Warning::FutureUpsince),
            Some(_) => {}
        }
    }
    announced(availability, now, finding);
    let mut kept = 0;
    for note in &availability.notes {
        let note = one_line(note);
        kept += note.len();
        if kept > MOST_NOTES && !says.notes.is_empty() {
            says.more_notes += 1;
            continue;
        }
        says.notes.push(note.chars().take(MOST_NOTES).collect());
    }
    if !availability.available && finding.reason.is_empty() {
        let note = says.notes.first().map_or_else(String::new, |note| format!(": {note}"));
        let back = says.back_at.as_ref().map_or_else(String::new, |back| format!(", back at {back}"));
        finding.reason = short(&format!("it says that it is not available{back}{note}")).into();
    }
    finding.says = Some(Box::new(says));
}

/// Maintenance that an available service announces.
fn announced(availability: &Availability, now: i64, finding: &mut Finding) {
    let seconds = |moment: &Option<Moment>| moment.as_ref().map(|moment| moment.seconds);
    let (down, back) = (seconds(&availability.down_at), seconds(&availability.back_at));
    if down == Some(None) {
        finding.warn(Warning::BadDownat);
    }
    if back == Some(None) {
        finding.warn(Warning::BadBackat);
    }
    if !availability.available {
        return;
    }
    match (down.flatten(), back.flatten()) {
        (Some(down), _) if down > now => finding.warn(Warning::Maintenance),
        // Announced for now, and up all the same: it may go any moment.
        (Some(_), Some(back)) if back > now => finding.warn(Warning::Maintenance),
        (Some(_), None) => finding.warn(Warning::StaleDownat),
        (Some(_), Some(_)) | (None, _) => {}
    }
}

fn is_xml(media_type: &str) -> bool {
    matches!(media_type, "text/xml" | "application/xml") || media_type.ends_with("+xml")
}
