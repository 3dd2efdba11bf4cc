//! The VOSI tables document: which tables a service has.

use super::{ParseError, xml};

/// The tables of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// How many schemata they are in.
    pub n_schemas: usize,
    /// Their names, in the order of the document.
    pub names: Vec<String>,
}

/// Reads a tables document, with or without columns.
///
/// # Errors
/// When it is no such document.
pub fn read_tables(bytes: &[u8], charset: Option<&str>) -> Result<Tables, ParseError> {
    let text = xml::text(bytes, charset)?;
    let tree = xml::tree(&text)?;
    let root = tree.root_element();
    let namespace = root.tag_name().namespace().unwrap_or("");
    let is_known = matches!(root.tag_name().name(), "tableset" | "tables");
    if !is_known || !namespace.starts_with("http://www.ivoa.net/xml/") {
        return Err(xml::wrong_root("VOSI tables", root));
    }
    let mut tables = Tables::default();
    for node in root.descendants() {
        match node.tag_name().name() {
            "schema" => tables.n_schemas += 1,
            "table" => {
                let name = node.children().find(|child| child.tag_name().name() == "name");
                tables.names.push(name.and_then(xml::value).unwrap_or_default());
            }
            _ => {}
        }
    }
    Ok(tables)
}
