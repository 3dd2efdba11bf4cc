//! Where the header of what is cut ends.

use crate::inputs::columns::compile;
use crate::inputs::error::InputError;
use crate::inputs::source::Header;

/// Whether `header` can be looked for.
///
/// # Errors
/// A regular expression that is none.
pub(super) fn check(header: Option<&Header>) -> Result<(), InputError> {
    if let Some(Header::Matching(pattern)) = header {
        compile("--header", pattern)?;
    }
    Ok(())
}

/// How long the header is at the beginning of `bytes`; `None` when it takes more
/// of them to know, which there are unless they have `ended`. A pattern is looked
/// for within `size` bytes.
pub(super) fn end_of_head(
    header: &Header,
    bytes: &[u8],
    size: usize,
    ended: bool,
) -> Result<Option<usize>, InputError> {
    let length = match header {
        Header::FileNames => Some(0),
        Header::First => end_of_line(bytes, 1),
        Header::Lines(n) => end_of_line(bytes, *n),
        Header::Matching(pattern) if bytes.len() >= size || ended => {
            let anchored = compile("--header", &[b"\\A(?:", &pattern[..], b")"].concat())?;
            Some(anchored.find(bytes).map_or(0, |found| found.end()))
        }
        Header::Matching(_) => None,
    };
    // What has fewer lines has no header.
    Ok(length.or(ended.then_some(0)))
}

/// Where the first `n` lines end.
pub(super) fn end_of_line(bytes: &[u8], n: usize) -> Option<usize> {
    let newlines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    if n == 0 { Some(0) } else { newlines.map(|(at, _)| at + 1).nth(n - 1) }
}
