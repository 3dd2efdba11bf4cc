//! Which process made something, told in a name so that any later process can
//! look whether it is still there.
//!
//! On systems without Linux's /proc nothing can be looked up, and nobody is
//! taken for dead.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_64;

use super::is_hex;

/// Numbers that tell machines and the like apart are cut to so many bits.
const BITS: u64 = 0xff_ffff;

/// A process, as names have it: `PID-BBBBBBHHHHHHNNNNNN-START` with the boot, the
/// host, the namespace of the process's number, and when it started, in base 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) process: u32,
    /// The kernel since its start; 0 where it does not tell.
    pub(super) boot: u64,
    pub(super) host: u64,
    pub(super) namespace: u64,
    pub(super) start: u64,
}

/// What has become of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is there.
    Alive,
    /// It is not.
    Dead,
    /// It has its number in a namespace that is not ours, or nothing can be
    /// looked up.
    Unknown,
    /// It belongs to another machine.
    OfAnotherHost,
}

impl Owner {
    /// This process.
    pub(super) fn me() -> &'static Self {
        static ME: LazyLock<Owner> = LazyLock::new(look);
        &ME
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (process, place, start) = (parts.next()?, parts.next()?, parts.next()?);
        let is_sound = parts.next().is_none()
            && process.bytes().all(|byte| byte.is_ascii_digit())
            && place.len() == 18
            && is_hex(place)
            && is_hex(start);
        if !is_sound {
            return None;
        }
        let number = |at: usize| u64::from_str_radix(&place[at..at + 6], 16).ok();
        Some(Self {
            process: process.parse().ok()?,
            boot: number(0)?,
            host: number(6)?,
            namespace: number(12)?,
            start: u64::from_str_radix(start, 16).ok()?,
        })
    }

    /// What has become of it, as far as this process can tell.
    pub(super) fn standing(&self) -> Standing {
        self.standing_for(Self::me())
    }

    fn standing_for(&self, me: &Self) -> Standing {
        if self.boot == 0 || me.boot == 0 {
            return Standing::Unknown;
        }
        if self.boot != me.boot {
            return if self.host == me.host { Standing::Dead } else { Standing::OfAnotherHost };
        }
        if self.namespace != me.namespace {
            return Standing::Unknown;
        }
        match started(self.process) {
            Lookup::Started(start) if start == self.start => Standing::Alive,
            Lookup::Started(_) | Lookup::Gone => Standing::Dead,
            Lookup::Unknown => Standing::Unknown,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process, boot, host, namespace, start } = self;
        write!(f, "{process}-{boot:06x}{host:06x}{namespace:06x}-{start:x}")
    }
}

fn look() -> Owner {
    let process = std::process::id();
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let boot = text("/proc/sys/kernel/random/boot_id");
    let namespace = fs::metadata("/proc/self/ns/pid").map(|namespace| namespace.ino());
    let known = match (boot.as_str(), namespace, started(process)) {
        ("", ..) | (_, Err(_), _) | (_, _, Lookup::Gone | Lookup::Unknown) => None,
        (boot, Ok(namespace), Lookup::Started(start)) => Some((number(boot), namespace & BITS, start)),
    };
    let (boot, namespace, start) = known.unwrap_or_default();
    let host = number(&(text("/proc/sys/kernel/hostname") + &text("/etc/machine-id")));
    Owner { process, boot, host, namespace, start }
}

/// A number for `text` that is not 0.
fn number(text: &str) -> u64 {
    (xxh3_64(text.as_bytes()) & BITS).max(1)
}

enum Lookup {
    /// In ticks since the kernel's start.
    Started(u64),
    Gone,
    Unknown,
}

/// When `process` started. One that nobody has waited for yet is gone all the same.
fn started(process: u32) -> Lookup {
    let text = match fs::read(format!("/proc/{process}/stat")) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Lookup::Gone,
        Err(_) => return Lookup::Unknown,
    };
    // The name comes second, in parentheses, and may hold anything.
    let Some((_, fields)) = text.rsplit_once(") ") else { return Lookup::Unknown };
    let mut fields = fields.split(' ');
    match (fields.next(), fields.nth(18).and_then(|start| start.parse().ok())) {
        (Some("Z" | "X"), _) => Lookup::Gone,
        (_, Some(start)) => Lookup::Started(start),
        (_, None) => Lookup::Unknown,
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_alive_until_it_has_ended_and_its_number_is_no_other_process() {
        let me = *Owner::me();
        assert_eq!(me.standing(), Standing::Alive);
        assert_eq!(Owner { start: me.start + 1, ..me }.standing(), Standing::Dead);
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let Lookup::Started(start) = started(child.id()) else { panic!("no /proc") };
        let owner = Owner { process: child.id(), start, ..me };
        assert_eq!(owner.standing(), Standing::Alive);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(owner.standing(), Standing::Dead);
    }

    #[test]
    fn what_cannot_be_looked_up_is_nobody_that_is_dead() {
        let me = *Owner::me();
        for (owner, standing) in [
            (Owner { boot: me.boot ^ 1, ..me }, Standing::Dead),
            (Owner { boot: me.boot ^ 1, host: me.host ^ 1, ..me }, Standing::OfAnotherHost),
            (Owner { host: me.host ^ 1, ..me }, Standing::Alive),
            (Owner { namespace: me.namespace ^ 1, ..me }, Standing::Unknown),
            (Owner { boot: 0, ..me }, Standing::Unknown),
        ] {
            assert_eq!(owner.standing(), standing, "{owner}");
        }
        assert_eq!(me.standing_for(&Owner { boot: 0, ..me }), Standing::Unknown);
    }
}
