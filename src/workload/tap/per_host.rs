//! How many tasks may ask the same host at a time.

use crate::sync::{Condvar, Mutex};
use std::collections::HashMap;

use crate::http::Host;
use crate::process::Interrupt;

/// A door for each host, which lets so many in.
#[derive(Debug, Default)]
pub(super) struct PerHostLimit {
    /// `None`: as many as there are.
    most: Option<u32>,
    inside: Mutex<HashMap<Host, u32>>,
    left: Condvar,
}

/// The right to ask a host, until it is dropped.
pub(super) struct Permit<'a> {
    limit: &'a PerHostLimit,
    host: Option<&'a Host>,
}

impl PerHostLimit {
    pub(super) fn new(most: Option<u32>) -> Self {
        Self { most, ..Self::default() }
    }

    /// Waits until there is room; `None` when the interrupt was set. Who is
    /// inside is ended by the interrupt and leaves, which wakes who waits.
    pub(super) fn enter<'a>(&'a self, host: &'a Host, interrupt: &Interrupt) -> Option<Permit<'a>> {
        let Some(most) = self.most else { return Some(Permit { limit: self, host: None }) };
        let mut inside = self.inside.lock();
        loop {
            if interrupt.is_set() {
                return None;
            }
            let count = inside.entry(host.clone()).or_default();
            if *count < most {
                *count += 1;
                return Some(Permit { limit: self, host: Some(host) });
            }
            inside = self.left.wait(inside);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some(host) = self.host else { return };
        let mut inside = self.limit.inside.lock();
        if let Some(count) = inside.get_mut(host) {
            *count -= 1;
        }
        drop(inside);
        self.limit.left.notify_all();
    }
}
