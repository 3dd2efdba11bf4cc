//! From the attributes of elements to what they mean.

use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;

use super::super::ParseError;
use super::super::ParseErrorKind;
use super::field::{ArraySize, Datatype, Field};

/// Attributes of one element; `VOTable` knows a dozen.
const MOST_ATTRIBUTES: usize = 256;

/// Names and values of an element's attributes, names without their prefix.
pub type Attributes = Vec<(String, String)>;

/// Reads them all, so that each is known to be sound.
pub fn attributes(tag: &BytesStart<'_>) -> Result<Attributes, ParseError> {
    let mut found = Attributes::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| ill_formed(&error))?;
        let name = String::from_utf8_lossy(attribute.key.into_inner()).into_owned();
        let value =
            attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| ill_formed(&error))?;
        found.push((name, value.into_owned()));
        if found.len() > MOST_ATTRIBUTES {
            let text = format!("an element with more than {MOST_ATTRIBUTES} attributes");
            return Err(ParseError::not_safe(text));
        }
    }
    Ok(found)
}

/// The value of the attribute of this name.
pub fn value<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// A `FIELD`, but for what stands within it.
pub fn field(attributes: &Attributes) -> Field {
    let kept = |name: &str| value(attributes, name).map(|text| text.trim().to_owned());
    Field {
        name: kept("name").or_else(|| kept("ID")).unwrap_or_default(),
        id: kept("ID"),
        datatype: kept("datatype").map_or(Datatype::Missing, |name| Datatype::named(&name)),
        arraysize: kept("arraysize").map_or(ArraySize::One, |text| ArraySize::read(&text)),
        ucd: kept("ucd"),
        utype: kept("utype"),
        unit: kept("unit"),
        xtype: kept("xtype"),
        reference: kept("ref"),
        null: None,
        description: None,
    }
}

/// What is wrong with the markup.
pub fn ill_formed(error: &dyn std::fmt::Display) -> ParseError {
    let text = error.to_string();
    let text = super::super::sniff::head(&text, 200);
    ParseError::new(ParseErrorKind::BadXml, format!("not well-formed: {text}"))
}

/// `text` without what XML calls blanks around it.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}
