//! Hosts as GNU parallel spells them after `-S`:
//! `[@group+group/][N/][ssh command ][user@]host[:port]`, several with commas or newlines
//! between them.
//!
//! Pure text: nobody is asked anything. The grammar is that of GNU parallel 20221122.

use std::num::NonZeroU32;

use anyhow::{bail, ensure};

/// The host that is this machine.
pub const HERE: &str = ":";

/// One host, and how one gets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshLogin {
    /// The groups that it is in, beside the one of its own name.
    pub groups: Vec<String>,
    /// Of how many cores `-j` is to go out there; `None`: of those that there are.
    pub cores: Option<NonZeroU32>,
    /// The words of what connects, where that is not just `ssh`.
    pub command: Vec<String>,
    /// `user@host`, or the host alone; [`HERE`].
    pub target: String,
    /// The port, where one was named.
    pub port: Option<u16>,
    /// All that without groups and cores, as it was typed.
    pub text: String,
}

impl SshLogin {
    /// Whether that is this machine, to which nothing has to connect.
    pub fn is_here(&self) -> bool {
        self.target == HERE
    }

    /// The host without the user.
    pub fn host(&self) -> &str {
        self.target.rsplit_once('@').map_or(&self.target, |(_, host)| host)
    }

    /// Whether a job for one of `groups` may run there.
    pub fn is_in(&self, groups: &[String]) -> bool {
        groups.iter().any(|group| self.groups.contains(group) || *group == self.text || group == self.host())
    }

    /// How a terminal would be given it.
    fn read(text: &str) -> anyhow::Result<Self> {
        let (groups, rest) = match text.strip_prefix('@').map(|named| named.split_once('/')) {
            Some(Some((groups, rest))) => (groups_of(groups)?, rest),
            _ => (Vec::new(), text),
        };
        let (cores, rest) = match rest.split_once('/') {
            Some((count, rest)) if count.bytes().all(|byte| byte.is_ascii_digit()) && !count.is_empty() => {
                let count = count.parse().ok().and_then(NonZeroU32::new);
                ensure!(count.is_some(), "{text}: a host has at least one slot: 1/HOST");
                (count, rest)
            }
            _ => (None, rest),
        };
        let mut command: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
        let Some(login) = command.pop() else { bail!("{text:?} names no host") };
        ensure!(!login.starts_with('-'), "{login}: a host's name does not begin with a hyphen");
        let (user, host) = login.rsplit_once('@').map_or((None, &*login), |(user, host)| (Some(user), host));
        ensure!(
            !user.is_some_and(|user| user.contains(':')),
            "a password in a login is seen by everybody on this machine: leave it out of ...@{host}, and use a key (ssh-copy-id)"
        );
        let (host, port) = with_port(host)?;
        let is_told = !host.is_empty() && !host.starts_with('-') && user != Some("");
        ensure!(is_told, "{text:?} names no host");
        ensure!(
            !login.chars().any(char::is_control) && !host.contains('/'),
            "{}: no host is called so",
            login.escape_debug()
        );
        let target = user.map_or_else(|| host.clone(), |user| format!("{user}@{host}"));
        Ok(Self { groups, cores, command, target, port, text: rest.trim().to_owned() })
    }
}

fn groups_of(text: &str) -> anyhow::Result<Vec<String>> {
    let groups: Vec<String> = text.split('+').map(str::to_owned).collect();
    ensure!(!groups.iter().any(String::is_empty), "@{text}: a group has a name: @GROUP+GROUP/HOST");
    Ok(groups)
}

/// A host, and a port behind it. An address of version 6 that has one stands in brackets.
fn with_port(host: &str) -> anyhow::Result<(String, Option<u16>)> {
    let read = |port: &str| {
        let number = port.parse().ok().filter(|port| *port > 0);
        number
            .map(Some)
            .ok_or_else(|| anyhow::anyhow!("{host}: {port:?} is no port: expected HOST:1 to HOST:65535"))
    };
    if host == HERE {
        return Ok((host.to_owned(), None));
    }
    if let Some((address, rest)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return match rest.strip_prefix(':') {
            Some(port) => Ok((address.to_owned(), read(port)?)),
            None => Ok((address.to_owned(), None)),
        };
    }
    match host.split_once(':') {
        Some((name, port)) if !port.contains(':') => Ok((name.to_owned(), read(port)?)),
        _ => Ok((host.to_owned(), None)),
    }
}

/// The hosts of one `-S`, in order, and the groups that it narrows all hosts to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshLogins {
    /// The hosts.
    pub hosts: Vec<SshLogin>,
    /// Only hosts of these are wanted, where there are any: `@group` alone.
    pub only: Vec<String>,
}

impl SshLogins {
    /// Reads `text`. A comma of a name is two, or has a backslash before it.
    ///
    /// # Errors
    /// Something that is no host; a password.
    pub fn read(&mut self, text: &str) -> anyhow::Result<()> {
        for piece in split(text) {
            match piece.trim().strip_prefix('@').filter(|groups| !groups.contains('/')) {
                Some(groups) => self.only.extend(groups_of(groups)?),
                None if piece.trim().is_empty() => {}
                None => self.hosts.push(SshLogin::read(piece.trim())?),
            }
        }
        Ok(())
    }

    /// Those that are wanted, each once: who is named again has the slots of both.
    ///
    /// # Errors
    /// When there is none.
    pub fn wanted(self) -> anyhow::Result<Vec<SshLogin>> {
        let Self { hosts, only } = self;
        ensure!(!hosts.is_empty(), "no host is named: expected for example -S 4/h1,4/h2 (: is this machine)");
        let mut wanted: Vec<SshLogin> = Vec::new();
        for host in hosts.into_iter().filter(|host| only.is_empty() || host.is_in(&only)) {
            match wanted.iter_mut().find(|known| known.text == host.text) {
                Some(known) => {
                    let cores = known.cores.zip(host.cores).map(|(a, b)| a.saturating_add(b.get()));
                    known.cores = cores.or(known.cores).or(host.cores);
                    known.groups.extend(host.groups);
                }
                None => wanted.push(host),
            }
        }
        ensure!(!wanted.is_empty(), "no host is in the group {}", only.join(" or "));
        Ok(wanted)
    }
}

/// The pieces of `text` between commas and newlines.
fn split(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let piece = pieces.last_mut().expect("there is one");
        match character {
            '\\' | ',' if rest.peek() == Some(&',') => piece.extend(rest.next()),
            ',' | '\n' => pieces.push(String::new()),
            other => piece.push(other),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hosts(text: &str) -> Vec<SshLogin> {
        let mut logins = SshLogins::default();
        logins.read(text).unwrap();
        logins.wanted().unwrap()
    }

    fn refused(text: &str) -> String {
        let mut logins = SshLogins::default();
        logins.read(text).and_then(|()| logins.wanted()).unwrap_err().to_string()
    }

    #[test]
    fn every_part_of_a_login_is_found() {
        let [host] = &hosts("@g1+g2/8/ssh -o LogLevel=QUIET me@h1:2222")[..] else { panic!() };
        assert_eq!(host.groups, ["g1", "g2"]);
        assert_eq!((host.cores, host.port), (NonZeroU32::new(8), Some(2222)));
        assert_eq!(host.command, ["ssh", "-o", "LogLevel=QUIET"]);
        assert_eq!((&*host.target, host.host()), ("me@h1", "h1"));
        assert_eq!(host.text, "ssh -o LogLevel=QUIET me@h1:2222");
        let names: Vec<String> = hosts("a, 2/:\nb,").into_iter().map(|host| host.target).collect();
        assert_eq!(names, ["a", ":", "b"]);
        assert!(hosts("2/:")[0].is_here());
        let [address] = &hosts("[fe80::1]:22")[..] else { panic!() };
        assert_eq!((&*address.target, address.port), ("fe80::1", Some(22)));
        assert_eq!(hosts("fe80::1")[0].port, None);
        assert_eq!(hosts("ssh -o A=b,,c h")[0].command, ["ssh", "-o", "A=b,c"]);
        assert_eq!(hosts(r"ssh -o A=b\,c h")[0].command, ["ssh", "-o", "A=b,c"]);
    }

    #[test]
    fn a_host_named_twice_is_one_and_a_group_alone_narrows() {
        let twice = hosts("2/h1,3/h1,h2");
        assert_eq!(
            twice.iter().map(|host| host.cores.map(NonZeroU32::get)).collect::<Vec<_>>(),
            [Some(5), None]
        );
        let narrowed = hosts("@g/a,@g+h/b,c,@h");
        assert_eq!(narrowed.iter().map(|host| &*host.target).collect::<Vec<_>>(), ["b"]);
        assert!(refused("@g/a,@h").contains("no host is in the group h"));
    }

    #[test]
    fn what_is_no_host_is_refused_by_name() {
        for (text, why) in [
            ("-oProxyCommand=x", "begin with a hyphen"),
            ("me@-x", "names no host"),
            ("me:secret@h1", "password"),
            ("0/h1", "at least one slot"),
            ("h1:99999", "no port"),
            ("h1:ssh", "no port"),
            ("4/", "names no host"),
            ("@/h1", "a group has a name"),
            ("", "no host is named"),
            ("h\u{1b}1", "no host is called so"),
        ] {
            assert!(refused(text).contains(why), "{text:?}: {}", refused(text));
        }
        assert!(!refused("me:secret@h1").contains("secret"));
    }

    proptest! {
        #[test]
        fn any_text_is_hosts_or_refused_and_no_host_is_an_option(text: String) {
            let mut logins = SshLogins::default();
            if logins.read(&text).is_ok() {
                for host in logins.hosts {
                    prop_assert!(!host.target.starts_with('-') && !host.target.is_empty());
                    prop_assert!(!host.target.contains(char::is_control));
                }
            }
        }
    }
}
