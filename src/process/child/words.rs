//! A list of C strings in one buffer, to be filled again for every job without
//! a new allocation: an argv or an environment.
//!
//! Does not know what the words mean.

use std::ffi::{CStr, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;

/// Words for `execve`: arguments, or `NAME=value` variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Every word with the NUL that ends it.
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Words {
    /// No words at all.
    pub(super) const EMPTY: Self = Self { bytes: Vec::new(), starts: Vec::new() };

    /// No words yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The given words.
    ///
    /// # Errors
    /// When a word holds a NUL byte, which no argument can.
    pub fn from_words<I>(words: I) -> io::Result<Self>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let mut list = Self::new();
        words.into_iter().try_for_each(|word| list.push(word))?;
        Ok(list)
    }

    /// This process's environment, except the variables that each job gets its
    /// own value of: the block that all jobs share.
    #[must_use]
    pub fn inherited_environment<N: AsRef<OsStr>>(without: &[N]) -> Self {
        let mut list = Self::new();
        for (name, value) in std::env::vars_os() {
            if !without.iter().any(|other| name == other.as_ref()) {
                list.append(&[name.as_bytes(), b"=", value.as_bytes()]);
            }
        }
        list
    }

    /// Removes all words and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.starts.clear();
    }

    /// Adds one word at the end.
    ///
    /// # Errors
    /// When the word holds a NUL byte.
    pub fn push(&mut self, word: impl AsRef<OsStr>) -> io::Result<()> {
        let word = word.as_ref().as_bytes();
        without_nul(word)?;
        self.append(&[word]);
        Ok(())
    }

    /// Adds the word `name=value`.
    ///
    /// # Errors
    /// When the name or the value holds a NUL byte.
    pub fn push_variable(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> io::Result<()> {
        let (name, value) = (name.as_ref(), value.as_ref().as_bytes());
        without_nul(name.as_bytes())?;
        without_nul(value)?;
        self.append(&[name.as_bytes(), b"=", value]);
        Ok(())
    }

    /// The words in order.
    pub fn iter(&self) -> impl Iterator<Item = &CStr> {
        // Every word was added with its NUL.
        self.starts.iter().map(|&start| CStr::from_bytes_until_nul(&self.bytes[start..]).unwrap_or_default())
    }

    /// How many words there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The arguments with which a shell runs `program`, a text without an interpreter
    /// line, with these arguments: what to do after
    /// [`StartError::NoInterpreter`](super::StartError::NoInterpreter). `shell` is its
    /// name and what comes before a text's; without any it is /bin/sh.
    #[must_use]
    pub fn through(&self, shell: &[OsString], program: &CStr) -> Self {
        let mut list = Self::new();
        if shell.is_empty() {
            list.append(&[b"/bin/sh"]);
        }
        for word in shell {
            list.append(&[word.as_bytes()]);
        }
        list.append(&[program.to_bytes()]);
        for word in self.iter().skip(1) {
            list.append(&[word.to_bytes()]);
        }
        list
    }

    fn append(&mut self, parts: &[&[u8]]) {
        self.starts.push(self.bytes.len());
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.bytes.push(0);
    }
}

fn without_nul(word: &[u8]) -> io::Result<()> {
    if word.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "an argument cannot hold a NUL byte"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_in_order_and_empty_ones_count() {
        let mut words = Words::from_words(["echo", "", "a b"]).unwrap();
        words.push_variable("X", "1=2").unwrap();
        let texts: Vec<&[u8]> = words.iter().map(CStr::to_bytes).collect();
        assert_eq!(texts, [&b"echo"[..], b"", b"a b", b"X=1=2"]);
        words.clear();
        assert!(words.is_empty());
    }

    #[test]
    fn a_word_with_a_nul_is_refused_and_leaves_no_trace() {
        let mut words = Words::new();
        assert!(words.push("a\0b").is_err());
        assert!(words.push_variable("X", "\0").is_err());
        assert_eq!(words, Words::new());
    }

    #[test]
    fn a_text_runs_through_a_shell_with_its_own_arguments() {
        let words = Words::from_words(["tool", "x", "y"]).unwrap();
        let through = |shell: &[OsString]| words.through(shell, c"/opt/tool");
        assert_eq!(through(&[]), Words::from_words(["/bin/sh", "/opt/tool", "x", "y"]).unwrap());
        let busybox = ["/bin/busybox", "sh"].map(OsString::from);
        let expected = Words::from_words(["/bin/busybox", "sh", "/opt/tool", "x", "y"]);
        assert_eq!(through(&busybox), expected.unwrap());
    }
}
