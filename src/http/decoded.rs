//! A body up to a limit, unpacked.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::{HttpError, HttpErrorKind};

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
}

impl Packing {
    /// The packing that `Content-Encoding` names.
    pub(super) fn of(value: Option<&str>) -> Result<Self, HttpError> {
        match value.unwrap_or("").trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::None),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            other => Err(HttpError::protocol(format!("packed as {other:.20?}, which nobody asked for"))),
        }
    }
}

/// Reads at most `limit` bytes and one more, to see whether there is one.
pub(super) fn read_up_to(limit: usize, from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The bytes that `packed` holds. The limit is on these, so that a small answer
/// cannot fill the memory; the head of too many comes back with the trouble.
pub(super) fn unpack(
    packing: Packing,
    packed: Vec<u8>,
    limit: usize,
) -> Result<Vec<u8>, (HttpError, Vec<u8>)> {
    let bytes = match packing {
        Packing::None => packed,
        Packing::Gzip => read_up_to(limit, MultiGzDecoder::new(&packed[..])).map_err(|error| {
            (HttpError::protocol(format!("says it is packed with gzip, and is not: {error}")), Vec::new())
        })?,
    };
    if bytes.len() > limit {
        return Err((too_large(limit), bytes));
    }
    Ok(bytes)
}

pub(super) fn too_large(limit: usize) -> HttpError {
    HttpError::new(HttpErrorKind::TooLarge, format!("longer than {limit} bytes"))
}
