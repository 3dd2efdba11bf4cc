//! What the process was handed: whether standard output was open at all.
//!
//! Rust's runtime opens /dev/null in the place of a closed standard
//! descriptor, so that a report to a closed stdout would vanish without a
//! word. The question has to be asked before the runtime starts, which the
//! loader's list of initialisers allows.

use std::sync::atomic::{AtomicBool, Ordering};

static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether descriptor 1 was open when the process started. Where the platform
/// offers no way to know, it is taken to be open.
#[must_use]
pub fn stdout_was_open() -> bool {
    !STDOUT_WAS_CLOSED.load(Ordering::Relaxed)
}

#[cfg(target_os = "linux")]
#[used]
#[expect(unsafe_code, reason = "no other way to run before the runtime")]
// SAFETY: the loader calls each entry of this section once, as a C function
// without arguments that it looks at, before main.
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "std cannot ask about a bare descriptor")]
extern "C" fn look() {
    // SAFETY: F_GETFD only reads the flags of a descriptor, open or not.
    let closed = unsafe { libc::fcntl(1, libc::F_GETFD) } == -1;
    STDOUT_WAS_CLOSED.store(closed, Ordering::Relaxed);
}
