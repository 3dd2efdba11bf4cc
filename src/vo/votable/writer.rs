//! A `VOTable` of one table, in `TABLEDATA`, row by row.

use std::collections::HashSet;
use std::io::{self, Write};

use super::field::{ArraySize, Datatype, Field};

/// Writes a `VOTable` as rows come.
///
/// ```
/// use parsim::vo::votable::{Field, TableWriter};
///
/// let field = Field { name: "name".to_owned(), ..Field::default() };
/// let mut writer = TableWriter::begin(Vec::new(), "a catalogue", &[field])?;
/// writer.row([Some("M 31 & neighbours")])?;
/// let document = String::from_utf8(writer.end(true)?).unwrap();
/// assert!(document.contains("<TD>M 31 &amp; neighbours</TD>"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct TableWriter<W> {
    out: W,
    line: String,
}

impl<W: Write> TableWriter<W> {
    /// Writes what stands before the first row. Names, types, units and meanings of fields are
    /// kept; what they refer to is not there, so references are left out.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn begin(mut out: W, description: &str, fields: &[Field]) -> io::Result<Self> {
        let mut head = String::from(concat!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
            "<VOTABLE version=\"1.4\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n",
            "<RESOURCE type=\"results\">\n<DESCRIPTION>"
        ));
        escape(description, &mut head);
        head += "</DESCRIPTION>\n<INFO name=\"QUERY_STATUS\" value=\"OK\"/>\n<TABLE>\n";
        let mut ids = HashSet::new();
        for field in fields {
            write_field(field, &mut ids, &mut head);
        }
        head += "<DATA><TABLEDATA>\n";
        out.write_all(head.as_bytes())?;
        Ok(Self { out, line: String::new() })
    }

    /// Writes a row: of each field a text, or nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Option<&'a str>>) -> io::Result<()> {
        self.line.clear();
        self.line += "<TR>";
        for cell in cells {
            match cell {
                None | Some("") => self.line += "<TD/>",
                Some(text) => {
                    self.line += "<TD>";
                    escape(text, &mut self.line);
                    self.line += "</TD>";
                }
            }
        }
        self.line += "</TR>\n";
        self.out.write_all(self.line.as_bytes())
    }

    /// Writes what stands behind the last row; `is_complete` where there are no more rows than
    /// these.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(mut self, is_complete: bool) -> io::Result<W> {
        let mut tail = "</TABLEDATA></DATA>\n</TABLE>\n".to_owned();
        if !is_complete {
            tail += "<INFO name=\"QUERY_STATUS\" value=\"OVERFLOW\"/>\n";
        }
        tail += "</RESOURCE>\n</VOTABLE>\n";
        self.out.write_all(tail.as_bytes())?;
        Ok(self.out)
    }
}

fn write_field<'a>(field: &'a Field, ids: &mut HashSet<&'a str>, out: &mut String) {
    let text = |text: &'a Option<String>| text.as_deref().unwrap_or_default();
    let id = text(&field.id);
    // What is called the same twice would be no XML; and who writes texts without an
    // arraysize means more than one character.
    let id = if ids.insert(id) { id } else { "" };
    let is_typed = !matches!(field.datatype, Datatype::Missing | Datatype::Other(_));
    let is_long_text = field.datatype.is_text() && (!is_typed || field.arraysize == ArraySize::One);
    let arraysize = if is_long_text { "*".to_owned() } else { field.arraysize.to_string() };
    let attributes = [
        ("ID", id),
        ("name", &field.name),
        ("datatype", if is_typed { field.datatype.name() } else { "char" }),
        ("arraysize", &arraysize),
        ("ucd", text(&field.ucd)),
        ("unit", text(&field.unit)),
        ("xtype", text(&field.xtype)),
        ("utype", text(&field.utype)),
    ];
    *out += "<FIELD";
    for (name, value) in attributes.into_iter().filter(|(name, value)| *name == "name" || !value.is_empty()) {
        attribute(name, value, out);
    }
    *out += ">";
    if let Some(description) = &field.description {
        *out += "<DESCRIPTION>";
        escape(description, out);
        *out += "</DESCRIPTION>";
    }
    if let Some(null) = &field.null {
        *out += "<VALUES";
        attribute("null", null, out);
        *out += "/>";
    }
    *out += "</FIELD>\n";
}

fn attribute(name: &str, value: &str, out: &mut String) {
    out.extend([" ", name, "=\""]);
    escape(value, out);
    out.push('"');
}

/// Writes `text` so that a reader of XML gets it back, wherever it stands. What XML cannot
/// hold becomes a replacement character.
fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => *out += "&amp;",
            '<' => *out += "&lt;",
            '>' => *out += "&gt;",
            '"' => *out += "&quot;",
            '\r' => *out += "&#13;",
            '\n' => *out += "&#10;",
            '\t' => *out += "&#9;",
            character if is_allowed(character) => out.push(character),
            _ => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
}

/// Whether a character may stand in XML.
pub(super) fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
