//! The VOSI availability document: whether a service is up, since when, and
//! what its operator has to say.

use super::{FlawKind, ParseError, read_datetime, xml};

/// The namespace of the schema.
const NAMESPACE: &str = "http://www.ivoa.net/xml/VOSIAvailability/v1.0";

/// Of other versions of the schema, as far as they may come.
const ANY_VERSION: &str = "http://www.ivoa.net/xml/VOSIAvailability/v1.";

/// The namespace that the prose of VOSI 1.0 and 1.1 has.
const NAMESPACE_IN_PROSE: &str = "http://www.ivoa.net/xml/Availability/v1.0";

/// Of a draft from before VOSI 1.0 that services still follow.
const NAMESPACE_OF_DRAFT: &str = "http://www.ivoa.net/xml/Availability/v0.4";

/// What an availability document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    /// Whether the service accepts requests, by its own word.
    pub available: bool,
    /// When it last became available.
    pub up_since: Option<Moment>,
    /// When it is to go down next.
    pub down_at: Option<Moment>,
    /// When it is to be back.
    pub back_at: Option<Moment>,
    /// Texts for people, in the order of the document. Nobody vouches for their
    /// characters.
    pub notes: Vec<String>,
    /// What is not as the schema has it, and clear all the same.
    pub oddities: Vec<Oddity>,
}

/// A time, as it is written and as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// As the document has it, blanks around it left out.
    pub text: String,
    /// Seconds since 1970; `None` where the text is no `xs:dateTime`.
    pub seconds: Option<i64>,
}

/// What a reader lets pass and should mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// Another namespace than the schema's, though one of this document, or none.
    Namespace,
    /// `TRUE` where the schema has `true`.
    NonSchemaBoolean,
    /// An element that may come once came more often; the first counts.
    Repeated,
}

/// Reads an availability document. `charset` is what came with the bytes, such
/// as the parameter of an HTTP `Content-Type`.
///
/// # Errors
/// When it is no such document, or does not say in one clear word whether the
/// service is available.
pub fn read_availability(bytes: &[u8], charset: Option<&str>) -> Result<Availability, ParseError> {
    let text = xml::text(bytes, charset)?;
    let tree = xml::tree(&text)?;
    let root = tree.root_element();
    let namespace = root.tag_name().namespace().unwrap_or("");
    // One without any namespace is no other kind of document for that.
    let known = namespace.starts_with(ANY_VERSION)
        || [NAMESPACE_IN_PROSE, NAMESPACE_OF_DRAFT, ""].contains(&namespace);
    if root.tag_name().name() != "availability" || !known {
        return Err(xml::wrong_root("VOSI availability", root));
    }
    let mut oddities = Vec::new();
    if namespace != NAMESPACE {
        oddities.push(Oddity::Namespace);
    }
    let named = |name: &'static str| {
        root.children()
            .filter(move |child| child.is_element() && child.tag_name().name() == name)
            .filter(move |child| child.tag_name().namespace() == root.tag_name().namespace())
    };
    let bad = |text: String| ParseError::new(FlawKind::BadValue, text);
    let mut values = named("available").map(xml::value);
    let available = match (values.next(), values.next()) {
        (None, _) => return Err(bad("it does not say whether the service is available".to_owned())),
        (Some(_), Some(_)) => {
            return Err(bad("it says more than once whether the service is available".to_owned()));
        }
        (Some(value), None) => value,
    };
    let available = match available.as_deref() {
        Some("true" | "1") => true,
        Some("false" | "0") => false,
        Some(word) if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false") => {
            oddities.push(Oddity::NonSchemaBoolean);
            word.eq_ignore_ascii_case("true")
        }
        Some(word) => {
            return Err(bad(format!(
                "available is {:?}, neither true nor false",
                super::sniff::head(word, 40)
            )));
        }
        None => return Err(bad("available holds elements, neither true nor false".to_owned())),
    };
    let mut moment = |name: &'static str| {
        let mut values = named(name).map(|node| xml::value(node).unwrap_or_default());
        let text = values.next()?;
        if values.next().is_some() && !oddities.contains(&Oddity::Repeated) {
            oddities.push(Oddity::Repeated);
        }
        Some(Moment { seconds: read_datetime(&text), text })
    };
    let (up_since, down_at, back_at) = (moment("upSince"), moment("downAt"), moment("backAt"));
    let notes = named("note").map(xml::text_below).filter(|note| !note.is_empty()).collect();
    Ok(Availability { available, up_since, down_at, back_at, notes, oddities })
}
