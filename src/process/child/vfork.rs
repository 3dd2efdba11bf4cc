//! Starting a process on Linux as `vfork` does, but on a stack of its own:
//! `clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD)`.
//!
//! Until it executes the program the child shares this process's memory, and
//! the thread that started it waits. Hence the rules: every signal is blocked
//! around it; the child makes bare system calls and nothing else, undoes signal
//! handlers before it unblocks signals, and reports an error through memory.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use super::command::StartError;
use super::job::Job;
use super::pipes::{Given, Theirs};
use super::reap;
use super::spawn::Child;
use crate::process::limits::descriptors_of_children;
use crate::process::signal::errno;

/// The child's stack, used by one child at a time.
pub(super) struct Stack {
    memory: Box<[MaybeUninit<u8>]>,
}

impl Stack {
    pub(super) fn new() -> Self {
        // Far more than a dozen system calls need; untouched pages cost nothing.
        Self { memory: Box::new_uninit_slice(64 * 1024) }
    }

    /// Its upper end, from which it grows down. `clone` aligns it.
    fn top(&mut self) -> *mut c_void {
        self.memory.as_mut_ptr_range().end.cast()
    }
}

/// Everything the child needs, ready to be handed to the kernel.
struct Recipe {
    program: *const c_char,
    argv: *const *const c_char,
    environment: *const *const c_char,
    /// Null to stay.
    directory: *const c_char,
    nice: Option<c_int>,
    /// The limit of descriptors; null to keep this process's.
    descriptors: *const libc::rlimit,
    /// What becomes 0, 1 and 2; -1 keeps the one that is there.
    standard: [c_int; 3],
    /// Signals whose handlers are undone, as bit `signal - 1`.
    undone: u64,
    /// 0 or the error number, and whether `chdir` had it.
    failure: AtomicI32,
    failed_to_enter: AtomicI32,
}

/// Starts `job` with the descriptors `theirs`; signals that have handlers here are `caught`.
pub(super) fn spawn(
    stack: &mut Stack,
    caught: u64,
    job: &Job<'_>,
    theirs: &Theirs<'_>,
) -> Result<Child, StartError> {
    let command = job.command;
    let directory =
        command.directory.as_ref().map(|path| CString::new(path.as_os_str().as_bytes())).transpose();
    let directory = directory.map_err(|error| StartError::Directory(error.into()))?;
    let mut argv = Vec::with_capacity(job.argv.len() + 2);
    argv.extend(job.argv.c_strings().map(CStr::as_ptr));
    if argv.is_empty() {
        argv.push(command.program.as_ptr());
    }
    argv.push(ptr::null());
    let mut environment = Vec::with_capacity(command.environment.len() + job.variables.len() + 1);
    environment.extend(command.environment.c_strings().chain(job.variables.c_strings()).map(CStr::as_ptr));
    environment.push(ptr::null());
    let recipe = Recipe {
        program: command.program.as_ptr(),
        argv: argv.as_ptr(),
        environment: environment.as_ptr(),
        directory: directory.as_ref().map_or(ptr::null(), |path| path.as_ptr()),
        nice: command.nice,
        descriptors: descriptors_of_children().map_or(ptr::null(), ptr::from_ref),
        standard: theirs.each_ref().map(number),
        // Rust ignores PIPE, which a program does not expect.
        undone: caught | 1 << (libc::SIGPIPE - 1),
        failure: AtomicI32::new(0),
        failed_to_enter: AtomicI32::new(0),
    };
    let child = clone(stack, &recipe).map_err(StartError::Resources)?;
    let failure = recipe.failure.load(Ordering::Relaxed);
    if failure == 0 {
        return Ok(child);
    }
    // Its status says nothing more.
    let _ = reap::reap(child.pid);
    let error = io::Error::from_raw_os_error(failure);
    if recipe.failed_to_enter.load(Ordering::Relaxed) != 0 {
        return Err(StartError::Directory(error));
    }
    Err(StartError::from_exec(error))
}

/// The descriptor to be copied; -1 if it is simply inherited.
fn number(given: &Given<'_>) -> c_int {
    match given {
        Given::Inherited => -1,
        Given::Lent(file) => file.as_raw_fd(),
        Given::Owned(file) => file.as_raw_fd(),
    }
}

#[expect(unsafe_code, reason = "std has no cheap way to start a process")]
fn clone(stack: &mut Stack, recipe: &Recipe) -> io::Result<Child> {
    const FLAGS: c_int = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD | libc::SIGCHLD;
    let all = u64::MAX;
    let mut before = 0_u64;
    let mut end: c_int = -1;
    // SAFETY: the masks are of the size that is named, the kernel's own. The
    // stack is not in use: a child is done with it when `clone` returns, for
    // CLONE_VFORK holds this thread until it has executed or ended. For the same
    // reason `recipe`, what it points to and `end` outlive the child's use of
    // them. `child` keeps to what is allowed while memory is shared.
    let (pid, error) = unsafe {
        set_mask(&raw const all, &raw mut before);
        let argument = ptr::from_ref(recipe).cast_mut().cast::<c_void>();
        let pid = libc::clone(child, stack.top(), FLAGS, argument, &raw mut end);
        let error = io::Error::last_os_error();
        set_mask(&raw const before, ptr::null_mut());
        (pid, error)
    };
    if pid == -1 {
        return Err(error);
    }
    // SAFETY: the kernel has just made this descriptor for us (closed on exec);
    // that it knows CLONE_PIDFD was found out before.
    Ok(Child { pid, end: unsafe { OwnedFd::from_raw_fd(end) }, writers: [None, None] })
}

/// Sets this thread's signal mask, past the C library, which would leave out two.
///
/// # Safety
/// `new` points to a mask, `old` to room for one or is null.
#[expect(unsafe_code, reason = "a bare system call")]
unsafe fn set_mask(new: *const u64, old: *mut u64) {
    // SAFETY: the caller's promise; the size is a mask's.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, new, old, size_of::<u64>()) };
}

/// What the child does: it makes itself the job, or says why it cannot.
extern "C" fn child(argument: *mut c_void) -> c_int {
    let recipe = argument.cast::<Recipe>().cast_const();
    #[expect(unsafe_code, reason = "the argument comes through C")]
    // SAFETY: `clone` passed a recipe that lives until this child executes or
    // ends. From here on there are bare system calls only: nothing allocates,
    // locks or panics.
    unsafe {
        let recipe = &*recipe;
        let error = become_job(recipe);
        recipe.failure.store(error, Ordering::Relaxed);
        libc::syscall(libc::SYS_exit_group, 127);
    }
    127
}

/// Executes the recipe. Returns only with an error's number.
///
/// # Safety
/// Runs in a child with all signals blocked; the recipe's pointers are valid.
#[expect(unsafe_code, reason = "bare system calls")]
unsafe fn become_job(recipe: &Recipe) -> c_int {
    /// As the kernel has it: handler (0 is the default), flags, restorer, mask.
    static DEFAULT: [u64; 4] = [0; 4];
    const NOTHING: *const c_void = ptr::null();
    // SAFETY: system calls on our own descriptors, on the child's own signal
    // dispositions and mask (CLONE_SIGHAND is not set), and on pointers that the
    // caller vouches for. A failed call sets the waiting thread's errno.
    unsafe {
        let mut undone = recipe.undone;
        while undone != 0 {
            let signal = c_long::from(undone.trailing_zeros()) + 1;
            undone &= undone.wrapping_sub(1);
            libc::syscall(libc::SYS_rt_sigaction, signal, &raw const DEFAULT, NOTHING, size_of::<u64>());
        }
        if libc::syscall(libc::SYS_setpgid, 0, 0) == -1 {
            return *errno();
        }
        for (number, file) in recipe.standard.iter().enumerate() {
            // Never the number itself: that is passed on as inherited.
            if *file >= 0 && libc::syscall(libc::SYS_dup3, *file, number, 0) == -1 {
                return *errno();
            }
        }
        if !recipe.descriptors.is_null() {
            let nothing = ptr::null_mut::<libc::rlimit>();
            libc::syscall(libc::SYS_prlimit64, 0, libc::RLIMIT_NOFILE, recipe.descriptors, nothing);
        }
        if let Some(nice) = recipe.nice {
            // As with nice(1), what is not granted is no reason not to run.
            libc::syscall(libc::SYS_setpriority, libc::PRIO_PROCESS, 0, nice);
        }
        if !recipe.directory.is_null() && libc::syscall(libc::SYS_chdir, recipe.directory) == -1 {
            recipe.failed_to_enter.store(1, Ordering::Relaxed);
            return *errno();
        }
        let none = 0_u64;
        set_mask(&raw const none, ptr::null_mut());
        libc::syscall(libc::SYS_execve, recipe.program, recipe.argv, recipe.environment);
        *errno()
    }
}
