//! Sesame, the name resolver of CDS: where objects are that people name, several names a
//! request.
//!
//! Sources: what the service answers to `-oxp` (XML), and the clients of it that are public.

use std::fmt::Write as _;

use super::xml::{has_name, text, tree, value};
use super::{ParseError, ParseErrorKind};

/// What the resolver says of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct SesameTarget {
    /// The name as the answer repeats it.
    pub name: String,
    /// Where it is and what it is called there; `None`: no such object is known.
    pub found: Option<SesameObject>,
}

/// An object that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct SesameObject {
    /// Right ascension (ICRS) in degrees.
    pub ra: f64,
    /// Declination (ICRS) in degrees.
    pub dec: f64,
    /// What the database calls it.
    pub name: Option<String>,
}

/// What stands behind the resolver's URL to ask for `names`: SIMBAD's word before that of
/// NED and of `VizieR`, which is less exact.
#[must_use]
pub fn sesame_query<'a>(names: impl IntoIterator<Item = &'a str>) -> (&'static str, String) {
    ("/-oxp/SNV", names.into_iter().map(quoted).collect::<Vec<_>>().join("&"))
}

/// `name` in the percent form of all but letters and digits: `&` divides names, and `+`
/// would be a blank.
fn quoted(name: &str) -> String {
    let mut quoted = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => quoted.push(byte.into()),
            other => _ = write!(quoted, "%{other:02X}"),
        }
    }
    quoted
}

/// Reads the answer, in the order in which it was asked.
///
/// # Errors
/// When it is no answer of Sesame.
pub fn read_sesame(bytes: &[u8], charset: Option<&str>) -> Result<Vec<SesameTarget>, ParseError> {
    let text = text(bytes, charset)?;
    let tree = tree(&text, "Sesame", |name, _| name == "Sesame")?;
    let targets = tree.root_element().children().filter(|node| has_name(node, "Target"));
    targets
        .map(|target| {
            let below = |node: roxmltree::Node<'_, '_>, name: &str| {
                node.children().find(|child| has_name(child, name)).and_then(value)
            };
            let number = |node, name: &str| below(node, name)?.parse().ok().filter(|it: &f64| it.is_finite());
            let resolvers = target.children().filter(|node| has_name(node, "Resolver"));
            let mut found = resolvers.filter_map(|resolver| {
                let (ra, dec) = (number(resolver, "jradeg")?, number(resolver, "jdedeg")?);
                // As the request has them: SIMBAD, NED, VizieR.
                let database = resolver.attribute("name").unwrap_or_default();
                let rank = "SN".find(database.get(..1).unwrap_or("?")).unwrap_or(2);
                Some((rank, SesameObject { ra, dec, name: below(resolver, "oname") }))
            });
            let first = found.next();
            let best = found.fold(first, |best, next| best.filter(|best| best.0 <= next.0).or(Some(next)));
            let name = below(target, "name")
                .ok_or_else(|| ParseError::new(ParseErrorKind::BadValue, "a target without a name"))?;
            let found = best.map(|(_, object)| object);
            let is_place =
                |object: &SesameObject| object.dec.abs() <= 90.0 && (0.0..=360.0).contains(&object.ra);
            match found {
                Some(object) if !is_place(&object) => {
                    Err(ParseError::bad_value(format!("{} {} is no position", object.ra, object.dec)))
                }
                found => Ok(SesameTarget { name, found }),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_asked_for_together_each_in_its_own_characters() {
        let (path, query) = sesame_query(["NGC 4782", "A&B", "HD+1", "η Car"]);
        assert_eq!((path, query.as_str()), ("/-oxp/SNV", "NGC%204782&A%26B&HD%2B1&%CE%B7%20Car"));
    }

    #[test]
    fn the_word_of_simbad_comes_before_that_of_vizier() {
        let object = |letter: &str, ra: f64| {
            format!(
                "<Resolver name=\"{letter}=x\"><jradeg>{ra}</jradeg><jdedeg>-1</jdedeg><oname>{letter}</oname></Resolver>"
            )
        };
        let document = format!(
            "<Sesame><Target option=\"SNV\"><name>a</name>{}{}</Target>\
             <Target><name>b</name><INFO>*** Nothing found ***</INFO></Target></Sesame>",
            object("V", 1.0),
            object("S", 2.5)
        );
        let read = read_sesame(document.as_bytes(), None).unwrap();
        let found = read[0].found.clone().unwrap();
        assert_eq!(
            (read[0].name.as_str(), found.ra, found.dec, found.name.as_deref()),
            ("a", 2.5, -1.0, Some("S"))
        );
        assert_eq!((read[1].name.as_str(), &read[1].found), ("b", &None));
    }

    #[test]
    fn what_is_no_answer_is_an_error_and_no_empty_sky() {
        for text in ["", "<html></html>", "<Sesame><Target/></Sesame>", "# NGC 1\n%J 1 2"] {
            read_sesame(text.as_bytes(), None).unwrap_err();
        }
        let far = "<Sesame><Target><name>a</name><Resolver><jradeg>1</jradeg><jdedeg>91</jdedeg></Resolver></Target></Sesame>";
        assert_eq!(read_sesame(far.as_bytes(), None).unwrap_err().kind, ParseErrorKind::BadValue);
    }
}
