//! How a row of a table is written: CSV and TSV with GNU parallel's quotation
//! marks, or an object of JSON a line.

/// The form of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Cells apart by this byte.
    Separated(u8),
    /// An object a line.
    Json,
}

impl Form {
    /// Whether a cell with this byte stands in quotation marks.
    pub(super) fn quotes(self, byte: u8) -> bool {
        match self {
            // Perl's white space, the separator, the mark itself and NUL.
            Self::Separated(separator) => {
                matches!(byte, b' ' | b'\t'..=b'\r' | b'"' | 0) || byte == separator
            }
            Self::Json => true,
        }
    }

    /// Appends `text` as it stands between quotation marks.
    pub(super) fn escape(self, text: &[u8], out: &mut Vec<u8>) {
        for &byte in text {
            match (self, byte) {
                (Self::Separated(_), b'"') => out.extend(b"\"\""),
                (Self::Json, b'"' | b'\\') => out.extend([b'\\', byte]),
                (Self::Json, 0..=31) => out.extend(format!("\\u{byte:04x}").as_bytes()),
                _ => out.push(byte),
            }
        }
    }

    /// Appends a cell that holds `text`.
    pub(super) fn cell(self, text: &[u8], out: &mut Vec<u8>) {
        let is_quoted = self == Self::Json || text.iter().any(|&byte| self.quotes(byte));
        if is_quoted {
            out.push(b'"');
        }
        self.escape(text, out);
        if is_quoted {
            out.push(b'"');
        }
    }

    /// Appends cells side by side.
    pub(super) fn cells<'t>(self, texts: impl IntoIterator<Item = &'t [u8]>, out: &mut Vec<u8>) {
        let between = match self {
            Self::Separated(separator) => separator,
            Self::Json => b',',
        };
        for (at, text) in texts.into_iter().enumerate() {
            if at > 0 {
                out.push(between);
            }
            self.cell(text, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_as_gnu_parallel_quotes_them() {
        let cells = |form: Form, texts: &[&str]| {
            let mut out = Vec::new();
            form.cells(texts.iter().map(|text| text.as_bytes()), &mut out);
            String::from_utf8(out).unwrap()
        };
        let texts = ["", "a", "a b", "a\"", "a,", "a\tb", "a\n", "\u{e9}/\\"];
        let csv = "\"a b\",\"a\"\"\",\"a,\",\"a\tb\",\"a\n\",\u{e9}/\\";
        assert_eq!(cells(Form::Separated(b','), &texts), format!(",a,{csv}"));
        assert_eq!(cells(Form::Separated(b'\t'), &["a,", "a\tb"]), "a,\t\"a\tb\"");
        assert_eq!(cells(Form::Json, &texts[3..]), r#""a\"","a,","a\u0009b","a\u000a","é/\\""#);
    }
}
