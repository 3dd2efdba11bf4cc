//! This side: files that go, and those that come back.
//!
//! What is read and written has the names that this side gives it, whatever the other says.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::{FileRules, PortableTemplate};
use super::{FileAnswer, FileNumber, FileQuestion, FileStamp, PIECE, files_in, place_within};
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

    fn begin(&self, which: (u64, usize), path: &Path, stamp: FileStamp) -> FileAnswer {
        if stamp.is_at(path) {
            return FileAnswer::Same;
        }
        match WholeFile::create_with_folders(path) {
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
    // What is no file might never end, or never begin.
    let kind = std::fs::metadata(path)?;
    if kind.is_dir() {
        return Ok(FileAnswer::Folder(files_in(path)?));
    }
    if !kind.is_file() {
        return Err(io::Error::other("neither a file nor a folder"));
    }
    let file = File::open(path)?;
    let stamp = FileStamp::of(&file.metadata()?);
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
