//! Paths among a workload's options: text in reports, where JSON has no words for a
//! name that is not Unicode; to the byte where another process is to find them.
//!
//! For `#[serde(with = "paths")]` on an `Option<PathBuf>`.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize as _, Serializer};
use serde_json::{Value, json};

#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
pub(super) fn serialize<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.to_string_lossy()).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Name {
        Text(PathBuf),
        Bytes(Vec<u8>),
    }
    Ok(Option::deserialize(deserializer)?.map(|name| match name {
        Name::Text(path) => path,
        Name::Bytes(bytes) => OsString::from_vec(bytes).into(),
    }))
}

/// The path in a form that is read back to the byte.
pub(super) fn exact(path: &Path) -> Value {
    path.to_str().map_or_else(|| json!(path.as_os_str().as_bytes()), |text| json!(text))
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Options {
        #[serde(default, with = "super")]
        folder: Option<PathBuf>,
    }

    #[test]
    fn a_name_that_is_no_text_is_shown_as_text_and_passed_to_the_byte() {
        for name in [&b"plain"[..], b"odd \xff\xfe name", b""] {
            let folder = PathBuf::from(OsString::from_vec(name.to_vec()));
            let mut value = json!(Options { folder: Some(folder.clone()) });
            assert!(value["folder"].is_string());
            value["folder"] = exact(&folder);
            assert_eq!(serde_json::from_value::<Options>(value).unwrap().folder, Some(folder));
        }
        assert_eq!(serde_json::from_value::<Options>(json!({})).unwrap().folder, None);
    }
}
