//! The worker for machines where no parsim runs: a text in python3, which is sent there and
//! needs nothing but that.
//!
//! It speaks this protocol and runs commands alone, as far as its files say. It cannot read
//! templates: it asks for [lines](super::protocol::WorkerHost::takes_lines). Knows nothing of
//! how it gets there.

/// All of it, in one piece.
pub(super) const PROGRAM: &str = concat!(
    include_str!("python3/guard.py"),
    include_str!("python3/files.py"),
    include_str!("python3/spawn.py"),
    include_str!("python3/job.py"),
    include_str!("python3/batch.py"),
    include_str!("python3/worker.py"),
);

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::{MetadataExt as _, symlink};
    use std::process::Command;

    use super::super::protocol::{BEAT, PROTOCOL};
    use super::*;

    /// Says what its words make of `others_link`: a path, and whom to trust.
    const LINKS: &str = concat!(
        include_str!("python3/guard.py"),
        include_str!("python3/files.py"),
        "print(others_link(os.fsencode(sys.argv[1]), [int(sys.argv[2])]))",
    );

    #[test]
    fn no_file_goes_where_somebody_elses_link_leads() {
        let around = tempfile::tempdir().unwrap();
        let path = |name: &str| around.path().join(name);
        std::fs::create_dir_all(path("disk/in")).unwrap();
        symlink("disk", path("link")).unwrap();
        let owner = path("link").symlink_metadata().unwrap().uid();
        let found = |name: &str, trusted: u32| {
            let mut python3 = Command::new("python3");
            python3.args(["-ISc", LINKS]).arg(path(name)).arg(trusted.to_string());
            String::from_utf8(python3.output().unwrap().stdout).unwrap()
        };
        let is_new = "import sys; sys.exit(sys.version_info < (3, 6))";
        if !Command::new("python3").args(["-c", is_new]).status().is_ok_and(|status| status.success()) {
            writeln!(crate::process::stderr(), "not tested: there is no python3 (3.6 or newer)").unwrap();
            return;
        }
        let link = format!("b'{}'\n", path("link").display());
        for name in ["link/x", "link/in/x", "link/new/x"] {
            assert_eq!(found(name, owner), "None\n", "{name}");
            assert_eq!(found(name, owner + 1), link, "{name}");
        }
        // The link itself is replaced, and leads nowhere any more.
        assert_eq!(found("link", owner + 1), "None\n");
    }

    #[test]
    fn it_speaks_this_protocol_and_nothing_but_ascii() {
        assert!(PROGRAM.contains(&format!("PROTOCOL = \"{PROTOCOL}\"\n")));
        assert!(PROGRAM.contains(&format!("BEAT = {:.1}\n", BEAT.as_secs_f64())));
        // Whatever python3 takes for the encoding of a text that it is handed.
        assert!(PROGRAM.is_ascii());
    }
}
