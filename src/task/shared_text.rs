//! Text that many hold and nobody changes: what a task or a service is called stands in
//! its list, its record, its finding and among the failures, and in memory once.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text whose copies take no memory. That is why it cannot be changed.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SharedText(Arc<str>);

impl SharedText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What `make` makes of it; the same piece of memory where that changes nothing.
    #[must_use]
    pub fn made(&self, make: impl FnOnce(&str) -> String) -> Self {
        let text = make(self);
        if text == **self { self.clone() } else { text.into() }
    }
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for SharedText {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<&str> for SharedText {
    fn from(text: &str) -> Self {
        // What is empty, as the label of a job is until its line is known, asks for no memory.
        Self(if text.is_empty() { Arc::default() } else { Arc::from(text) })
    }
}

impl From<String> for SharedText {
    fn from(text: String) -> Self {
        Self::from(&*text)
    }
}

impl From<&String> for SharedText {
    fn from(text: &String) -> Self {
        Self::from(&**text)
    }
}

impl From<SharedText> for String {
    fn from(text: SharedText) -> Self {
        (*text).to_owned()
    }
}

impl From<std::borrow::Cow<'_, str>> for SharedText {
    fn from(text: std::borrow::Cow<'_, str>) -> Self {
        Self::from(&*text)
    }
}

impl PartialEq<str> for SharedText {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for SharedText {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialEq<String> for SharedText {
    fn eq(&self, other: &String) -> bool {
        **self == **other
    }
}

impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl Serialize for SharedText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for SharedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = SharedText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E>(self, text: &str) -> Result<SharedText, E> {
                Ok(text.into())
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_the_same_piece_of_memory_and_so_are_all_that_are_empty() {
        let text = SharedText::from("a service".to_owned());
        assert!(std::ptr::eq(text.as_str(), text.clone().as_str()));
        assert!(std::ptr::eq(SharedText::from("").as_str(), SharedText::default().as_str()));
        assert_eq!(size_of::<Option<SharedText>>(), 2 * size_of::<usize>());
    }

    #[test]
    fn it_is_saved_as_any_text() {
        let text = SharedText::from("\"a\"\n");
        let saved = serde_json::to_string(&text).unwrap();
        assert_eq!(saved, r#""\"a\"\n""#);
        assert_eq!(serde_json::from_str::<SharedText>(&saved).unwrap(), text);
    }
}
