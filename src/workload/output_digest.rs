//! The digest of all that a task writes, by which ways are compared.
//!
//! Does not know who writes, nor whether the bytes come from near or far.

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::output::Channel;
use crate::task::Digest;

/// By channel: the digest of its bytes, however they were cut, and their number.
#[derive(Default)]
pub struct OutputDigest([(Option<Box<Xxh3>>, u64); 2]);

impl OutputDigest {
    /// These bytes follow on that channel.
    pub fn update(&mut self, channel: Channel, bytes: &[u8]) {
        let (digester, length) = &mut self.0[channel as usize];
        // Made when first needed: most of what an empty task would cost.
        digester.get_or_insert_with(|| Box::new(Xxh3::new())).update(bytes);
        *length += bytes.len() as u64;
    }

    /// What both channels hold, and which of them holds it.
    #[must_use]
    pub fn finish(&self) -> Digest {
        let mut whole = Vec::new();
        for (digester, length) in &self.0 {
            let digest = digester.as_ref().map_or(0, |digester| digester.digest128());
            whole.extend(length.to_le_bytes());
            whole.extend(digest.to_le_bytes());
        }
        Digest(xxh3_128(&whole))
    }
}
