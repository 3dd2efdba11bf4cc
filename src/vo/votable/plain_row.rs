//! The way around markup for the rows that nearly all are: `<TR>`, cells of nothing but
//! text, `</TR>`.

use quick_xml::escape::resolve_predefined_entity;

use super::field::Field;
use super::row::RowCells;

/// Reads the row that `bytes` begin with, blanks before it passed over, and tells its length.
/// Nothing where the row is not whole, or anything about it is not plain, or wrong: that is
/// for the reader of markup.
pub fn read(bytes: &[u8], fields: &[Field], most: usize, cells: &mut RowCells) -> Option<usize> {
    cells.clear();
    let mut rest = blanks(bytes).strip_prefix(b"<TR>")?;
    loop {
        rest = blanks(rest);
        if let Some(behind) = rest.strip_prefix(b"</TR>") {
            return (cells.len() == fields.len()).then_some(bytes.len() - behind.len());
        }
        let field = fields.get(cells.len())?;
        if let Some(behind) = rest.strip_prefix(b"<TD/>") {
            cells.end(true);
            rest = behind;
            continue;
        }
        let inside = rest.strip_prefix(b"<TD>")?;
        let length = inside.iter().position(|byte| *byte == b'<')?;
        let (text, behind) = inside.split_at(length);
        rest = behind.strip_prefix(b"</TD>")?;
        push_text(std::str::from_utf8(text).ok()?, &mut cells.text)?;
        let text = cells.open();
        let is_null = field.is_null(text).ok().filter(|_| text.len() <= most)?;
        cells.end(is_null);
    }
}

/// `bytes` without the blanks at their beginning.
fn blanks(bytes: &[u8]) -> &[u8] {
    match bytes.first() {
        Some(b' ' | b'\t' | b'\n') => bytes.trim_ascii_start(),
        _ => bytes,
    }
}

/// Text with the references that every document knows.
fn push_text(mut text: &str, into: &mut String) -> Option<()> {
    while let Some((before, behind)) = text.split_once('&') {
        let (name, behind) = behind.split_once(';')?;
        into.push_str(before);
        into.push_str(resolve_predefined_entity(name)?);
        text = behind;
    }
    into.push_str(text);
    Some(())
}
