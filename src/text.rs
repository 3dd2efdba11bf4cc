//! Texts made fit to be shown: safe on a terminal, short, without passwords, and
//! errors in words alone.
//!
//! Knows nothing of what they say.

mod wrap;

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

pub use wrap::{wrapped, wrapped_around};

/// At most `most` characters of `text`, with a mark where something is left out.
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

/// `text` with a capital letter and a full stop.
pub fn as_a_sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

/// Text made safe for one line of a terminal: control characters, which
/// include the escape that starts terminal commands, the bidirectional
/// overrides, and what is no character, which XML refuses, become their escaped
/// form.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let overrides = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}');
        if character.is_control() || overrides || is_noncharacter(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// Whether Unicode promises that this is never going to be a character: the last
/// two of each plane, and 32 more.
fn is_noncharacter(character: char) -> bool {
    u32::from(character) & 0xfffe == 0xfffe || matches!(character, '\u{fdd0}'..='\u{fdef}')
}

/// An error of the system in words alone, without its number.
pub fn reason(error: &std::io::Error) -> String {
    without_numbers(&error.to_string())
}

/// `text` without the numbers that the system has for its errors: the words before
/// them say the same.
pub fn without_numbers(text: &str) -> String {
    let mut pieces = text.split(" (os error ");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let behind = piece.trim_start_matches(|digit: char| digit.is_ascii_digit());
        match behind.strip_prefix(')').filter(|_| behind.len() < piece.len()) {
            Some(rest) => {
                in_lower_case(&mut plain);
                plain += rest;
            }
            // What only looks like it.
            None => plain = format!("{plain} (os error {piece}"),
        }
    }
    plain
}

/// The system's own words, which end `text`, as they stand within a sentence. (`RPC ...`,
/// `IO ...` stay.)
fn in_lower_case(text: &mut str) {
    let begin = text.rfind(": ").map_or(0, |colon| colon + 2);
    let is_word = text[begin..].chars().nth(1).is_some_and(|second| second.is_lowercase() || second == ' ');
    if is_word && let Some(first) = text.get_mut(begin..=begin) {
        first.make_ascii_lowercase();
    }
}

/// A word longer than this says nothing more for being shown whole.
const LONGEST_WORD: usize = 300;

/// `text` with the middle of very long words left out: file names, values.
pub fn with_short_words(text: &str) -> String {
    let pieces = text.split_inclusive(char::is_whitespace);
    pieces.map(|word| without_middle(word, LONGEST_WORD)).collect()
}

/// `text`, of which no more than about `most` characters at both ends are shown.
pub fn without_middle(text: &str, most: usize) -> Cow<'_, str> {
    let n_characters = text.chars().count();
    if n_characters <= most {
        return text.into();
    }
    let kept = most / 2;
    text.chars().take(kept).chain("...".chars()).chain(text.chars().skip(n_characters - kept)).collect()
}

// Logins in URLs are made unreadable before anything is shown. What was mistyped holds a
// password all the same, so nothing here asks whether a text is a sound URL: from the first
// colon that begins no address to the last `@`, nothing is shown. Rather too much is hidden
// than too little.

/// What stands for the password.
const HIDDEN: &str = "***";

/// A colon, perhaps percent-encoded, even over and over.
static COLON: LazyLock<Regex> = LazyLock::new(|| pattern("[:\u{ff1a}]|%(?:25)*3a"));

/// The end of a login.
static AT: LazyLock<Regex> = LazyLock::new(|| pattern("[@\u{ff20}]|%(?:25)*40"));

/// A slash, the same.
static SLASH: LazyLock<Regex> = LazyLock::new(|| pattern("^(?:/|%(?:25)*2f)"));

/// Schemes that are no user's name, at the end of what stands before the colon.
static SCHEME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "(?:^|[^a-z0-9+.-]|%[0-9a-f]{2})(?:https?|socks(?:4a?|5h?)?|ftps?|sftp|ssh|file|gopher|wss?|git)$",
    )
});

/// Any scheme there.
static ANY_SCHEME: LazyLock<Regex> = LazyLock::new(|| pattern("[a-z][a-z0-9+.-]*$"));

/// Where a URL begins in a word.
static URL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "[a-z][a-z0-9+.-]*(?::|%(?:25)*3a)(?:/|%(?:25)*2f){2}|https?(?::|%(?:25)*3a)|(?:^|[^a-z0-9:/.])//",
    )
});

/// All of them are matched with what is in lower case.
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is sound")
}

/// `url`, which is meant as one URL however it is written, without its password:
/// what stands between a `:` and the last `@`.
pub fn without_login(url: &str) -> String {
    hidden(url, &SCHEME)
}

/// The same for each word of `text`, in which a word may be such a URL.
pub fn without_logins(text: &str) -> String {
    by_words(text, without_login)
}

/// `text` with the password of every URL in it made unreadable. Only what begins as
/// a URL does is one: `user:word@place` may be anything.
pub fn without_passwords(text: &str) -> String {
    by_words(text, |word| match URL.find(&word.to_ascii_lowercase()) {
        Some(url) => {
            let (before, url) = word.split_at(url.start());
            format!("{before}{}", hidden(url, &ANY_SCHEME))
        }
        None => word.to_owned(),
    })
}

/// Whether there is anything in `text` that could end a login. Most texts have none, and
/// the patterns take longer to build than a job to start.
fn may_hold_a_login(text: &str) -> bool {
    text.contains(['@', '\u{ff20}', '%'])
}

/// What `change` makes of each word, with the blanks between them as they are.
fn by_words(text: &str, change: impl Fn(&str) -> String) -> String {
    if !may_hold_a_login(text) {
        return text.to_owned();
    }
    text.split_inclusive(char::is_whitespace)
        .map(|piece| {
            let word = piece.trim_end_matches(char::is_whitespace);
            change(word) + &piece[word.len()..]
        })
        .collect()
}

/// `text` with nothing between the first colon behind no `scheme` and the last `@`.
fn hidden(text: &str, scheme: &Regex) -> String {
    if !may_hold_a_login(text) {
        return text.to_owned();
    }
    let lower = text.to_ascii_lowercase();
    let Some(at) = AT.find_iter(&lower).last() else { return text.to_owned() };
    let before = &lower[..at.start()];
    let colon = COLON.find_iter(before).find(|colon| {
        let Some(name) = scheme.find(&before[..colon.start()]) else { return true };
        // One slash of the two is forgotten easily enough.
        let is_web = name.as_str().ends_with("http") || name.as_str().ends_with("https");
        n_slashes(&before[colon.end()..]) < if is_web { 1 } else { 2 }
    });
    match colon {
        Some(colon) => format!("{}{HIDDEN}{}", &text[..colon.end()], &text[at.start()..]),
        None => text.to_owned(),
    }
}

/// How many slashes `text` begins with.
fn n_slashes(mut text: &str) -> usize {
    let mut count = 0;
    while let Some(slash) = SLASH.find(text) {
        text = &text[slash.end()..];
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_words_lose_their_middle_only() {
        let long = format!("read {}{}: why", "é".repeat(4000), "z".repeat(148));
        let short = format!("read {}...{}: why", "é".repeat(150), "z".repeat(148));
        assert_eq!(with_short_words(&long), short);
        assert_eq!(with_short_words(&"a b".repeat(1000)), "a b".repeat(1000));
    }

    #[test]
    fn errors_of_the_system_are_told_without_their_numbers() {
        for (text, plain) in [
            ("read a: No such file (os error 2)", "read a: no such file"),
            ("a (os error 2), b (os error 13): c", "a, b: c"),
            ("open (os error x): why", "open (os error x): why"),
            ("a (os error ) (os error x) (os error 2", "a (os error ) (os error x) (os error 2"),
            ("", ""),
        ] {
            assert_eq!(without_numbers(text), plain);
        }
        assert_eq!(reason(&std::io::Error::from_raw_os_error(2)), "no such file or directory");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shortened("grün", 3), "grü…");
        assert_eq!(shortened("grün", 4), "grün");
    }

    #[test]
    fn control_and_bidi_characters_never_reach_a_terminal_raw() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(printable("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(printable("grün 日本"), "grün 日本");
    }

    #[test]
    fn what_is_no_character_is_escaped_and_its_neighbours_are_not() {
        assert_eq!(printable("a\u{fffe}\u{ffff}b"), "a\\u{fffe}\\u{ffff}b");
        assert_eq!(printable("\u{fdd0}\u{10ffff}"), "\\u{fdd0}\\u{10ffff}");
        assert_eq!(printable("\u{fffd}\u{fdcf}\u{fdf0}\u{10000}"), "\u{fffd}\u{fdcf}\u{fdf0}\u{10000}");
    }

    #[test]
    fn a_password_is_hidden_in_a_url_of_any_shape() {
        for (url, shown) in [
            ("http://u:p@h/x", "http://u:***@h/x"),
            ("u:s3cr@h/x", "u:***@h/x"),
            ("https:u:s3cr@h", "https:***@h"),
            ("http:/u:p@h", "http:/u:***@h"),
            ("HTTPS:///u:p@h", "HTTPS:///u:***@h"),
            ("//u:p@h", "//u:***@h"),
            ("u://p@h", "u:***@h"),
            ("http://u:p/q@h", "http://u:***@h"),
            ("http://u:/p@h", "http://u:***@h"),
            ("http://u:80/p@h", "http://u:***@h"),
            ("http://u:p?q#r@h", "http://u:***@h"),
            ("http://u:p@q@h@i", "http://u:***@i"),
            ("http://u:p q@h", "http://u:***@h"),
            ("http://u%3Ap@h", "http://u%3A***@h"),
            ("http://u:p%40h/", "http://u:***%40h/"),
            ("http%3A%2F%2Fu%3Ap%40h", "http%3A%2F%2Fu%3A***%40h"),
            ("http%253a%252f%252fu%253ap%2540h", "http%253a%252f%252fu%253a***%2540h"),
            ("http://h/?q=http://u:p@i", "http://h/?q=http://u:***@i"),
            ("socks5h://u:p@h:1080", "socks5h://u:***@h:1080"),
            // As a keyboard for Chinese or Japanese has them.
            ("http\u{ff1a}//u\u{ff1a}p\u{ff20}h", "http\u{ff1a}//u\u{ff1a}***\u{ff20}h"),
            ("http://:p@h", "http://:***@h"),
            // Without a password there is nothing to hide.
            ("http://user@h/", "http://user@h/"),
            ("http://h:80/x", "http://h:80/x"),
            ("http://h/x@y", "http://h/x@y"),
            ("http://[::1]:80/tap", "http://[::1]:80/tap"),
            ("", ""),
        ] {
            assert_eq!(without_login(url), shown, "{url}");
        }
    }

    #[test]
    fn a_text_keeps_all_but_the_passwords_of_its_urls() {
        for (text, shown) in [
            ("a http://u:se:c@ret@h:1/x https://v@w", "a http://u:***@h:1/x https://v@w"),
            ("read \"https:u:p@h\"\n  then //u:p@h", "read \"https:***@h\"\n  then //u:***@h"),
            ("postgres://u:p@h/b,http://v:q@i", "postgres://u:***@i"),
            ("u:p@h mailto:me@h a//b:c@d", "u:p@h mailto:me@h a//b:c@d"),
        ] {
            assert_eq!(without_passwords(text), shown);
        }
        let told = "list:1: 'u:p@h': no scheme;  http://v:q@i:x/: a port";
        assert_eq!(without_logins(told), "list:1: 'u:***@h': no scheme;  http://v:***@i:x/: a port");
    }

    proptest! {
        #[test]
        fn no_password_is_seen_behind_a_colon_and_before_an_at(
            before in "(https?:/{0,3}|//|--urls=|ftp://)?[a-z0-9.:/@?#%=&é-]{0,12}",
            colon in "(:|%3A|%3a|%253A)",
            password in "[a-z0-9.:@?#%=&é-]{0,4}S3CRET[a-z0-9.:/@?#%=& é-]{0,8}",
            at in "(@|%40|%2540)",
            after in "[a-z0-9.:/@?#%=&é-]{0,12}",
        ) {
            let url = format!("{before}{colon}{password}{at}{after}");
            let shown = without_login(&url);
            prop_assert!(!shown.contains("S3CRET"), "{} shown as {}", url, shown);
            prop_assert_eq!(without_login(&shown), shown.clone(), "{}", url);
            if !url.contains(' ') {
                prop_assert!(!without_logins(&format!("x {url} y")).contains("S3CRET"), "{}", url);
                let text = without_passwords(&format!("see http://{url} and"));
                prop_assert!(!text.contains("S3CRET"), "{} shown as {}", url, text);
            }
        }
    }
}
