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

/// Text that begins, most often, as another one does: the place of a service and what is
/// asked for there, of which others ask theirs for the same.
#[derive(Clone, Default)]
pub struct JoinedText {
    head: SharedText,
    pub(crate) tail: SharedText,
}

impl JoinedText {
    /// This `text`, with `head` in memory once if it begins so.
    #[must_use]
    pub fn after(head: &SharedText, text: &str) -> Self {
        match text.strip_prefix(head.as_str()) {
            Some(tail) => Self { head: head.clone(), tail: tail.into() },
            None => Self { head: text.into(), tail: SharedText::default() },
        }
    }
}

impl From<&str> for JoinedText {
    fn from(text: &str) -> Self {
        Self { head: text.into(), tail: SharedText::default() }
    }
}

impl PartialEq for JoinedText {
    fn eq(&self, other: &Self) -> bool {
        let all = |it: &Self| it.to_string();
        all(self) == all(other)
    }
}

impl Eq for JoinedText {}

impl fmt::Display for JoinedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head)?;
        f.write_str(&self.tail)
    }
}

impl fmt::Debug for JoinedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

impl Serialize for JoinedText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for JoinedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let head = SharedText::deserialize(deserializer)?;
        Ok(Self { head, tail: SharedText::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_begins_as_another_is_that_one_and_the_rest() {
        let head = SharedText::from("http://h/tap");
        let below = JoinedText::after(&head, "http://h/tap/availability");
        assert!(std::ptr::eq(below.head.as_str(), head.as_str()));
        let other = JoinedText::after(&head, "http://h/availability");
        for (text, whole) in [(below, "http://h/tap/availability"), (other, "http://h/availability")] {
            assert_eq!(text.to_string(), whole);
            let saved = serde_json::to_string(&text).unwrap();
            assert_eq!(saved, format!("{whole:?}"));
            assert_eq!(serde_json::from_str::<JoinedText>(&saved).unwrap(), text);
        }
    }

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
