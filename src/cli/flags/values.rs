//! What values of options mean: durations, sizes, policies, escapes.
//!
//! Pure text to data. Every complaint is a phrase that follows the option's name
//! and value.

use std::str::FromStr;
use std::time::Duration;

use regex::bytes::{Captures, Regex};

use crate::engine::{self, EngineRow};
use crate::numbers::{decimal, read_duration};
use crate::policy::{Amount, Delay, Halt, HaltWhen, HaltWhy, Load};
use crate::process::child::TermSequence;

impl Halt {
    /// `Ok(None)` is `never`.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, String> {
        use HaltWhen::{Now, Soon};
        use HaltWhy::{Done, Fail, Success};
        let text = match text {
            "never" | "0" => return Ok(None),
            // The old forms.
            "1" => "soon,fail=1",
            "2" => "now,fail=1",
            "-1" => "soon,success=1",
            "-2" => "now,success=1",
            text => text,
        };
        if let Some(percent) = text.strip_suffix('%').and_then(decimal) {
            return Ok(Some(Self { when: Soon, why: Fail, amount: Amount::Percent(percent) }));
        }
        let parts = || {
            let (when, rest) = text.split_once(',')?;
            let (why, amount) = rest.split_once('=')?;
            let amount = match amount.strip_suffix('%') {
                Some(percent) => Amount::Percent(decimal(percent)?),
                None => Amount::Count(whole(amount)?),
            };
            let when = named(when, &[("now", Now), ("soon", Soon)])?;
            let why = named(why, &[("fail", Fail), ("success", Success), ("done", Done)])?;
            Some(Self { when, why, amount })
        };
        let form = "expected never, or e.g. now,fail=1 or soon,done=50%";
        parts().map(Some).ok_or_else(|| form.to_owned())
    }
}

/// How long a job may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Timeout {
    /// This long.
    After(Duration),
    /// This share of the median of those that have finished, in percent.
    Percent(f64),
}

impl Timeout {
    /// `Ok(None)` is no limit.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, String> {
        let timeout = match text.strip_suffix('%') {
            Some(percent) => Self::Percent(decimal(percent).ok_or("not a percentage")?),
            None => Self::After(read_duration(text)?),
        };
        let none = timeout == Self::After(Duration::ZERO) || timeout == Self::Percent(0.0);
        Ok((!none).then_some(timeout))
    }
}

impl Delay {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (pause, adapts) = text.strip_suffix("auto").map_or((text, false), |pause| (pause, true));
        let pause = if adapts && pause.is_empty() { Duration::ZERO } else { read_duration(pause)? };
        Ok(Self { pause, adapts })
    }
}

impl Load {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let load = match text.strip_suffix('%') {
            Some(percent) => decimal(percent).map(Self::Percent),
            None => decimal(text).map(|load| Self::Average(if load == 0.0 { 0.01 } else { load })),
        };
        load.ok_or_else(|| "expected a load such as 4 or 80%".to_owned())
    }
}

/// `TERM,200,TERM,100,TERM,50,KILL,25`: a signal, milliseconds, and so on.
pub(super) fn term_sequence(text: &str) -> Result<TermSequence, String> {
    let is_part = |(at, part): (usize, &str)| match at % 2 {
        0 => !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        _ => part.parse::<u64>().is_ok(),
    };
    if text.split(',').enumerate().all(is_part) {
        return text.parse();
    }
    Err("expected signals and milliseconds, such as TERM,200,KILL,25".to_owned())
}

/// When something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// When it makes sense.
    Auto,
    /// In any case.
    Always,
    /// Not at all.
    Never,
}

impl When {
    pub(super) const ALL: [(&str, Self); 3] =
        [("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        named(text, &Self::ALL).ok_or_else(|| "expected auto, always or never".to_owned())
    }
}

/// Who does tasks side by side: an engine's name, or [`Workers::BOTH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workers(&'static str);

impl Default for Workers {
    fn default() -> Self {
        Self(engine::ROWS[0].name)
    }
}

impl Workers {
    /// Threads, then processes.
    pub(in crate::cli::flags) const BOTH: &str = "both";

    /// All that may be said, and what it means.
    pub(in crate::cli::flags) fn abouts() -> impl Iterator<Item = (&'static str, &'static str)> {
        let both = "First the one, then the other: what starting processes and passing data costs";
        engine::ROWS.iter().map(|row| (row.name, row.about)).chain([(Self::BOTH, both)])
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let names = || Self::names().collect::<Vec<_>>().join(", ");
        let known = Self::names().find(|name| *name == text);
        known.map(Self).ok_or_else(|| format!("expected one of {}", names()))
    }

    /// All that may be said.
    pub(in crate::cli::flags) fn names() -> impl Iterator<Item = &'static str> {
        Self::abouts().map(|(name, _)| name)
    }

    /// The engines, in the order of their columns.
    pub fn engines(self) -> impl Iterator<Item = &'static EngineRow> {
        let (rows, all) = if self.0 == Self::BOTH { (engine::BOTH, true) } else { (engine::ROWS, false) };
        rows.iter().filter(move |row| all || row.name == self.0)
    }

    /// Whether it is what is used when nothing is said.
    pub fn is_default(self) -> bool {
        self == Self::default()
    }
}

/// How long a batch system may let something run: `[D-]H:M:S`, `D-H`, or a time with its unit.
/// A number alone is minutes to Slurm and seconds to parsim, so it is neither.
pub(super) fn walltime(text: &str) -> Result<Duration, String> {
    let wrong = || "expected [days-]hours:minutes:seconds, or 90s, 30m, 1.5h".to_owned();
    let (days, clock) = match text.split_once('-') {
        Some((days, clock)) => (Some(days), clock),
        None => (None, text),
    };
    if days.is_none() && !clock.contains(':') {
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err(format!("give a unit: {text}m is minutes, {text}h hours"));
        }
        return read_duration(text).ok().filter(|time| !time.is_zero()).ok_or_else(wrong);
    }
    let parts: Vec<u64> = clock.split(':').map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
    let days: u64 = days.map_or(Ok(0), str::parse).map_err(|_| wrong())?;
    let seconds = match (text.contains('-'), &parts[..]) {
        (true, [hours]) => hours.checked_mul(3600),
        (true, [hours, minutes]) => {
            hours.checked_mul(60).and_then(|m| m.checked_add(*minutes)?.checked_mul(60))
        }
        (false, [minutes, seconds]) => minutes.checked_mul(60).and_then(|s| s.checked_add(*seconds)),
        (_, [hours, minutes, seconds]) => hours
            .checked_mul(60)
            .and_then(|m| m.checked_add(*minutes)?.checked_mul(60)?.checked_add(*seconds)),
        _ => None,
    };
    let seconds = seconds.and_then(|s| days.checked_mul(86_400)?.checked_add(s)).filter(|s| *s > 0);
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

/// A number with an optional unit: k, m, g, t, p are powers of 1000; K, M, G,
/// T, P and Ki, Mi, ... powers of 1024.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || "expected a size such as 500, 64k or 1.5G (k is 1000, K is 1024)".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number = decimal(&text[..digits]).ok_or_else(wrong)?;
    let mut unit = text[digits..].strip_suffix('B').unwrap_or(&text[digits..]).chars();
    let factor = match (unit.next(), unit.next(), unit.next()) {
        (None, ..) => 1.0,
        (Some(letter), binary @ (None | Some('i')), None) => {
            let power = "kmgtp".find(letter.to_ascii_lowercase()).ok_or_else(wrong)?;
            let base: f64 = if letter.is_ascii_uppercase() || binary.is_some() { 1024.0 } else { 1000.0 };
            (0..=power).fold(1.0, |product, _| product * base)
        }
        _ => return Err(wrong()),
    };
    let bytes = (number * factor).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no minus sign is read")]
    let whole = bytes as u64;
    // Above 2^53 a number of bytes is a mistake.
    if bytes < 9e15 { Ok(whole) } else { Err(wrong()) }
}

/// A whole number, with the units of [`size`].
pub(super) fn count(text: &str) -> Result<usize, String> {
    let number = if text.contains('.') { None } else { size(text).ok() };
    number.and_then(|n| usize::try_from(n).ok()).ok_or_else(|| "not a whole number".to_owned())
}

/// A number from 0, with an `x` or a per cent sign behind it or without.
pub(super) fn at_least_nothing(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix(['x', '%']).unwrap_or(text);
    decimal(number)
        .filter(|number| number.is_finite())
        .ok_or_else(|| "expected a number of at least 0".to_owned())
}

/// A number of digits alone.
pub(super) fn whole<N: FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// What is called `text`.
pub(super) fn named<T: Copy>(text: &str, all: &[(&str, T)]) -> Option<T> {
    all.iter().find(|(name, _)| *name == text).map(|(_, value)| *value)
}

/// The text of `--tagstring` without its escapes: GNU parallel's own, which are Perl's
/// as far as they go. They are resolved before replacement strings are looked for, so
/// that a backslash in a value stands for itself.
///
/// Replaces `\t`, `\n` and `\r`, then `\NNN` (octal), then `\N`; any other
/// backslash stands for itself, a doubled one included. A backslash that came of
/// `\134` escapes the digit behind it, as it does there.
pub(super) fn resolved(text: &[u8]) -> Vec<u8> {
    let each = |text: &[u8], escape: &str, replaced: fn(&[u8]) -> Vec<u8>| {
        let escape = Regex::new(escape).expect("these patterns are regular expressions");
        escape.replace_all(text, |found: &Captures<'_>| replaced(&found[1])).into_owned()
    };
    let named = each(text, r"\\([tnr])", |name| match name {
        b"t" => b"\t".to_vec(),
        b"n" => b"\n".to_vec(),
        _ => b"\r".to_vec(),
    });
    each(&each(&named, r"\\([0-9]{3})", digits), r"\\([0-9])", digits)
}

/// What digits behind a backslash stand for: as many of them as are octal are a
/// character's number, the others stand for themselves.
fn digits(digits: &[u8]) -> Vec<u8> {
    let octal = digits.iter().take_while(|digit| **digit < b'8').count();
    let (number, plain) = digits.split_at(octal);
    let value = number.iter().fold(0, |value, digit| value * 8 + u32::from(digit - b'0'));
    let character = match u8::try_from(value) {
        _ if number.is_empty() => Vec::new(),
        Ok(byte) => vec![byte],
        // Perl's characters go on where bytes end, and are written as UTF-8.
        Err(_) => char::from_u32(value).unwrap_or_default().to_string().into_bytes(),
    };
    [&character, plain].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halt_knows_old_and_new_forms() {
        let halt = |text: &str| Halt::parse(text).unwrap();
        let of = |when, why, amount| Some(Halt { when, why, amount });
        assert_eq!(halt("never"), None);
        assert_eq!(halt("0"), None);
        assert_eq!(halt("now,fail=1"), halt("2"));
        assert_eq!(halt("-1"), of(HaltWhen::Soon, HaltWhy::Success, Amount::Count(1)));
        assert_eq!(halt("50%"), of(HaltWhen::Soon, HaltWhy::Fail, Amount::Percent(50.0)));
        assert_eq!(halt("soon,done=20%"), of(HaltWhen::Soon, HaltWhy::Done, Amount::Percent(20.0)));
        for wrong in ["", "3", "foo", "now", "now,fail", "now,fail=x", "now,fail=1.5", "NOW,fail=1", "fail=1"]
        {
            assert!(Halt::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn small_units_are_powers_of_1000_and_large_ones_of_1024() {
        assert_eq!(size("1k"), Ok(1000));
        assert_eq!(size("1K"), Ok(1024));
        assert_eq!(size("1Ki"), Ok(1024));
        assert_eq!(size("1.5M"), Ok(1_572_864));
        assert_eq!(size("2g"), Ok(2_000_000_000));
        assert_eq!(size("64KB"), Ok(65536));
        for wrong in ["", "x", "1x", "-1", "1kk", "k", "1e3", "99999999P"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(count("1k"), Ok(1000));
        assert!(count("1.5").is_err());
    }

    #[test]
    fn a_limit_of_nothing_is_no_limit() {
        assert_eq!(Timeout::parse("0"), Ok(None));
        assert_eq!(Timeout::parse("200%"), Ok(Some(Timeout::Percent(200.0))));
        assert_eq!(Timeout::parse("0.02m"), Ok(Some(Timeout::After(Duration::from_millis(1200)))));
        assert_eq!(Delay::parse("0.5auto").map(|d| d.adapts), Ok(true));
        assert_eq!(Load::parse("0"), Ok(Load::Average(0.01)));
    }

    #[test]
    fn a_sequence_of_signals_has_waits_between() {
        assert_eq!(term_sequence("TERM,200,SIGKILL").unwrap().to_string(), "TERM,200,KILL,0");
        for wrong in ["TERM,x", "", "TERM,,KILL", "TERM, 200"] {
            assert!(term_sequence(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn named_characters_and_numbers_are_resolved() {
        assert_eq!(resolved(br"{1}\t{2}\r\n"), b"{1}\t{2}\r\n");
        assert_eq!(resolved(br"\101\0\1\12\377"), b"A\0\x01\x012\xff");
        assert_eq!(resolved(br"\400"), "\u{100}".as_bytes());
    }

    #[test]
    fn digits_that_are_not_octal_stand_for_themselves() {
        assert_eq!(resolved(br"\8\9\189\999\458"), b"89\x01899\x39\x39%8");
    }

    #[test]
    fn other_backslashes_stand_for_themselves() {
        assert_eq!(resolved(br"\x\\t\q\{}\"), b"\\x\\\t\\q\\{}\\");
        assert_eq!(resolved(br"\1345\134t"), b"\x05\\t");
    }
}
