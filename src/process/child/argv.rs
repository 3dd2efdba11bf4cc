//! Arguments and environments made of other ones.

use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use crate::byte_list::ByteList;

/// This process's environment, except the variables that each job gets its own
/// value of: the block that all jobs share.
#[must_use]
pub fn inherited_environment<N: AsRef<OsStr>>(without: &[N]) -> ByteList {
    let mut list = ByteList::new();
    for (name, value) in std::env::vars_os() {
        if !without.iter().any(|other| name == other.as_ref()) {
            // The system knows none with a NUL.
            let _ = list.push_variable(name, value);
        }
    }
    list
}

/// The arguments with which a shell runs `program`, a text without an interpreter
/// line, with the arguments `argv`: what to do after
/// [`StartError::NoInterpreter`](super::StartError::NoInterpreter). `shell` is its
/// name and what comes before a text's; without any it is /bin/sh.
#[must_use]
pub fn through_shell(argv: &ByteList, shell: &[OsString], program: &CStr) -> ByteList {
    let shell = match shell {
        [] => [b"/bin/sh".as_slice()].into_iter().collect(),
        words => words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>(),
    };
    shell.into_iter().chain([program.to_bytes()]).chain(argv.iter().skip(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_runs_through_a_shell_with_its_own_arguments() {
        let words = ByteList::from_words(["tool", "x", "y"]).unwrap();
        let through = |shell: &[OsString]| through_shell(&words, shell, c"/opt/tool");
        assert_eq!(through(&[]), ByteList::from_words(["/bin/sh", "/opt/tool", "x", "y"]).unwrap());
        let busybox = ["/bin/busybox", "sh"].map(OsString::from);
        let expected = ByteList::from_words(["/bin/busybox", "sh", "/opt/tool", "x", "y"]);
        assert_eq!(through(&busybox), expected.unwrap());
    }
}
