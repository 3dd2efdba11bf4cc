//! The steps of a kill sequence: which signal, and how long to wait for it to
//! work.
//!
//! Does not know whom it is sent to.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::process::signal;

/// Signals to be sent one after the other until nobody is left, written as GNU
/// parallel does: `TERM,200,TERM,100,TERM,50,KILL,25`, which is the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermSequence {
    /// Each signal, and how long the next waits for it.
    steps: Vec<(i32, Duration)>,
}

impl TermSequence {
    /// Sends each signal and waits so long for it. Whatever the steps are,
    /// those who survive them all are sent KILL.
    #[must_use]
    pub fn new(steps: Vec<(i32, Duration)>) -> Self {
        Self { steps }
    }

    /// How long all of it takes.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.steps.iter().map(|(_, wait)| *wait).sum()
    }

    pub(super) fn step(&self, index: usize) -> Option<(i32, Duration)> {
        self.steps.get(index).copied()
    }
}

impl Default for TermSequence {
    fn default() -> Self {
        let step = |signal, millis| (signal, Duration::from_millis(millis));
        Self::new(vec![
            step(libc::SIGTERM, 200),
            step(libc::SIGTERM, 100),
            step(libc::SIGTERM, 50),
            step(libc::SIGKILL, 25),
        ])
    }
}

impl FromStr for TermSequence {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',').map(str::trim);
        let mut steps = Vec::new();
        while let Some(name) = parts.next() {
            let signal = signal::number(name).ok_or_else(|| format!("{name:?} is no signal"))?;
            let millis = match parts.next() {
                None => 0,
                Some(text) => text.parse().map_err(|_| format!("{text:?} is no number of milliseconds"))?,
            };
            steps.push((signal, Duration::from_millis(millis)));
        }
        Ok(Self::new(steps))
    }
}

impl fmt::Display for TermSequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (number, wait)) in self.steps.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            match signal::name(*number) {
                Some(name) => write!(f, "{comma}{name},{}", wait.as_millis())?,
                None => write!(f, "{comma}{number},{}", wait.as_millis())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_gnu_parallels_and_reads_back() {
        let text = "TERM,200,TERM,100,TERM,50,KILL,25";
        assert_eq!(TermSequence::default().to_string(), text);
        assert_eq!(text.parse(), Ok(TermSequence::default()));
    }

    #[test]
    fn a_last_signal_needs_no_time_and_nonsense_is_named() {
        assert_eq!("INT,1000,9".parse::<TermSequence>().unwrap().to_string(), "INT,1000,KILL,0");
        assert_eq!("TERM,x".parse::<TermSequence>().unwrap_err(), "\"x\" is no number of milliseconds");
        assert_eq!("".parse::<TermSequence>().unwrap_err(), "\"\" is no signal");
    }
}
