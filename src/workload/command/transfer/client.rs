//! This side: files that go, and those that come back.
//!
//! What is read and written has the names that this side gives it, whatever the other says.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::{FileRules, PortableTemplate};
use super::{FileAnswer, FileNumber, FileQuestion, FileStamp, Opened, PIECE, created, opened, place_within};
use crate::sync::Mutex;
use crate::template::{Numbers, Quoting};
use crate::text::reason;
use crate::whole_file::WholeFile;

/// Files that are on their way back, by job and number.
#[derive(Default)]
pub(in super::super) struct FilesComing(Mutex<BTreeMap<(u64, usize), Coming>>);

struct Coming {
    file: WholeFile,
    stamp: FileStamp,
    length: u64,
}

impl FilesComing {
    /// Answers what a job on another machine asks about files; `None` where that is no such
    /// question.
    pub(in super::super) fn answer(
        &self,
        rules: &FileRules,
        seq: u64,
        values: &[Vec<u8>],
        numbers: &Numbers,
        question: Value,
    ) -> Option<Value> {
        let named = |template: &PortableTemplate| {
            let mut name = Vec::new();
            template.render(values, numbers, Quoting::None, &mut name);
            PathBuf::from(OsString::from_vec(name))
        };
        let nothing = || Some(FileAnswer::No("no such file was named".to_owned()));
        let answer = match serde_json::from_value(question).ok()? {
            FileQuestion::Piece { file, within, from } => {
                let path = match file {
                    FileNumber::Base(number) => {
                        rules.base.get(number).map(|path| PathBuf::from(OsString::from_vec(path.clone())))
                    }
                    FileNumber::Sent(number) => rules.sent.get(number).map(named),
                };
                let path = path.and_then(|path| place_within(&path, within.as_ref()));
                path.map(|path| piece(&path, from).unwrap_or_else(|error| no(&path, &error))).or_else(nothing)
            }
            FileQuestion::Offer { fetched, within, stamp } => {
                let path = rules.fetched.get(fetched).map(named);
                let path = path.and_then(|path| place_within(&path, within.as_ref()));
                path.map(|path| self.begin((seq, fetched), &path, stamp)).or_else(nothing)
            }
            FileQuestion::Take { fetched, from, bytes, is_last } => {
                Some(self.take((seq, fetched), from, &bytes, is_last))
            }
        };
        serde_json::to_value(answer?).ok()
    }

    /// What a job has not sent to its end will not come.
    pub(in super::super) fn forget(&self, seq: u64) {
        let mut all = self.0.lock();
        while let Some((&which, _)) = all.range((seq, 0)..=(seq, usize::MAX)).next() {
            all.remove(&which);
        }
    }

    fn begin(&self, which: (u64, usize), path: &Path, stamp: FileStamp) -> FileAnswer {
        if stamp.is_at(path) {
            return FileAnswer::Same;
        }
        match created(path) {
            Ok(file) => {
                self.0.lock().insert(which, Coming { file, stamp, length: 0 });
                FileAnswer::Yes
            }
            Err(error) => no(path, &error),
        }
    }

    fn take(&self, which: (u64, usize), from: u64, bytes: &str, is_last: bool) -> FileAnswer {
        let mut all = self.0.lock();
        let Some(mut coming) = all.remove(&which).filter(|coming| coming.length == from) else {
            return FileAnswer::No("it was not to come".to_owned());
        };
        let Ok(bytes) = STANDARD.decode(bytes) else {
            return FileAnswer::No("it is garbled".to_owned());
        };
        let written = coming.file.write_all_at(&bytes, from).and_then(|()| {
            coming.length += bytes.len() as u64;
            if is_last {
                coming.file.take_after(coming.stamp.mode, coming.stamp.modified)?;
                return coming.file.commit();
            }
            all.insert(which, coming);
            Ok(())
        });
        match written {
            Ok(()) => FileAnswer::Yes,
            Err(error) => FileAnswer::No(format!("cannot be written: {}", reason(&error))),
        }
    }
}

fn no(path: &Path, error: &io::Error) -> FileAnswer {
    FileAnswer::No(format!("{}: {}", path.display(), reason(error)))
}

fn piece(path: &Path, from: u64) -> io::Result<FileAnswer> {
    let (file, stamp) = match opened(path)? {
        Opened::File(file, stamp) => (file, stamp),
        Opened::Folder(names) => return Ok(FileAnswer::Folder(names)),
    };
    let mut bytes = vec![0; PIECE];
    let mut length = 0;
    while length < PIECE {
        match file.read_at(&mut bytes[length..], from + length as u64)? {
            0 => break,
            more => length += more,
        }
    }
    let is_last = length < PIECE || from + length as u64 >= stamp.length;
    Ok(FileAnswer::Piece { stamp, bytes: STANDARD.encode(&bytes[..length]), is_last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_job_has_not_sent_to_its_end_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = FileStamp { inode: 0, length: 9, changed: (0, 0), modified: (0, 0), mode: 0o600 };
        let coming = FilesComing::default();
        for which in [(1, 0), (1, 1), (2, 0)] {
            let path = folder.path().join(format!("{which:?}"));
            assert!(matches!(coming.begin(which, &path, stamp), FileAnswer::Yes));
        }
        let n_files = || std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(n_files(), 3);
        coming.forget(1);
        assert_eq!(n_files(), 1);
        assert!(matches!(coming.take((1, 0), 0, "", true), FileAnswer::No(_)));
        assert!(matches!(coming.take((2, 0), 0, "eA==", true), FileAnswer::Yes));
        assert_eq!(std::fs::read(folder.path().join("(2, 0)")).unwrap(), b"x");
    }
}
