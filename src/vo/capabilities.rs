//! The VOSI capabilities document: what a service can do, and where.

use super::{ParseError, xml};

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
    /// Where it is to be had. Nobody vouches for what stands here.
    pub urls: Vec<String>,
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
    let tree = xml::tree(&text)?;
    let root = tree.root_element();
    let namespace = root.tag_name().namespace().unwrap_or("");
    if root.tag_name().name() != "capabilities" || !namespace.starts_with("http://www.ivoa.net/xml/") {
        return Err(xml::wrong_root("VOSI capabilities", root));
    }
    let capabilities = root.children().filter(|child| child.tag_name().name() == "capability");
    let list = capabilities.map(|capability| {
        let urls = capability.descendants().filter(|node| node.tag_name().name() == "accessURL");
        Capability {
            standard: capability.attribute("standardID").unwrap_or("").trim().to_owned(),
            urls: urls.filter_map(xml::value).filter(|url| !url.is_empty()).collect(),
        }
    });
    Ok(Capabilities { list: list.collect() })
}
