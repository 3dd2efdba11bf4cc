//! What stands in heads and forms: media types, forms, logins.

use ureq::http::{HeaderMap, header};

/// A header as text; the last one where there are several.
pub(super) fn text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let value = headers.get_all(name).iter().next_back()?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Media type and charset of a `Content-Type`.
pub(super) fn media_type(value: Option<&str>) -> (Option<String>, Option<String>) {
    let Some(value) = value else { return (None, None) };
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().map(str::to_ascii_lowercase).filter(|kind| !kind.is_empty());
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    (media_type, charset)
}

/// A form as its bytes are sent.
pub(super) fn encoded(form: &[(&'static str, String)]) -> Vec<u8> {
    let quote = |text: &str| {
        text.bytes().fold(String::new(), |mut quoted, byte| {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                    quoted.push(char::from(byte));
                }
                b' ' => quoted.push('+'),
                _ => quoted.push_str(&format!("%{byte:02X}")),
            }
            quoted
        })
    };
    let pairs: Vec<String> =
        form.iter().map(|(name, value)| format!("{}={}", quote(name), quote(value))).collect();
    pairs.join("&").into_bytes()
}

/// The value of a header that shows who asks (RFC 7617).
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0, |group, &byte| group << 8 | usize::from(byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let shown = digit <= chunk.len();
            text.push(if shown { char::from(DIGITS[group >> (18 - 6 * digit) & 63]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_credentials_are_encoded_as_their_rfcs_have_it() {
        let form = [("QUERY", "SELECT 'é' & 1+1".to_owned()), ("MAXREC", "1".to_owned())];
        assert_eq!(encoded(&form), b"QUERY=SELECT+%27%C3%A9%27+%26+1%2B1&MAXREC=1");
        // RFC 4648, 10.
        for (plain, digits) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), digits);
        }
    }

    #[test]
    fn the_parameters_of_a_media_type_are_found() {
        let read = |text: &str| media_type(Some(text));
        assert_eq!(read("Text/XML"), (Some("text/xml".to_owned()), None));
        assert_eq!(read("text/xml; q=1; Charset=\"UTF-8\"").1.as_deref(), Some("UTF-8"));
        assert_eq!(read("").0, None);
    }
}
