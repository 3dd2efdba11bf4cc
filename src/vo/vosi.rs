//! The documents of VOSI: whether a service is up, since when, and what its operator
//! has to say (availability); what it can do, and where (capabilities); which tables it
//! has.

use super::ParseError;
use super::datetime::read_datetime;
use super::sniff::head;
use super::xml::{self, has_name};

/// The namespace of the schema.
const NAMESPACE: &str = "http://www.ivoa.net/xml/VOSIAvailability/v1.0";

/// Of other versions of the schema, as far as they may come.
const ANY_VERSION: &str = "http://www.ivoa.net/xml/VOSIAvailability/v1.";

/// The namespace that the prose of VOSI 1.0 and 1.1 has.
const NAMESPACE_IN_PROSE: &str = "http://www.ivoa.net/xml/Availability/v1.0";

/// Of a draft from before VOSI 1.0 that services still follow.
const NAMESPACE_OF_DRAFT: &str = "http://www.ivoa.net/xml/Availability/v0.4";

/// Of all schemata of the VO.
const ANY_OF_IVOA: &str = "http://www.ivoa.net/xml/";

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
    let tree = xml::tree(&text, "VOSI availability", |name, namespace| {
        // One without any namespace is no other kind of document for that.
        let others = [NAMESPACE_IN_PROSE, NAMESPACE_OF_DRAFT, ""];
        name == "availability" && (namespace.starts_with(ANY_VERSION) || others.contains(&namespace))
    })?;
    let root = tree.root_element();
    let namespace = root.tag_name().namespace();
    let mut oddities = Vec::new();
    if namespace != Some(NAMESPACE) {
        oddities.push(Oddity::Namespace);
    }
    let named = |name: &'static str| {
        let elements = root.children().filter(roxmltree::Node::is_element);
        elements.filter(move |child| has_name(child, name) && child.tag_name().namespace() == namespace)
    };
    let bad = |text: &str| Err(ParseError::bad_value(text));
    let mut values = named("available").map(xml::value);
    let available = match (values.next(), values.next()) {
        (None, _) => return bad("it does not say whether the service is available"),
        (Some(_), Some(_)) => return bad("it says more than once whether the service is available"),
        (Some(value), None) => value,
    };
    let available = match available.as_deref() {
        Some("true" | "1") => true,
        Some("false" | "0") => false,
        Some(word) if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false") => {
            oddities.push(Oddity::NonSchemaBoolean);
            word.eq_ignore_ascii_case("true")
        }
        Some(word) => return bad(&format!("available is {:?}, neither true nor false", head(word, 40))),
        None => return bad("available holds elements, neither true nor false"),
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

/// What a capabilities document lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// In the order of the document.
    pub list: Vec<Capability>,
}

/// One thing a service can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// The standard it follows; empty where it names none.
    pub standard: String,
    /// Which version of it, where its first interface tells one.
    pub version: Option<String>,
    /// Where it is to be had. Nobody vouches for what stands here.
    pub urls: Vec<String>,
    /// How much can be uploaded with a query (TAP), where it says so.
    pub upload_limit: Option<UploadLimit>,
}

/// How much a TAP service takes with a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadLimit {
    /// So many rows.
    Rows(u64),
    /// So many bytes.
    Bytes(u64),
}

impl Capabilities {
    /// The capability that follows `standard`; IVOA identifiers have no case.
    #[must_use]
    pub fn of(&self, standard: &str) -> Option<&Capability> {
        self.list.iter().find(|capability| capability.standard.eq_ignore_ascii_case(standard))
    }
}

/// Reads a capabilities document. Elements are known by their local names:
/// services differ in the namespaces they put below the root.
///
/// # Errors
/// When it is no such document.
pub fn read_capabilities(bytes: &[u8], charset: Option<&str>) -> Result<Capabilities, ParseError> {
    let text = xml::text(bytes, charset)?;
    let tree = xml::tree(&text, "VOSI capabilities", |name, namespace| {
        name == "capabilities" && namespace.starts_with(ANY_OF_IVOA)
    })?;
    let capabilities = tree.root_element().children().filter(|child| has_name(child, "capability"));
    let list = capabilities.map(|capability| {
        let urls = capability.descendants().filter(|node| has_name(node, "accessURL"));
        let versions = capability.children().filter_map(|it| it.attribute("version"));
        Capability {
            version: versions.map(|version| version.trim().to_owned()).find(|version| !version.is_empty()),
            standard: capability.attribute("standardID").unwrap_or("").trim().to_owned(),
            urls: urls.filter_map(xml::value).filter(|url| !url.is_empty()).collect(),
            upload_limit: upload_limit(capability),
        }
    });
    Ok(Capabilities { list: list.collect() })
}

/// What `TAPRegExt` calls the hard limit; without one the default is as good.
fn upload_limit(capability: roxmltree::Node<'_, '_>) -> Option<UploadLimit> {
    let limits = capability.children().find(|child| has_name(child, "uploadLimit"))?;
    let limit = |name: &str| limits.children().find(|child| has_name(child, name));
    let limit = limit("hard").or_else(|| limit("default"))?;
    let number = xml::value(limit)?.parse().ok()?;
    match limit.attribute("unit")?.trim() {
        "row" => Some(UploadLimit::Rows(number)),
        "byte" => Some(UploadLimit::Bytes(number)),
        _ => None,
    }
}

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
    let tree = xml::tree(&text, "VOSI tables", |name, namespace| {
        matches!(name, "tableset" | "tables") && namespace.starts_with(ANY_OF_IVOA)
    })?;
    let mut tables = Tables::default();
    for node in tree.root_element().descendants() {
        match node.tag_name().name() {
            "schema" => tables.n_schemas += 1,
            "table" => {
                let name = node.children().find(|child| has_name(child, "name"));
                tables.names.push(name.and_then(xml::value).unwrap_or_default());
            }
            _ => {}
        }
    }
    Ok(tables)
}
