//! A new directory for one job, gone when the job is over: `--wd ...`.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::temporary::{self, Kind};

/// The directory, and with it all that is in it, as long as this lives.
pub(super) struct OwnFolder(PathBuf);

impl OwnFolder {
    /// A new one in `folder`, which nobody else can look into. Nobody can have
    /// made it before, either: its name cannot be guessed.
    pub(super) fn new_in(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        temporary::sweep(folder);
        let path = folder.join(temporary::fresh_name("parsim", Kind::Folder));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &PathBuf {
        &self.0
    }
}

impl Drop for OwnFolder {
    fn drop(&mut self) {
        // The job may have removed it, and what it left running may still write.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_another_for_its_owner_alone_and_goes_with_what_is_in_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let around = tempfile::tempdir().unwrap();
        let [one, other] = [(); 2].map(|()| OwnFolder::new_in(around.path()).unwrap());
        assert_ne!(one.path(), other.path());
        assert_eq!(fs::metadata(one.path()).unwrap().permissions().mode() & 0o777, 0o700);
        fs::create_dir_all(one.path().join("in/it")).unwrap();
        drop((one, other));
        assert_eq!(fs::read_dir(around.path()).unwrap().count(), 0);
    }
}
