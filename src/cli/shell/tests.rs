//! Shells found among processes, as a /proc of our own has them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use tempfile::TempDir;

use super::*;
use crate::process::ancestors::ancestors_in;

/// A machine with programs in one folder.
struct Machine {
    root: TempDir,
}

impl Machine {
    /// `bash`, `dash` (and `sh`, a link to it), `zsh`, `fish`, `busybox` (and `ash`),
    /// `python3`, `sudo`.
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("bin")).unwrap();
        fs::create_dir(root.path().join("proc")).unwrap();
        let machine = Self { root };
        for name in ["bash", "dash", "zsh", "fish", "busybox", "python3", "sudo", "ksh93"] {
            fs::write(machine.bin(name), name).unwrap();
            fs::set_permissions(machine.bin(name), Permissions::from_mode(0o755)).unwrap();
        }
        symlink("dash", machine.bin("sh")).unwrap();
        symlink("busybox", machine.bin("ash")).unwrap();
        machine
    }

    fn bin(&self, name: &str) -> PathBuf {
        self.root.path().join("bin").join(name)
    }

    /// Puts a process with these words before those that there are, the program of
    /// which everybody may know, and nobody if it is "".
    fn starts(&self, program: &str, words: &[&str], comm: &str) -> &Self {
        let before = fs::read_dir(self.root.path().join("proc")).unwrap().count();
        let folder = self.root.path().join("proc").join((before + 1).to_string());
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("stat"), format!("{} ({comm}) S {before} 0", before + 1)).unwrap();
        fs::write(folder.join("cmdline"), words.iter().map(|word| format!("{word}\0")).collect::<String>())
            .unwrap();
        fs::write(folder.join("comm"), format!("{comm}\n")).unwrap();
        if !program.is_empty() {
            symlink(self.bin(program), folder.join("exe")).unwrap();
        }
        self
    }

    /// The shell that the last process finds: its program's name, and its applet.
    fn finds(&self) -> Option<(String, Option<&'static str>)> {
        let last = fs::read_dir(self.root.path().join("proc")).unwrap().count();
        let proc = self.root.path().join("proc");
        let ancestors = ancestors_in(&proc, u32::try_from(last).unwrap());
        let chosen = nearest(ancestors, self.root.path().join("bin").as_os_str())?;
        let bin = self.root.path().join("bin");
        let name = chosen.program.strip_prefix(&bin).unwrap_or(&chosen.program).to_owned();
        Some((name.to_str().unwrap().to_owned(), chosen.applet))
    }
}

fn alone(name: &str) -> (String, Option<&'static str>) {
    (name.to_owned(), None)
}

#[test]
fn the_nearest_ancestor_that_is_a_shell_is_found_whatever_stands_between() {
    let machine = Machine::new();
    machine.starts("python3", &["python3", "bash"], "bash");
    assert_eq!(machine.finds(), None, "a name alone makes no shell");
    machine.starts("zsh", &["-zsh"], "zsh").starts("bash", &["/bin/bash", "./run.sh"], "run.sh");
    assert_eq!(machine.finds(), Some(alone("bash")));
    machine.starts("sudo", &["sudo", "timeout", "5", "make"], "sudo").starts("python3", &["make"], "make");
    assert_eq!(machine.finds(), Some(alone("bash")));
    machine.starts("ksh93", &["/bin/ksh", "x"], "ksh");
    assert_eq!(machine.finds(), Some(alone("ksh93")));
    machine.starts("fish", &["fish"], "fish");
    assert_eq!(machine.finds(), Some(alone("fish")));
}

#[test]
fn a_shell_goes_by_the_name_that_it_was_called_by() {
    let machine = Machine::new();
    for (words, name) in [
        (&["sh", "run.sh"][..], "sh"),
        (&["-sh"], "sh"),
        (&["dash"], "dash"),
        (&["nobody's business"], "dash"),
        // Not the one of that name here.
        (&["zsh"], "dash"),
    ] {
        machine.starts("dash", words, "x");
        assert_eq!(machine.finds(), Some(alone(name)), "{words:?}");
    }
    fs::rename(machine.bin("ksh93"), machine.bin("some-ksh")).unwrap();
    symlink("some-ksh", machine.bin("ksh")).unwrap();
    machine.starts("some-ksh", &["ksh", "run.sh"], "ksh");
    assert_eq!(machine.finds(), Some(alone("ksh")), "a link that tells what it is");
    let sh = machine.bin("sh");
    machine.starts("dash", &[sh.to_str().unwrap(), "-c", "x"], "sh");
    assert_eq!(machine.finds(), Some(alone("sh")));
}

#[test]
fn busybox_is_the_shell_that_it_was_called_for_and_its_other_programs_are_none() {
    let machine = Machine::new();
    machine.starts("bash", &["bash"], "bash").starts("busybox", &["busybox", "sh", "x"], "busybox");
    assert_eq!(machine.finds(), Some(("busybox".to_owned(), Some("sh"))));
    machine.starts("busybox", &["ash", "x"], "ash");
    assert_eq!(machine.finds(), Some(alone("ash")), "by its link");
    machine.starts("busybox", &["/no/such/sh", "x"], "sh");
    assert_eq!(machine.finds(), Some(("busybox".to_owned(), Some("sh"))));
    machine.starts("bash", &["bash"], "bash").starts("busybox", &["timeout", "sh"], "timeout");
    machine.starts("busybox", &["busybox", "timeout", "9"], "timeout");
    assert_eq!(machine.finds(), Some(alone("bash")));
}

#[test]
fn a_shell_whose_program_only_its_owner_may_know_is_found_by_its_name() {
    let machine = Machine::new();
    machine.starts("zsh", &["zsh"], "zsh");
    for (words, comm, name) in [
        (&["bash", "run.sh"][..], "bash", "bash"),
        (&["/no/such/bash", "./run.sh"], "run.sh", "bash"),
        (&["-dash"], "dash", "dash"),
        (&[], "fish", "fish"),
        (&["a b"], "ksh93", "ksh93"),
        // None of these: what was there before them.
        (&["sudo", "-u", "nobody", "bash"], "sudo", "ksh93"),
        (&["sshd: me"], "sshd", "ksh93"),
    ] {
        machine.starts("", words, comm);
        assert_eq!(machine.finds(), Some(alone(name)), "{words:?} {comm}");
    }
    let dash = machine.bin("dash");
    machine.starts("", &[dash.to_str().unwrap()], "x");
    assert_eq!(machine.finds(), Some(alone("dash")));
}

#[test]
fn a_shell_whose_file_was_replaced_is_found_and_one_that_is_gone_is_not() {
    let machine = Machine::new();
    machine.starts("bash (deleted)", &["bash"], "bash");
    assert_eq!(machine.finds(), Some(alone("bash")));
    machine.starts("../away/zsh", &["zsh"], "zsh");
    assert_eq!(machine.finds(), Some(alone("zsh")), "another of that name");
    fs::remove_file(machine.bin("zsh")).unwrap();
    assert_eq!(machine.finds(), None, "a further one did not write the line");
}

#[test]
fn what_runs_no_commands_is_no_shell() {
    let machine = Machine::new();
    let path = machine.root.path().join("bin").into_os_string();
    for name in NO_SHELLS {
        symlink("bash", machine.bin(name)).unwrap();
        assert_eq!(runs(machine.bin(name).as_os_str(), &path), Err("runs no commands".to_owned()));
    }
    symlink("false", machine.bin("odd")).unwrap();
    fs::remove_file(machine.bin("false")).unwrap();
    fs::rename(machine.bin("bash"), machine.bin("false")).unwrap();
    let runs = |name: &str| runs(OsStr::new(name), &path).map_err(|why| why.clone());
    assert_eq!(runs("odd"), Err("runs no commands".to_owned()));
    assert_eq!(runs("none"), Err("no such program".to_owned()));
    assert_eq!(runs(machine.root.path().to_str().unwrap()), Err("not executable".to_owned()));
    fs::set_permissions(machine.bin("zsh"), Permissions::from_mode(0o644)).unwrap();
    assert_eq!(runs(machine.bin("zsh").to_str().unwrap()), Err("not executable".to_owned()));
    assert_eq!(runs("dash"), Ok(machine.bin("dash")));
}

#[test]
fn a_name_tells_the_family_whatever_stands_around_it() {
    for (word, name) in [
        ("/usr/bin/bash", Some("bash")),
        ("-bash", Some("bash")),
        ("bash5", Some("bash5")),
        ("/bin/zsh-5.9", Some("zsh-5.9")),
        ("ksh93", Some("ksh93")),
        ("/bin/bsd-csh", Some("bsd-csh")),
        ("bashful", None),
        ("sshd", None),
        ("run.sh", None),
        ("", None),
        ("/", None),
    ] {
        assert_eq!(called(OsStr::new(word)).as_deref(), name, "{word}");
    }
    let dialect = |name: &str| Chosen::new(PathBuf::from(name), None).family.dialect;
    assert_eq!(dialect("/opt/fish"), Dialect::Fish);
    assert!(Chosen::new(PathBuf::from("/bin/zsh-5.9"), None).is("zsh"));
    assert_eq!([dialect("tcsh"), dialect("/bin/csh")], [Dialect::Csh; 2]);
    assert_eq!(dialect("/usr/local/bin/rc"), Dialect::Rc);
    assert_eq!(dialect("/opt/unheard-of"), Dialect::Posix);
    // A link by another name is what it leads to.
    let machine = Machine::new();
    symlink("fish", machine.bin("poisson")).unwrap();
    assert_eq!(dialect(machine.bin("poisson").to_str().unwrap()), Dialect::Fish);
}
