//! What is sent with a request, as its bytes: a form, or a form with a file.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The fields of a form, in order.
pub type FormFields<'a> = &'a [(&'static str, String)];

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub enum RequestBody<'a> {
    /// `application/x-www-form-urlencoded`.
    Form(FormFields<'a>),
    /// `multipart/form-data`: the fields, and a file by the name of its field.
    Upload(FormFields<'a>, &'static str, &'a [u8]),
}

impl RequestBody<'_> {
    /// The media type, and the bytes.
    pub(super) fn encoded(self) -> (String, Vec<u8>) {
        match self {
            Self::Form(fields) => ("application/x-www-form-urlencoded".to_owned(), encoded(fields)),
            Self::Upload(fields, name, file) => multipart(fields, name, file),
        }
    }
}

/// What stands in a form as it is (the `application/x-www-form-urlencoded` of the URL
/// standard); blanks become `+`.
const IN_FORMS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b' ');

/// A form as its bytes are sent.
fn encoded(form: FormFields<'_>) -> Vec<u8> {
    let quote = |text: &str| utf8_percent_encode(text, IN_FORMS).to_string().replace(' ', "+");
    let pairs: Vec<String> =
        form.iter().map(|(name, value)| format!("{}={}", quote(name), quote(value))).collect();
    pairs.join("&").into_bytes()
}

/// A form with a file (RFC 7578). The file has a name, too: some servers take what has
/// none for a field.
fn multipart(fields: FormFields<'_>, name: &str, file: &[u8]) -> (String, Vec<u8>) {
    let holds =
        |bytes: &[u8], boundary: &str| bytes.windows(boundary.len()).any(|at| at == boundary.as_bytes());
    let occurs = |boundary: &str| {
        holds(file, boundary) || fields.iter().any(|(_, value)| holds(value.as_bytes(), boundary))
    };
    let mut boundaries = (0_u64..).map(|number| format!("parsim-{number:016x}"));
    let boundary = boundaries.find(|it| !occurs(it)).expect("no form holds all of these");
    let mut bytes = Vec::with_capacity(file.len() + 1024);
    let begin = |part: &str, bytes: &mut Vec<u8>| {
        bytes.extend(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{part}\"").as_bytes());
    };
    for (field, value) in fields {
        begin(field, &mut bytes);
        bytes.extend(format!("\r\n\r\n{value}\r\n").as_bytes());
    }
    begin(name, &mut bytes);
    bytes.extend(
        format!("; filename=\"{name}.xml\"\r\nContent-Type: application/x-votable+xml\r\n\r\n").as_bytes(),
    );
    bytes.extend(file);
    bytes.extend(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_encoded_as_its_standard_has_it() {
        let form = [("QUERY", "SELECT 'é' & 1+1 ~*".to_owned()), ("MAXREC", "1".to_owned())];
        assert_eq!(encoded(&form), b"QUERY=SELECT+%27%C3%A9%27+%26+1%2B1+%7E*&MAXREC=1");
    }

    #[test]
    fn a_form_with_a_file_is_cut_where_neither_holds_the_boundary() {
        let file = b"<VOTABLE>--parsim-0000000000000000</VOTABLE>";
        let (kind, bytes) = multipart(&[("UPLOAD", "t,param:t".to_owned())], "t", file);
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        assert_eq!(boundary, "parsim-0000000000000001");
        let text = String::from_utf8(bytes).unwrap();
        let parts: Vec<&str> = text.split(&format!("--{boundary}")).collect();
        let head = "\r\nContent-Disposition: form-data; name=\"UPLOAD\"\r\n\r\nt,param:t\r\n";
        assert_eq!((parts[0], parts[1], parts[3]), ("", head, "--\r\n"));
        let (_, content) = parts[2].split_once("\r\n\r\n").unwrap();
        assert_eq!(content.strip_suffix("\r\n").unwrap().as_bytes(), file);
    }
}
