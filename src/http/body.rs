//! An answer's body as it comes: unpacked, within a limit, and with the reason where it
//! is not whole.

use std::fmt;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;

use super::connection::Timings;
use super::{HttpError, HttpErrorKind};

/// A body announced as so many times longer than the limit is not read at all.
const MOST_TIMES: u64 = 8;

/// Reads a body.
pub struct BodyReader {
    coding: Coding,
    limit: usize,
    n_read: usize,
    failure: Option<HttpError>,
    took: Duration,
}

enum Coding {
    Nothing,
    Plain(PackedBody),
    Gzip(Box<MultiGzDecoder<PackedBody>>),
}

impl BodyReader {
    /// Reads `body`, which was announced as so long, up to `limit` bytes, unpacked.
    pub(super) fn new(
        body: ureq::Body,
        is_gzip: bool,
        announced: Option<u64>,
        limit: usize,
        timings: Timings,
    ) -> Self {
        // What is a little too long is looked into: it may be worse than long.
        if announced.is_some_and(|length| length > (limit as u64).saturating_mul(MOST_TIMES)) {
            return Self::failed(too_large(limit));
        }
        let packed = PackedBody { body: body.into_reader(), limit, n_read: 0, timings, failure: None };
        let coding =
            if is_gzip { Coding::Gzip(Box::new(MultiGzDecoder::new(packed))) } else { Coding::Plain(packed) };
        Self { coding, limit, n_read: 0, failure: None, took: Duration::ZERO }
    }

    /// A body that cannot be read.
    pub(super) fn failed(error: HttpError) -> Self {
        Self { coding: Coding::Nothing, limit: 0, n_read: 0, failure: Some(error), took: Duration::ZERO }
    }

    /// How long it was waited for.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// Why it could not be read whole, if it could not.
    pub fn into_failure(self) -> Option<HttpError> {
        self.failure
    }

    fn refusal(&self) -> io::Result<usize> {
        self.failure.clone().map_or(Ok(0), |error| Err(io::Error::other(error)))
    }
}

impl Read for BodyReader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let begun = Instant::now();
        let read = match &mut self.coding {
            _ if self.failure.is_some() => Ok(0),
            Coding::Nothing => Ok(0),
            Coding::Plain(packed) => packed.read(bytes),
            Coding::Gzip(decoder) => decoder.read(bytes),
        };
        self.took += begun.elapsed();
        match read {
            Ok(count) => {
                self.n_read += count;
                if self.n_read > self.limit {
                    self.failure.get_or_insert_with(|| too_large(self.limit));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                let known = match &self.coding {
                    Coding::Nothing => None,
                    Coding::Plain(packed) => packed.failure.clone(),
                    Coding::Gzip(decoder) => decoder.get_ref().failure.clone(),
                };
                let unpacked =
                    || HttpError::protocol(format!("says it is packed with gzip, and is not: {error}"));
                self.failure = Some(known.unwrap_or_else(unpacked));
                return self.refusal();
            }
        }
        if self.failure.is_some() { self.refusal() } else { read }
    }
}

impl fmt::Debug for BodyReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyReader").finish_non_exhaustive()
    }
}

/// The bytes as they come. The limit is on these, too: there may be many that unpack to
/// nothing.
struct PackedBody {
    body: ureq::BodyReader<'static>,
    limit: usize,
    n_read: usize,
    timings: Timings,
    failure: Option<HttpError>,
}

impl Read for PackedBody {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let failure = match self.body.read(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => self.timings.understood(&ureq::Error::from(error)),
            Ok(count) => {
                self.n_read += count;
                // ureq takes a broken connection for the end where no length was told.
                let broken = self.timings.with(|noted| noted.error.clone()).filter(|_| count == 0);
                match broken {
                    Some(error) => error,
                    None if self.n_read > self.limit => too_large(self.limit),
                    None => return Ok(count),
                }
            }
        };
        self.failure = Some(failure.clone());
        Err(io::Error::other(failure))
    }
}

fn too_large(limit: usize) -> HttpError {
    HttpError::new(HttpErrorKind::TooLarge, format!("longer than {limit} bytes"))
}
