//! What a process waits for, as far as Linux's /proc shows it from outside: each of its
//! threads and of those of its children, by the system call that it is in.
//!
//! Does not know how often this is asked. Elsewhere there is nothing to be seen.

use std::fs;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// So many threads of a job are looked at; of one that has more it is as good as known.
const MOST_THREADS: usize = 64;

/// What somebody waits for who does not compute. What says more about a job comes first:
/// where its threads wait for several things, that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Awaited {
    /// To be continued: a signal stopped it.
    Continuing,
    /// The disk: writes are to reach it, or reads come from there.
    Disk,
    /// A lock on a file, or a semaphore.
    Lock,
    /// Somebody at the other end of a connection.
    Network,
    /// Whoever takes the job's output.
    Output,
    /// Another program, at the other end of a pipe.
    Pipe,
    /// The clock: it sleeps.
    Clock,
    /// Another thread, or a lock in shared memory.
    Thread,
}

/// One thread of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ThreadSight {
    pub(super) id: i32,
    /// Whether it has a core, or is ready to.
    pub(super) is_ready: bool,
    pub(super) awaits: Option<Awaited>,
    /// How long it had a core, and how long it was ready and had none.
    pub(super) ran_and_waited: Option<[Duration; 2]>,
}

/// The threads of `leader` and of its descendants.
pub(super) fn threads_of(leader: i32) -> Vec<ThreadSight> {
    let mut processes = vec![leader];
    let mut threads = Vec::new();
    while let Some(process) = processes.pop() {
        let Ok(entries) = fs::read_dir(format!("/proc/{process}/task")) else { continue };
        let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        for id in ids {
            if threads.len() == MOST_THREADS {
                return threads;
            }
            let folder = format!("/proc/{process}/task/{id}");
            let children = fs::read_to_string(format!("{folder}/children")).unwrap_or_default();
            processes.extend(children.split_whitespace().filter_map(|id| id.parse::<i32>().ok()));
            threads.extend(sight(leader, process, id, &folder));
        }
    }
    threads
}

/// The thread `id` of `process` as it is now; `None` when it is over.
fn sight(leader: i32, process: i32, id: i32, folder: &str) -> Option<ThreadSight> {
    // A command may be called anything, in any bytes: its state follows the last bracket.
    let stat = fs::read(format!("{folder}/stat")).ok()?;
    let behind = stat.iter().rposition(|&byte| byte == b')')?;
    let state = *stat.get(behind + 2)?;
    let awaits = match state {
        b'Z' | b'X' => return None,
        b'T' | b't' => Some(Awaited::Continuing),
        b'R' => None,
        _ => {
            let call = fs::read_to_string(format!("{folder}/syscall")).unwrap_or_default();
            SystemCall::parse(&call).map_or_else(
                || (state == b'D').then_some(Awaited::Disk),
                |call| call.awaits(state == b'D', &|fd| Opened::of(leader, process, fd)),
            )
        }
    };
    let ran_and_waited = schedstat(folder);
    Some(ThreadSight { id, is_ready: state == b'R', awaits, ran_and_waited })
}

/// How long a thread had a core, and how long it was ready and waited for one.
pub(super) fn schedstat(folder: &str) -> Option<[Duration; 2]> {
    let text = fs::read_to_string(format!("{folder}/schedstat")).ok()?;
    let mut numbers = text.split_whitespace().map_while(|number| number.parse().ok());
    let mut next = || numbers.next().map(Duration::from_nanos);
    Some([next()?, next()?])
}

/// The system call that a thread is in: `7 0x3 0x0 ...`, with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SystemCall {
    number: libc::c_long,
    arguments: [u64; 2],
}

/// What a descriptor of a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opened {
    Socket,
    /// Where the job's own output goes.
    Output,
    Pipe,
    File,
}

impl Opened {
    /// Descriptor `fd` of `process`; the first socket that it has, where none is named.
    fn of(leader: i32, process: i32, fd: Option<u64>) -> Option<Self> {
        let link = |process: i32, fd: &str| {
            fs::read_link(format!("/proc/{process}/fd/{fd}")).ok()?.to_str().map(str::to_owned)
        };
        let Some(fd) = fd else {
            let names = fs::read_dir(format!("/proc/{process}/fd")).ok()?.flatten();
            let mut links = names.filter_map(|name| link(process, name.file_name().to_str()?));
            return links.any(|to| to.starts_with("socket:")).then_some(Self::Socket);
        };
        let to = link(process, &fd.to_string())?;
        let is_output = |fd: &str| link(leader, fd).is_some_and(|its| its == to);
        Some(if to.starts_with("socket:") {
            Self::Socket
        } else if !to.starts_with("pipe:") {
            Self::File
        } else if is_output("1") || is_output("2") {
            Self::Output
        } else {
            Self::Pipe
        })
    }
}

impl SystemCall {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let number = words.next()?.parse().ok().filter(|&number| number >= 0)?;
        let mut argument = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
        Some(Self { number, arguments: [argument()?, argument()?] })
    }

    /// What it waits for: `opened` tells what a descriptor is.
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    fn awaits(
        self,
        is_uninterruptible: bool,
        opened: &dyn Fn(Option<u64>) -> Option<Opened>,
    ) -> Option<Awaited> {
        let Self { number, arguments: [first, second] } = self;
        let on_disk = is_uninterruptible.then_some(Awaited::Disk);
        match number {
            libc::SYS_flock | libc::SYS_semop | libc::SYS_semtimedop => Some(Awaited::Lock),
            libc::SYS_fcntl if LOCKING.contains(&second) => Some(Awaited::Lock),
            libc::SYS_futex => Some(Awaited::Thread),
            libc::SYS_nanosleep | libc::SYS_clock_nanosleep => Some(Awaited::Clock),
            libc::SYS_fsync
            | libc::SYS_fdatasync
            | libc::SYS_sync
            | libc::SYS_syncfs
            | libc::SYS_msync
            | libc::SYS_sync_file_range => Some(Awaited::Disk),
            libc::SYS_connect
            | libc::SYS_accept
            | libc::SYS_accept4
            | libc::SYS_recvfrom
            | libc::SYS_recvmsg
            | libc::SYS_sendto
            | libc::SYS_sendmsg => Some(Awaited::Network),
            libc::SYS_read | libc::SYS_readv => match opened(Some(first))? {
                Opened::Socket => Some(Awaited::Network),
                Opened::Pipe | Opened::Output => Some(Awaited::Pipe),
                Opened::File => on_disk,
            },
            libc::SYS_write | libc::SYS_writev => match opened(Some(first))? {
                Opened::Socket => Some(Awaited::Network),
                Opened::Output => Some(Awaited::Output),
                Opened::Pipe => Some(Awaited::Pipe),
                Opened::File => on_disk,
            },
            // A FIFO's other end is not there yet, where it is not the disk.
            libc::SYS_openat => on_disk.or(Some(Awaited::Pipe)),
            libc::SYS_wait4 | libc::SYS_waitid | libc::SYS_clone | libc::SYS_clone3 => None,
            number if number == libc::SYS_ppoll || EVENT_CALLS.contains(&number) => match opened(None) {
                Some(Opened::Socket) => Some(Awaited::Network),
                _ => Some(Awaited::Clock),
            },
            number if OLD_CALLS.contains(&number) => None,
            _ => on_disk,
        }
    }

    /// Nobody knows the numbers here.
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    fn awaits(self, is_uninterruptible: bool, _: &dyn Fn(Option<u64>) -> Option<Opened>) -> Option<Awaited> {
        is_uninterruptible.then_some(Awaited::Disk)
    }
}

/// `F_SETLKW` and `F_OFD_SETLKW`, which wait for a lock.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
const LOCKING: [u64; 2] = [7, 38];

/// Calls that wait for any of several descriptors, or for a time.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const EVENT_CALLS: &[libc::c_long] = &[
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_pselect6,
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
];

/// Calls that wait for any of several descriptors, or for a time.
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
const EVENT_CALLS: &[libc::c_long] = &[libc::SYS_pselect6, libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2];

/// Calls in which a process waits for one that it has just started.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const OLD_CALLS: &[libc::c_long] = &[libc::SYS_vfork, libc::SYS_fork];

/// Calls in which a process waits for one that it has just started.
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
const OLD_CALLS: &[libc::c_long] = &[];

#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;

    #[test]
    fn a_system_call_says_what_is_waited_for() {
        let awaits = |number: libc::c_long, second: u64, opened: Option<Opened>, is_uninterruptible: bool| {
            let text = format!("{number} 0x3 {second:#x} 0x0 0x0 0x0 0x0 0x7ffe 0x7fb6\n");
            SystemCall::parse(&text).unwrap().awaits(is_uninterruptible, &|_| opened)
        };
        let of = |number, opened| awaits(number, 0, opened, false);
        assert_eq!(of(libc::SYS_flock, None), Some(Awaited::Lock));
        assert_eq!(awaits(libc::SYS_fcntl, 7, None, false), Some(Awaited::Lock));
        assert_eq!(awaits(libc::SYS_fcntl, 1, None, false), None);
        assert_eq!(of(libc::SYS_clock_nanosleep, None), Some(Awaited::Clock));
        assert_eq!(of(libc::SYS_ppoll, None), Some(Awaited::Clock));
        assert_eq!(of(libc::SYS_ppoll, Some(Opened::Socket)), Some(Awaited::Network));
        assert_eq!(of(libc::SYS_read, Some(Opened::Socket)), Some(Awaited::Network));
        assert_eq!(of(libc::SYS_read, Some(Opened::Pipe)), Some(Awaited::Pipe));
        assert_eq!(of(libc::SYS_write, Some(Opened::Output)), Some(Awaited::Output));
        assert_eq!(of(libc::SYS_write, Some(Opened::File)), None);
        assert_eq!(awaits(libc::SYS_write, 0, Some(Opened::File), true), Some(Awaited::Disk));
        assert_eq!(of(libc::SYS_fsync, None), Some(Awaited::Disk));
        // Who waits for a child is not what the job waits for.
        assert_eq!(awaits(libc::SYS_wait4, 0, None, true), None);
        assert_eq!(SystemCall::parse("running\n"), None);
        assert_eq!(SystemCall::parse("-1 0x7ffe 0x7fb6\n"), None);
    }

    #[test]
    fn the_threads_of_a_process_are_seen_and_the_one_that_looks_is_ready() {
        let own = std::process::id().cast_signed();
        let threads = threads_of(own);
        assert!(threads.iter().any(|thread| thread.is_ready), "{threads:?}");
        assert!(threads.len() <= MOST_THREADS);
        assert_eq!(threads_of(i32::MAX), []);
    }
}
