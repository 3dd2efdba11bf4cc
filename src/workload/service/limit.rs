//! How many requests at a time a host is sent by the tasks of one process.

use std::collections::HashMap;

use crate::http::UrlHost;
use crate::process::Interrupt;
use crate::sync::{Condvar, Mutex};

/// A door for each host, which lets so many in.
#[derive(Debug, Default)]
pub struct PerHostLimit {
    /// `None`: as many as there are.
    most: Option<u32>,
    inside: Mutex<HashMap<UrlHost, u32>>,
    left: Condvar,
}

/// The right to ask a host, until it is dropped.
pub struct Permit<'a> {
    limit: &'a PerHostLimit,
    host: Option<&'a UrlHost>,
}

impl PerHostLimit {
    /// At most so many at a time of a host; `None`: as many as there are.
    pub fn new(most: Option<u32>) -> Self {
        Self { most, ..Self::default() }
    }

    /// Waits until there is room; `None` when the interrupt was set. Who is
    /// inside is ended by the interrupt and leaves, which wakes who waits.
    pub fn enter<'a>(&'a self, host: &'a UrlHost, interrupt: &Interrupt) -> Option<Permit<'a>> {
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
            // A list may name thousands of hosts.
            if *count == 0 {
                inside.remove(host);
            }
        }
        drop(inside);
        self.limit.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_nobody_asks_is_not_kept_in_mind() {
        let limit = PerHostLimit::new(Some(2));
        let (host, interrupt) = (UrlHost::Name("h".to_owned()), Interrupt::unbound().unwrap());
        let permits = [limit.enter(&host, &interrupt), limit.enter(&host, &interrupt)];
        assert_eq!(limit.inside.lock().get(&host), Some(&2));
        drop(permits);
        assert!(limit.inside.lock().is_empty());
    }
}
