//! The `http` and `https` URLs of RFC 3986, as far as asking needs them: split,
//! checked, joined with a redirect's place, and shown without a password.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::text::without_login;

/// A URL that can be asked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    /// Whether it is `https`.
    pub secure: bool,
    /// `user:password`, as it was given.
    userinfo: Option<String>,
    /// Who is asked.
    pub host: UrlHost,
    /// The port, the scheme's own if none was given.
    pub port: u16,
    /// From the first `/`, never empty.
    pub path: String,
    /// Behind the `?`.
    pub query: Option<String>,
}

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UrlHost {
    /// A name, in lower case.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// Why a text is no URL that can be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadUrl(pub String);

fn bad<T>(text: impl Into<String>) -> Result<T, BadUrl> {
    Err(BadUrl(text.into()))
}

impl Url {
    /// Reads an absolute URL; a fragment is left out.
    ///
    /// # Errors
    /// When it cannot be asked over HTTP; the text says why and names no password.
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
            return bad("no scheme: http:// or https:// is missing");
        };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ if !rest.starts_with("//") => return bad("no scheme: http:// or https:// is missing"),
            other => return bad(format!("the scheme is {other}, and only http and https can be asked")),
        };
        let Some(rest) = rest.strip_prefix("//") else { return bad("// is missing behind the scheme") };
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if rest.starts_with('\\') {
            return bad("it holds a backslash");
        }
        let (userinfo, place) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(userinfo, place)| (Some(userinfo.to_owned()), place));
        let (host, port) = host_and_port(place)?;
        let (path, query) = path_and_query(rest);
        let path = if path.is_empty() { "/".to_owned() } else { quoted(path) };
        let port = port.unwrap_or(usual_port(secure));
        Ok(Self { secure, userinfo, host, port, path, query: query.map(quoted) })
    }

    /// The URL that `reference` means when it stands in this one's answer. The
    /// user and password stay with the host they were given for.
    ///
    /// # Errors
    /// When it cannot be asked over HTTP.
    pub fn join(&self, reference: &str) -> Result<Self, BadUrl> {
        let reference = reference.trim_matches([' ', '\t']);
        let scheme = reference.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| is_scheme(scheme));
        let mut joined = match scheme {
            Some(_) => Self::parse(reference)?,
            None if reference.starts_with("//") => Self::parse(&format!("{}:{reference}", self.scheme()))?,
            None => {
                let (path, query) = path_and_query(reference);
                let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let whole = match path {
                    "" => self.path.clone(),
                    _ if path.starts_with('/') => path.to_owned(),
                    _ => format!("{folder}/{path}"),
                };
                let query = match query {
                    None if path.is_empty() => self.query.clone(),
                    query => query.map(quoted),
                };
                Self { path: quoted(&without_dots(&whole)), query, ..self.clone() }
            }
        };
        let is_at_home = joined.is_at_home_of(self);
        joined.userinfo = joined.userinfo.or_else(|| self.userinfo.clone()).filter(|_| is_at_home);
        Ok(joined)
    }

    /// Whether both are asked of the same host, port and scheme.
    pub fn is_at_home_of(&self, other: &Self) -> bool {
        (self.secure, &self.host, self.port) == (other.secure, &other.host, other.port)
    }

    /// The same place with another path and no query.
    pub fn with_path(&self, path: &str) -> Self {
        Self { path: quoted(path), query: None, ..self.clone() }
    }

    /// The same with a query.
    pub fn with_query(&self, query: &str) -> Self {
        Self { query: Some(quoted(query)), ..self.clone() }
    }

    /// User and password, if they were given.
    pub(super) fn login(&self) -> Option<Login> {
        self.userinfo.as_deref().map(Login::of)
    }

    /// The URL as it is asked: without user and password.
    pub(super) fn asked(&self) -> String {
        self.with_user("")
    }

    fn with_user(&self, user: &str) -> String {
        let query = self.query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
        format!("{}://{user}{}{}{query}", self.scheme(), self.authority(), self.path)
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// Host, and port where it is not the scheme's own.
    pub fn authority(&self) -> String {
        let is_usual = self.port == usual_port(self.secure);
        if is_usual { self.host.to_string() } else { format!("{}:{}", self.host, self.port) }
    }
}

impl fmt::Display for Url {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.userinfo.as_deref().map(|userinfo| userinfo.split(':').next().unwrap_or(""));
        let user = user.map_or_else(String::new, |user| format!("{user}:***@"));
        f.write_str(&without_login(&self.with_user(&user)))
    }
}

impl fmt::Debug for Url {
    /// The same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// Who asks.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    user: String,
    password: String,
}

impl Login {
    /// What stands before the `@`, percent-decoded; the password is empty if there is none.
    pub(super) fn of(userinfo: &str) -> Self {
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        Self { user: plain(user), password: plain(password) }
    }

    /// The value of a header that shows it (RFC 7617).
    pub(super) fn basic(&self) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password)))
    }
}

impl fmt::Debug for Login {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:***", self.user)
    }
}

impl UrlHost {
    /// Whether it is this machine itself, as far as the name says.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
            // What is no address of a host in particular leads here, too.
            Self::Address(address) => {
                address.to_canonical().is_loopback() || address.to_canonical().is_unspecified()
            }
        }
    }
}

impl fmt::Display for UrlHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

fn usual_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Host, and port if there is one, of what stands behind a login.
pub(super) fn host_and_port(place: &str) -> Result<(UrlHost, Option<u16>), BadUrl> {
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let Some((address, behind)) = rest.split_once(']') else {
            return bad("] is missing behind the address");
        };
        let Ok(address) = address.parse::<Ipv6Addr>() else {
            return bad("no IPv6 address between [ and ]");
        };
        (UrlHost::Address(address.into()), behind)
    } else {
        let (host, port) = place.split_at(place.find(':').unwrap_or(place.len()));
        (named(host)?, port)
    };
    let port = match port.strip_prefix(':') {
        _ if port.is_empty() || port == ":" => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => match digits.parse::<u16>() {
            Ok(port) if port > 0 => Some(port),
            Ok(_) | Err(_) => return bad("not a port: ports go from 1 to 65535"),
        },
        None | Some(_) => return bad("the port is not a number"),
    };
    Ok((host, port))
}

fn named(host: &str) -> Result<UrlHost, BadUrl> {
    if host.is_empty() {
        return bad("the host is missing");
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(UrlHost::Address(address.into()));
    }
    if !host.is_ascii() {
        return bad("the host is not in ASCII: give the form that begins with xn--");
    }
    let name = host.to_ascii_lowercase();
    let sound = |label: &str| {
        let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.len() < 64 && label.bytes().all(inside)
    };
    let whole = name.strip_suffix('.').unwrap_or(&name);
    if whole.len() > 253 || !whole.split('.').all(sound) {
        return bad("the host is not a valid host name");
    }
    // What ends in a number would be an address, and it is none.
    if whole.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit())) {
        return bad("the host is not an address of four numbers up to 255");
    }
    Ok(UrlHost::Name(name))
}

/// Both without the fragment.
fn path_and_query(rest: &str) -> (&str, Option<&str>) {
    let rest = rest.split('#').next().unwrap_or("");
    rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)))
}

/// What may not stand in a URL as it is, beside what is not ASCII.
const NOT_IN_URLS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// `text` with that in its percent form.
fn quoted(text: &str) -> String {
    utf8_percent_encode(text, NOT_IN_URLS).to_string()
}

/// RFC 3986, 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        match part {
            "." => {}
            ".." => _ = kept.pop(),
            part => {
                kept.push(part);
                continue;
            }
        }
        if parts.peek().is_none() {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        Url::parse(text).map_or_else(|bad| bad.0, |url| url.to_string())
    }

    #[test]
    fn urls_are_shown_as_they_are_asked() {
        for (text, url) in [
            ("http://Example.ORG", "http://example.org/"),
            ("https://example.org:443/tap?x=y#z", "https://example.org/tap?x=y"),
            ("HTTP://[::1]:8080/a b/é", "http://[::1]:8080/a%20b/%C3%A9"),
            ("http://127.0.0.1:80/tap/", "http://127.0.0.1/tap/"),
            ("http://user:secret@h.example/x", "http://user:***@h.example/x"),
            ("http://user@h.example?q", "http://user:***@h.example/?q"),
        ] {
            assert_eq!(shown(text), url);
        }
        let url = Url::parse("http://us%40er:se:cret@h/").unwrap();
        let login = url.login().unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("us@er", "se:cret"));
        assert_eq!(
            (login.basic().as_str(), format!("{login:?}").as_str()),
            ("Basic dXNAZXI6c2U6Y3JldA==", "\"us@er\":***")
        );
        assert_eq!(url.asked(), "http://h/");
    }

    #[test]
    fn what_cannot_be_asked_is_refused_and_no_password_is_told() {
        for (text, why) in [
            ("127.0.0.1:80/tap", "http:// or https:// is missing"),
            ("example.org/tap", "http:// or https:// is missing"),
            ("localhost:80/tap", "http:// or https:// is missing"),
            ("", "is missing"),
            ("gopher://h/", "the scheme is gopher"),
            ("http:/h", "// is missing"),
            ("http:///tap", "the host is missing"),
            ("http://u:secret@/tap", "the host is missing"),
            ("http://h:99999/", "ports go from 1 to 65535"),
            ("http://h:0/", "ports go from 1 to 65535"),
            ("http://h:x/", "the port is not a number"),
            ("http://u:secret@h:p/", "the port is not a number"),
            ("http://[::1/", "] is missing"),
            ("http://[x]/", "no IPv6 address"),
            ("http://1.2.3.4.5/", "not an address"),
            ("http://1.2.3.256/", "not an address"),
            ("http://a..b/", "not a valid host"),
            ("http://a b/", "not a valid host"),
            ("http://h%41/", "not a valid host"),
            ("http://münchen.example/", "xn--"),
            ("http://h\\x", "backslash"),
        ] {
            let told = Url::parse(text).map(|url| url.to_string()).unwrap_err().0;
            assert!(told.contains(why) && !told.contains("secret"), "{text}: {told}");
        }
    }

    #[test]
    fn redirects_are_joined_as_rfc_3986_has_it() {
        let base = Url::parse("http://u:p@h/a/b/c?q").unwrap();
        for (reference, url) in [
            ("../ok", "http://u:***@h/a/ok"),
            ("./x/../y?z#f", "http://u:***@h/a/b/y?z"),
            ("/x", "http://u:***@h/x"),
            ("?y", "http://u:***@h/a/b/c?y"),
            ("", "http://u:***@h/a/b/c?q"),
            ("..", "http://u:***@h/a/"),
            ("../../../..", "http://u:***@h/"),
            ("//other/x", "http://other/x"),
            ("https://h/x", "https://h/x"),
            ("http://h:80/x", "http://u:***@h/x"),
        ] {
            assert_eq!(base.join(reference).unwrap().to_string(), url, "{reference}");
        }
        for reference in ["file:///etc/hostname", "ftp://h/x", "javascript:x", "http://"] {
            base.join(reference).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic_and_what_is_shown_is_read_again(
            text in "(https?://)?[a-z0-9.:@/?#%\\[\\]é -]{0,30}", reference in "[a-z0-9.:/?#%é -]{0,20}",
        ) {
            if let Ok(url) = Url::parse(&text) {
                let again = Url::parse(&url.asked()).unwrap();
                prop_assert_eq!(again.asked(), url.asked());
                if let Ok(joined) = url.join(&reference) {
                    prop_assert!(joined.path.starts_with('/') && joined.asked().is_ascii());
                }
            }
        }
    }
}
