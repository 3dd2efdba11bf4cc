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
use super::separator::{HeaderFinder, RecordFinder, Scan};
use super::stream::CHUNK;
use super::{InputError, Patience, ReadStop, Step, Wait, unless_woken};

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
                return Err(io::Error::other("it is not a file that can be cut; --pipe cuts streams"));
            }
            let mut file = File::open(path)?;
            // A block device does not tell its length otherwise.
            let length = file.seek(SeekFrom::End(0))?;
            Ok((file, length))
        });
        let (file, length) = file.map_err(|cause| InputError::Open { path: path.to_owned(), cause })?;
        Ok(Self { path: path.to_owned(), file, length })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// How many bytes it had when it was opened.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends what stands at `from`, about `most` bytes.
    fn read(&self, from: u64, most: usize, into: &mut Vec<u8>, patience: &mut dyn Patience) -> Step<()> {
        let fault = |cause| InputError::Read { path: self.path.clone(), cause };
        if patience.wait(self.file.as_fd()).map_err(fault)? == Wait::Woken {
            return Err(ReadStop::Woken);
        }
        let most = usize::try_from(self.length - from).map_or(most, |left| most.min(left));
        let filled = into.len();
        into.resize(filled + most, 0);
        Ok(self.file.read_exact_at(&mut into[filled..], from).map_err(fault)?)
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
    size: usize,
    remove_marks: bool,
    header: HeaderFinder,
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
        Ok(Self {
            files,
            cut: RecordFinder::new(&spec.separator)?,
            size: spec.size.get(),
            remove_marks: spec.remove_marks,
            header: HeaderFinder::new(spec)?,
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
        Ok(unless_woken(self.cut_off(patience))?.flatten())
    }

    fn cut_off(&mut self, patience: &mut dyn Patience) -> Step<Option<FilePart>> {
        while let Some(file) = self.files.get(self.file) {
            let place = match self.place.take() {
                Some(place) => place,
                None => self.head(file, patience)?,
            };
            let (head, from) = self.place.insert(place);
            if *from == file.length {
                (self.file, self.place) = (self.file + 1, None);
                continue;
            }
            let (head, from) = (head.clone(), *from);
            let to = self.end(file, from, patience)?;
            let mut part = FilePart { head, file: self.file, bytes: from..to };
            if self.remove_marks {
                let mut bytes = Vec::new();
                file.read(from, usize::try_from(to - from).unwrap_or(usize::MAX), &mut bytes, patience)?;
                self.cut.remove_marks(&mut bytes);
                part.head.append(&mut bytes);
                part.bytes = to..to;
            }
            if let Some((_, next)) = &mut self.place {
                *next = to;
            }
            return Ok(Some(part));
        }
        Ok(None)
    }

    /// What is put before each part of `file`, and where the first one begins.
    fn head(&self, file: &Seekable, patience: &mut dyn Patience) -> Step<(Vec<u8>, u64)> {
        let mut header = self.header.clone();
        let mut bytes = Vec::new();
        let mut skipped = 0_u64;
        loop {
            let read = skipped + bytes.len() as u64;
            let (passed, length) = header.find(&bytes, read == file.length);
            bytes.drain(..passed);
            skipped += passed as u64;
            if let Some(length) = length {
                bytes.truncate(length);
                return Ok((bytes, skipped + length as u64));
            }
            file.read(read, CHUNK, &mut bytes, patience)?;
        }
    }

    /// Where the part of `file` ends that begins at `from`: with the first record
    /// to end after `size` bytes, as `find_split_positions` of GNU parallel has it.
    fn end(&self, file: &Seekable, from: u64, patience: &mut dyn Patience) -> Step<u64> {
        let at = from.saturating_add(self.size as u64);
        if at >= file.length {
            return Ok(file.length);
        }
        // A mark that begins at `at` ends a record there: what is searched begins
        // one byte before it. Quotes are known only from the beginning.
        let (mut base, mut scan, least) = match &self.cut {
            RecordFinder::EachByte => return Ok(at),
            RecordFinder::Csv(_) => (from, Scan::default(), at + 1),
            RecordFinder::Bytes { .. } | RecordFinder::Regexp(_) => (at - 1, Scan::from(1), at),
        };
        let mut bytes = Vec::new();
        loop {
            let read = base + bytes.len() as u64;
            let more = read < file.length;
            while let Some(end) = self.cut.next(&mut scan, &bytes, more) {
                if base + end as u64 >= least {
                    return Ok(base + end as u64);
                }
            }
            if !more {
                return Ok(file.length);
            }
            let passed = scan.forget(bytes.len());
            bytes.drain(..passed);
            base += passed as u64;
            // A pattern is looked for from the beginning each time.
            file.read(read, CHUNK.max(bytes.len()), &mut bytes, patience)?;
        }
    }
}
