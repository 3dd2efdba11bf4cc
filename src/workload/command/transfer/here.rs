//! The other side, beside the job: fetches what the job needs, sends back what it made, and
//! removes both where that was asked for.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::FileRules;
use super::{
    FileAnswer, FileNumber, FileQuestion, FileStamp, Opened, PIECE, PathBytes, created, name_there, opened,
    place_within, refuse_others_links,
};
use crate::sync::Mutex;
use crate::template::{Numbers, Quoting, Template};
use crate::text::reason;
use crate::whole_file::WholeFile;
use crate::workload::Consultant;

/// What all jobs of this machine have, once it is there.
#[derive(Default)]
pub(in super::super) struct BaseFiles(Mutex<Option<Vec<PathBuf>>>);

/// The files of one job.
pub(in super::super) struct HostFiles<'a> {
    rules: &'a FileRules,
    consultant: Consultant<'a>,
    values: &'a [Vec<u8>],
    numbers: &'a Numbers,
    /// Where the job runs.
    directory: Option<PathBuf>,
    /// What is to be removed.
    mine: Vec<PathBuf>,
}

/// What became of a file, or of a folder.
enum Passed {
    /// It is there now.
    Whole(PathBuf),
    /// It was there: it is the very same.
    Same,
    /// It is not, for this reason.
    Not(String),
    /// It is a folder with these files.
    Folder(Vec<PathBytes>),
}

impl<'a> HostFiles<'a> {
    pub(in super::super) fn new(
        rules: &'a FileRules,
        consultant: Consultant<'a>,
        values: &'a [Vec<u8>],
        numbers: &'a Numbers,
        directory: Option<PathBuf>,
    ) -> Self {
        Self { rules, consultant, values, numbers, directory, mine: Vec::new() }
    }

    /// Has everything sent that the job needs. What cannot be comes back, as words for a
    /// person: the job runs all the same, as it does under GNU parallel.
    ///
    /// # Errors
    /// When nobody is there any more to send it.
    pub(in super::super) fn bring(&mut self, base: &BaseFiles) -> io::Result<Vec<String>> {
        let mut complaints = Vec::new();
        let mut brought = base.0.lock();
        if brought.is_none() {
            let mut there = Vec::new();
            for (number, path) in self.rules.base.iter().enumerate() {
                let path = self.place(name_there(path)).into_owned();
                let taken = self.receive(FileNumber::Base(number), &path, &mut there)?;
                complaints.extend(taken.err());
            }
            *brought = Some(there);
        }
        drop(brought);
        for number in 0..self.rules.sent.len() {
            let path = self.named(&self.rules.sent[number]);
            let mut mine = std::mem::take(&mut self.mine);
            let taken = self.receive(FileNumber::Sent(number), &path, &mut mine);
            self.mine = mine;
            complaints.extend(taken?.err());
        }
        Ok(complaints)
    }

    /// Sends back what the job made. What cannot be comes back as words for a person.
    ///
    /// # Errors
    /// When nobody is there any more to take it.
    pub(in super::super) fn take_back(&mut self) -> io::Result<Vec<String>> {
        let mut complaints = Vec::new();
        for number in 0..self.rules.fetched.len() {
            let path = self.named(&self.rules.fetched[number]);
            let mut mine = std::mem::take(&mut self.mine);
            let sent = self.send(number, &path, &mut mine);
            self.mine = mine;
            complaints.extend(sent?.err());
        }
        Ok(complaints)
    }

    /// Removes what was passed, where that was asked for, and the folders that are empty
    /// without it.
    pub(in super::super) fn remove(self) {
        if self.rules.removed {
            let directory = self.directory.as_deref().unwrap_or(Path::new(""));
            self.mine.iter().for_each(|path| remove(path, directory));
        }
    }

    fn place<'p>(&self, path: &'p Path) -> Cow<'p, Path> {
        match &self.directory {
            Some(directory) => Cow::Owned(directory.join(path)),
            None => Cow::Borrowed(path),
        }
    }

    fn named(&self, template: &Template) -> PathBuf {
        let mut name = Vec::new();
        template.render(self.values, self.numbers, Quoting::None, &mut name);
        self.place(name_there(&name)).into_owned()
    }

    fn ask(&self, question: &FileQuestion) -> io::Result<FileAnswer> {
        let gone = || io::Error::other("nobody is there any more to pass files");
        let answer = self.consultant.ask(serde_json::to_value(question)?).ok_or_else(gone)?;
        serde_json::from_value(answer).map_err(io::Error::other)
    }

    /// Has a file sent, or all files of a folder; those that are there now are added to `mine`.
    /// Why one is not comes back within.
    fn receive(
        &self,
        file: FileNumber,
        path: &Path,
        mine: &mut Vec<PathBuf>,
    ) -> io::Result<Result<(), String>> {
        let names = match self.receive_one(file, None, path)? {
            Passed::Folder(names) => names,
            passed => return Ok(noted(passed, mine)),
        };
        if let Err(error) = refuse_others_links(path).and_then(|()| fs::create_dir_all(path)) {
            return Ok(Err(format!("{}: {}", path.display(), reason(&error))));
        }
        for within in names {
            let Some(place) = place_within(path, Some(&within)) else { continue };
            let taken = noted(self.receive_one(file, Some(&within), &place)?, mine);
            if taken.is_err() {
                return Ok(taken);
            }
        }
        Ok(Ok(()))
    }

    /// The same of one file.
    fn receive_one(&self, file: FileNumber, within: Option<&PathBytes>, path: &Path) -> io::Result<Passed> {
        let mut written: Option<(WholeFile, u64)> = None;
        let mut inode = None;
        loop {
            let from = written.as_ref().map_or(0, |(_, length)| *length);
            let question = FileQuestion::Piece { file, within: within.cloned(), from };
            let (stamp, bytes, is_last) = match self.ask(&question)? {
                FileAnswer::Piece { stamp, bytes, is_last } => (stamp, bytes, is_last),
                FileAnswer::Folder(names) if within.is_none() => return Ok(Passed::Folder(names)),
                FileAnswer::No(why) => return Ok(Passed::Not(why)),
                FileAnswer::Folder(_) | FileAnswer::Yes | FileAnswer::Same => {
                    return Err(io::Error::other("an answer to something else"));
                }
            };
            if *inode.get_or_insert(stamp.inode) != stamp.inode {
                // Half of the one and half of the other would be neither.
                return Ok(Passed::Not(format!("{}: replaced by another while it was sent", path.display())));
            }
            if written.is_none() && stamp.is_at(path) {
                return Ok(Passed::Same);
            }
            let bytes = STANDARD.decode(bytes).map_err(io::Error::other)?;
            match put(written, path, &bytes, stamp, is_last) {
                Ok(None) => return Ok(Passed::Whole(path.to_owned())),
                Ok(more) => written = more,
                Err(error) => return Ok(Passed::Not(format!("{}: {}", path.display(), reason(&error)))),
            }
        }
    }

    /// Sends back a file, or all files of a folder; those that went are added to `mine`. Why
    /// one did not comes back within.
    fn send(&self, fetched: usize, path: &Path, mine: &mut Vec<PathBuf>) -> io::Result<Result<(), String>> {
        let names = match self.send_one(fetched, None, path)? {
            Passed::Folder(names) => names,
            passed => return Ok(noted(passed, mine)),
        };
        for within in names {
            let Some(place) = place_within(path, Some(&within)) else { continue };
            let sent = noted(self.send_one(fetched, Some(within), &place)?, mine);
            if sent.is_err() {
                return Ok(sent);
            }
        }
        Ok(Ok(()))
    }

    /// The same of one file.
    fn send_one(&self, fetched: usize, within: Option<PathBytes>, path: &Path) -> io::Result<Passed> {
        let not = |error: &io::Error| Passed::Not(format!("{}: {}", path.display(), reason(error)));
        let (file, stamp) = match opened(path) {
            Ok(Opened::File(file, stamp)) => (file, stamp),
            Ok(Opened::Folder(names)) => return Ok(Passed::Folder(names)),
            Err(error) => return Ok(not(&error)),
        };
        match self.ask(&FileQuestion::Offer { fetched, within, stamp })? {
            FileAnswer::Same => return Ok(Passed::Same),
            FileAnswer::No(why) => return Ok(Passed::Not(why)),
            FileAnswer::Yes | FileAnswer::Piece { .. } | FileAnswer::Folder(_) => {}
        }
        let mut bytes = vec![0; PIECE];
        let mut from = 0;
        loop {
            let length = match file.read_at(&mut bytes, from) {
                Ok(length) => length,
                Err(error) => return Ok(not(&error)),
            };
            // A read of nothing is the end, whatever the length was before.
            let is_last = length == 0;
            let bytes = STANDARD.encode(&bytes[..length]);
            match self.ask(&FileQuestion::Take { fetched, from, bytes, is_last })? {
                FileAnswer::No(why) => return Ok(Passed::Not(format!("{}: {why}", path.display()))),
                _ if is_last => return Ok(Passed::Whole(path.to_owned())),
                _ => from += length as u64,
            }
        }
    }
}

/// Takes note of a file that was passed.
fn noted(passed: Passed, mine: &mut Vec<PathBuf>) -> Result<(), String> {
    match passed {
        Passed::Whole(path) => mine.push(path),
        Passed::Same => {}
        Passed::Not(why) => return Err(why),
        Passed::Folder(_) => return Err("a folder where a file was".to_owned()),
    }
    Ok(())
}

/// Writes `bytes` behind those that are `written`; `None` when the file is whole.
fn put(
    written: Option<(WholeFile, u64)>,
    path: &Path,
    bytes: &[u8],
    stamp: FileStamp,
    is_last: bool,
) -> io::Result<Option<(WholeFile, u64)>> {
    let (file, length) = match written {
        Some(written) => written,
        None => (created(path)?, 0),
    };
    file.write_all_at(bytes, length)?;
    if is_last {
        file.take_after(stamp.mode, stamp.modified)?;
        file.commit()?;
        return Ok(None);
    }
    Ok(Some((file, length + bytes.len() as u64)))
}

impl BaseFiles {
    /// Removes them, at the end.
    pub(in super::super) fn remove(&self) {
        for path in self.0.lock().take().into_iter().flatten() {
            remove(&path, Path::new(""));
        }
    }
}

/// Removes a file, and the folders above it that are empty then, up to `directory`.
fn remove(path: &Path, directory: &Path) {
    // Another job may have removed it.
    let _ = fs::remove_file(path);
    for folder in path.ancestors().skip(1) {
        let is_within = folder != directory && folder.starts_with(directory) && folder != Path::new("");
        if !is_within || fs::remove_dir(folder).is_err() {
            break;
        }
    }
}
