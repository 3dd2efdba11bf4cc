//! Which proxy a URL is asked through, if any: the variables of the environment as
//! curl has them, given as data.
//!
//! Asks nobody. Who reads the environment is another floor's business.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::url::{Login, host_and_port};
use super::{HttpError, HttpErrorKind, Url, UrlHost};
use crate::text::without_login;

/// The port of a proxy that names none, as curl has it.
const PORT: u16 = 1080;

/// What the environment says of proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxies {
    /// For `http`.
    http: Option<Variable>,
    /// For `https`.
    https: Option<Variable>,
    /// Who is asked without one.
    none: String,
}

/// A variable of the environment that is set.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Variable {
    name: String,
    value: String,
}

impl fmt::Debug for Variable {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, without_login(&self.value))
    }
}

/// A proxy that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) host: UrlHost,
    pub(super) port: u16,
    /// Who asks.
    pub(super) login: Option<Login>,
}

impl Proxies {
    /// What `look` finds: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, also
    /// in capitals. Not so `HTTP_PROXY`: a web server sets it from what a client
    /// sends (<https://httpoxy.org>).
    pub fn from_environment(look: &dyn Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| {
            names.iter().find_map(|name| {
                let value = look(name).filter(|value| !value.trim().is_empty())?;
                Some(Variable { name: (*name).to_owned(), value: value.trim().to_owned() })
            })
        };
        Self {
            http: first(&["http_proxy", "all_proxy", "ALL_PROXY"]),
            https: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            none: first(&["no_proxy", "NO_PROXY"]).map_or_else(String::new, |variable| variable.value),
        }
    }

    /// Whether `url` can be asked as far as proxies go.
    ///
    /// # Errors
    /// When its proxy is none that parsim can ask; the text names it, and no password.
    pub fn check(&self, url: &Url) -> Result<(), HttpError> {
        self.of(url).map(drop)
    }

    /// The proxy that `url` is asked through; none where it is asked itself.
    pub(super) fn of(&self, url: &Url) -> Result<Option<Proxy>, HttpError> {
        let variable = if url.secure { &self.https } else { &self.http };
        match variable {
            // What is on this machine is never asked through another.
            Some(variable) if !url.host.is_loopback() && !self.leaves_out(&url.host) => {
                variable.proxy().map(Some)
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Whether `no_proxy` names `host`.
    fn leaves_out(&self, host: &UrlHost) -> bool {
        let entries = self.none.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
        entries.into_iter().any(|entry| entry == "*" || covers(entry, host))
    }
}

impl Variable {
    fn proxy(&self) -> Result<Proxy, HttpError> {
        let bad = |why: &str| {
            let text = format!(
                "{} is {}: {why}; set it to http://HOST:PORT, or name the service in no_proxy",
                self.name,
                without_login(&self.value)
            );
            HttpError::new(HttpErrorKind::Proxy, text)
        };
        let (scheme, rest) = self.value.split_once("://").unwrap_or(("http", &self.value));
        match scheme.to_ascii_lowercase().as_str() {
            "http" => {}
            scheme if scheme.starts_with("socks") => return Err(bad("parsim does not speak SOCKS")),
            "https" => return Err(bad("parsim does not speak TLS to a proxy")),
            _ => return Err(bad("only HTTP proxies can be asked")),
        }
        let rest = rest.trim_start_matches('/');
        // A password may hold what would end the authority, were it not one.
        let (userinfo, place) =
            rest.rsplit_once('@').map_or((None, rest), |(login, place)| (Some(login), place));
        let place = place.split(['/', '?', '#']).next().unwrap_or("");
        let (host, port) = host_and_port(place).map_err(|why| bad(&why.0))?;
        let login = userinfo.map(Login::of);
        Ok(Proxy { host, port: port.unwrap_or(PORT), login })
    }
}

impl Proxy {
    /// The header that shows who asks.
    pub(super) fn authorization(&self) -> Option<String> {
        self.login.as_ref().map(Login::basic)
    }

    /// What went wrong on the way to it or at it.
    pub(super) fn error(&self, text: &str) -> HttpError {
        HttpError::new(HttpErrorKind::Proxy, format!("proxy {self}: {text}"))
    }
}

impl fmt::Display for Proxy {
    /// Host and port only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Whether an entry of `no_proxy` is `host`, a domain above it, or a network that it
/// is in.
fn covers(entry: &str, host: &UrlHost) -> bool {
    match host {
        UrlHost::Name(name) => {
            let name = name.trim_end_matches('.');
            let domain = entry.strip_suffix('.').unwrap_or(entry);
            let domain = domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase();
            let above = name.strip_suffix(domain.as_str()).filter(|_| !domain.is_empty());
            above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
        }
        UrlHost::Address(address) => {
            let (network, bits) =
                entry.split_once('/').map_or((entry, None), |(net, bits)| (net, Some(bits)));
            let network = network.trim_start_matches('[').trim_end_matches(']');
            let Ok(network) = network.parse::<IpAddr>() else { return false };
            let whole = if network.is_ipv4() { 32 } else { 128 };
            let Some(bits) = bits.map_or(Some(whole), |bits| bits.parse::<u32>().ok()) else { return false };
            bits <= whole && is_within(*address, network, bits)
        }
    }
}

/// Whether the first `bits` of both are the same.
fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let all = |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    };
    let differences = (all(address) ^ all(network)).checked_shr(128 - bits).unwrap_or(0);
    address.is_ipv4() == network.is_ipv4() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where `url` is asked with these variables, or why not.
    fn asked(variables: &[(&str, &str)], url: &str) -> String {
        let look = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        match Proxies::from_environment(&look).of(&Url::parse(url).unwrap()) {
            Ok(None) => "itself".to_owned(),
            Ok(Some(proxy)) => format!("{proxy} {:?}", proxy.authorization()).replace(" None", ""),
            Err(error) => error.text,
        }
    }

    #[test]
    fn the_variables_are_those_of_curl() {
        let (plain, secure) = ("http://h.example/", "https://h.example/");
        for (variables, url, expected) in [
            (&[][..], plain, "itself"),
            (&[("http_proxy", "http://p:3128")], plain, "p:3128"),
            (&[("http_proxy", "http://p:3128")], secure, "itself"),
            (&[("HTTP_PROXY", "http://p:3128")], plain, "itself"),
            (&[("https_proxy", "p:3128")], secure, "p:3128"),
            (&[("HTTPS_PROXY", "p:3128/")], secure, "p:3128"),
            (&[("HTTPS_PROXY", "q:1"), ("https_proxy", "p:2")], secure, "p:2"),
            (&[("https_proxy", "p:3128")], plain, "itself"),
            (&[("all_proxy", "p")], plain, "p:1080"),
            (&[("ALL_PROXY", "//p")], secure, "p:1080"),
            (&[("ALL_PROXY", "q"), ("http_proxy", " HTTP://[::1]:8/x ")], plain, "[::1]:8"),
            (&[("http_proxy", "")], plain, "itself"),
            (&[("http_proxy", ""), ("all_proxy", "p:7")], plain, "p:7"),
            (&[("http_proxy", "u:p%40q@p:1")], plain, "p:1 Some(\"Basic dTpwQHE=\")"),
            (&[("http_proxy", "http://u@p:1")], plain, "p:1 Some(\"Basic dTo=\")"),
            (&[("http_proxy", "http://u:a/b@c@p:1")], plain, "p:1 Some(\"Basic dTphL2JAYw==\")"),
        ] {
            assert_eq!(asked(variables, url), expected, "{variables:?} {url}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_asked_is_refused_by_name_and_without_its_password() {
        for (value, why) in [
            ("socks5://u:s3cr@p:1080", "socks5://u:***@p:1080: parsim does not speak SOCKS; set it to"),
            ("SOCKS://p", "does not speak SOCKS"),
            ("socks4a://p", "does not speak SOCKS"),
            ("socks5h://p", "does not speak SOCKS"),
            ("https://u:s3cr@p", "does not speak TLS to a proxy"),
            ("ftp://p", "only HTTP proxies"),
            ("http://u:s3cr@", "the host is missing"),
            ("u:s3cr@p:x", "u:***@p:x: the port is not a number"),
            ("http:/u:s3cr@p:99999", "ports go from 1 to 65535"),
        ] {
            let told = asked(&[("all_proxy", value)], "http://h/");
            assert!(told.starts_with("all_proxy is ") && told.contains(why), "{value}: {told}");
            assert!(!told.contains("s3cr"), "{told}");
            // Nobody is kept from asking what needs no proxy.
            assert_eq!(asked(&[("all_proxy", value)], "http://127.0.0.1/"), "itself");
            assert_eq!(asked(&[("all_proxy", value), ("no_proxy", "h")], "http://h/"), "itself");
        }
    }

    #[test]
    fn this_machine_is_never_asked_through_a_proxy() {
        for host in [
            "127.0.0.1",
            "127.255.0.9:80",
            "[::1]",
            "localhost",
            "LOCALHOST.:8",
            "a.localhost",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
            "[::]",
        ] {
            assert_eq!(asked(&[("all_proxy", "p:1")], &format!("http://{host}/")), "itself", "{host}");
        }
        for host in ["128.0.0.1", "[::2]", "localhost.example", "notlocalhost"] {
            assert_eq!(asked(&[("all_proxy", "p:1")], &format!("http://{host}/")), "p:1", "{host}");
        }
    }

    #[test]
    fn no_proxy_is_a_list_of_domains_addresses_and_networks() {
        for (list, hosts, others) in [
            ("*", &["h", "a.b", "1.2.3.4", "[1::2]"][..], &[][..]),
            (
                "b.example",
                &["b.example", "a.b.example", "B.Example."],
                &["ab.example", "example", "b.example.org"],
            ),
            (".b.example.", &["b.example", "a.b.example"], &["ab.example"]),
            ("x, y\tz,,w ", &["x", "y", "z", "w", "a.w"], &["v"]),
            ("1.2.3.4", &["1.2.3.4"], &["1.2.3.5", "11.2.3.4"]),
            ("10.0.0.0/8 , 1.2.3.0/25", &["10.255.1.1", "1.2.3.127"], &["11.0.0.1", "1.2.3.128"]),
            ("0.0.0.0/0", &["9.9.9.9"], &["[1::2]", "h"]),
            ("1.2.3.4/33,1.2.3.4/x", &[], &["1.2.3.4"]),
            ("1::/16,[2::3]", &["[1::9]", "[2::3]"], &["[3::]", "[2::4]"]),
            (".", &[], &["h"]),
            ("h:80", &[], &["h"]),
        ] {
            let ask =
                |host: &&&str| asked(&[("all_proxy", "p:1"), ("no_proxy", list)], &format!("http://{host}/"));
            for host in hosts {
                assert_eq!(ask(&host), "itself", "{list}: {host}");
            }
            for host in others {
                assert_eq!(ask(&host), "p:1", "{list}: {host}");
            }
        }
        let both = [("all_proxy", "p:1"), ("no_proxy", "a"), ("NO_PROXY", "b")];
        assert_eq!(
            (asked(&both, "http://a/"), asked(&both, "http://b/")),
            ("itself".to_owned(), "p:1".to_owned())
        );
    }
}
