//! Parts of files: where each begins and ends, for jobs that read them there.
//!
//! Looks at a file around the places only where it is cut, so that neither the
//! file's length nor a part's takes memory. Does not know who reads the parts.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom};
use std::ops::Range;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::blocks::BlockSpec;
use super::error::InputError;
use super::separator::{RecordFinder, Scan, check_header, end_of_header, end_of_line};
use super::source::Header;
use super::stream::CHUNK;
use super::{Patience, Wait};

/// A file that can be read at any place.
#[derive(Debug)]
pub struct Seekable {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Seekable {
    /// Opens `path` and sees how long it is.
    ///
    /// # Errors
    /// What cannot be opened, or is neither a file nor a block device.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        // Looked at first, for to open a named pipe is to wait for who writes.
        let file = fs::metadata(path).and_then(|data| {
            if !data.is_file() && !data.file_type().is_block_device() {
                return Err(io::Error::other("it is no file to be cut; --pipe cuts streams"));
            }
            let mut file = File::open(path)?;
            // A block device does not tell its length otherwise.
            let length = file.seek(SeekFrom::End(0))?;
            Ok((file, length))
        });
        let (file, length) = file.map_err(|source| InputError::Open { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, length })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// How many bytes it had when it was opened.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends what stands at `from`, about `most` bytes; `false` when woken.
    fn read(
        &self,
        from: u64,
        most: usize,
        buffer: &mut Vec<u8>,
        patience: &mut dyn Patience,
    ) -> Result<bool, InputError> {
        let fault = |source| InputError::Read { path: self.path.clone(), source };
        if patience.wait(self.file.as_fd()).map_err(fault)? == Wait::Woken {
            return Ok(false);
        }
        let most = usize::try_from(self.length - from).map_or(most, |left| most.min(left));
        let filled = buffer.len();
        buffer.resize(filled + most, 0);
        self.file.read_exact_at(&mut buffer[filled..], from).map_err(fault)?;
        Ok(true)
    }
}

/// What one job reads: `head`, and then these bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePart {
    /// The file's header, or all there is to read if there are no bytes.
    pub head: Vec<u8>,
    /// Which file, from 0.
    pub file: usize,
    /// From where to where.
    pub bytes: Range<u64>,
}

/// The parts of one file after another.
pub struct FileParts {
    files: Arc<[Seekable]>,
    cut: RecordFinder,
    size: u64,
    remove_marks: bool,
    skip_first: bool,
    header: Option<Header>,
    /// Which file is being cut.
    file: usize,
    /// Its head, and where its next part begins; `None` before it is looked at.
    place: Option<(Vec<u8>, u64)>,
}

impl FileParts {
    /// Cuts `files` into parts of at least as many bytes as `spec` says, each up to
    /// the end of a record. Numbers of records and lines are none of its business.
    ///
    /// # Errors
    /// A regular expression that is none.
    pub fn new(spec: &BlockSpec, files: Arc<[Seekable]>) -> Result<Self, InputError> {
        check_header(spec.header.as_ref())?;
        Ok(Self {
            files,
            cut: RecordFinder::new(&spec.separator)?,
            size: spec.size.get() as u64,
            remove_marks: spec.remove_marks,
            skip_first: spec.skip_first,
            header: spec.header.clone(),
            file: 0,
            place: None,
        })
    }

    /// The next part; `None` when there is none, or when woken: then asking again
    /// goes on.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn next(&mut self, patience: &mut dyn Patience) -> Result<Option<FilePart>, InputError> {
        while let Some(file) = self.files.get(self.file) {
            let (head, from) = match self.place.take() {
                Some(place) => place,
                None => match self.head(file, patience)? {
                    Some(place) => place,
                    None => return Ok(None),
                },
            };
            if from == file.length {
                self.file += 1;
                continue;
            }
            let to = self.end(file, from, patience)?;
            let part = to.map(|to| FilePart { head: head.clone(), file: self.file, bytes: from..to });
            let part = match part {
                Some(part) if self.remove_marks => self.without_marks(part, patience)?,
                part => part,
            };
            let next = part.as_ref().and(to).unwrap_or(from);
            self.place = Some((head, next));
            return Ok(part);
        }
        Ok(None)
    }

    /// What is put before each part of `file`, and where the first one begins;
    /// `None` when woken.
    fn head(
        &self,
        file: &Seekable,
        patience: &mut dyn Patience,
    ) -> Result<Option<(Vec<u8>, u64)>, InputError> {
        let mut bytes = Vec::new();
        let mut skipped = 0_u64;
        let mut skips = self.skip_first;
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        loop {
            let read = skipped + bytes.len() as u64;
            let ended = read == file.length;
            if skips {
                let end = end_of_line(&bytes, 1);
                let passed = end.unwrap_or(bytes.len());
                bytes.drain(..passed);
                skipped += passed as u64;
                skips = end.is_none() && !ended;
            }
            if !skips {
                let length = match &self.header {
                    None => Some(0),
                    Some(header) => end_of_header(header, &bytes, size, ended)?,
                };
                if let Some(length) = length {
                    bytes.truncate(length);
                    return Ok(Some((bytes, skipped + length as u64)));
                }
            }
            if !file.read(read, CHUNK, &mut bytes, patience)? {
                return Ok(None);
            }
        }
    }

    /// Where the part of `file` ends that begins at `from`: with the first record
    /// to end after `size` bytes, as `find_split_positions` of GNU parallel has it.
    /// `None` when woken.
    fn end(
        &self,
        file: &Seekable,
        from: u64,
        patience: &mut dyn Patience,
    ) -> Result<Option<u64>, InputError> {
        let at = from.saturating_add(self.size);
        if at >= file.length {
            return Ok(Some(file.length));
        }
        // A mark that begins at `at` ends a record there: what is searched begins
        // one byte before it. Quotes are known only from the beginning.
        let (mut base, mut scan, least) = match &self.cut {
            RecordFinder::EachByte => return Ok(Some(at)),
            RecordFinder::Csv(_) => (from, Scan::default(), at + 1),
            RecordFinder::Bytes { .. } | RecordFinder::Regexp(_) => (at - 1, Scan::from(1), at),
        };
        let mut bytes = Vec::new();
        loop {
            let read = base + bytes.len() as u64;
            let more = read < file.length;
            while let Some(end) = self.cut.next(&mut scan, &bytes, more) {
                if base + end as u64 >= least {
                    return Ok(Some(base + end as u64));
                }
            }
            if !more {
                return Ok(Some(file.length));
            }
            let passed = scan.forget(bytes.len());
            bytes.drain(..passed);
            base += passed as u64;
            // A pattern is looked for from the beginning each time.
            if !file.read(read, CHUNK.max(bytes.len()), &mut bytes, patience)? {
                return Ok(None);
            }
        }
    }

    /// `part` with its bytes in its head, without the marks between records.
    fn without_marks(
        &self,
        part: FilePart,
        patience: &mut dyn Patience,
    ) -> Result<Option<FilePart>, InputError> {
        let FilePart { mut head, file, bytes: Range { start, end } } = part;
        let mut bytes = Vec::new();
        let length = usize::try_from(end - start).unwrap_or(usize::MAX);
        if !self.files[file].read(start, length, &mut bytes, patience)? {
            return Ok(None);
        }
        self.cut.remove_marks(&mut bytes);
        head.append(&mut bytes);
        Ok(Some(FilePart { head, file, bytes: end..end }))
    }
}
