//! Texts made fit to be shown: safe on a terminal, short, without passwords, and
//! errors in words alone.
//!
//! Knows nothing of what they say.

mod login;

pub use login::{without_login, without_logins, without_passwords};

/// At most `most` characters of `text`, with a mark where something is left out.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

/// Text made safe for one line of a terminal: control characters, which
/// include the escape that starts terminal commands, the bidirectional
/// overrides, and what is no character, which XML refuses, become their escaped
/// form.
#[must_use]
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
#[must_use]
pub fn reason(error: &std::io::Error) -> String {
    without_numbers(&error.to_string())
}

/// `text` without the numbers that the system has for its errors: the words before
/// them say the same.
#[must_use]
pub fn without_numbers(text: &str) -> String {
    let mut pieces = text.split(" (os error ");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let behind = piece.trim_start_matches(|digit: char| digit.is_ascii_digit());
        match behind.strip_prefix(')').filter(|_| behind.len() < piece.len()) {
            Some(rest) => plain += rest,
            // What only looks like it.
            None => plain = format!("{plain} (os error {piece}"),
        }
    }
    plain
}

/// A word longer than this says nothing more for being shown whole.
const LONGEST_WORD: usize = 300;

/// `text` with the middle of very long words left out: file names, values.
#[must_use]
pub fn with_short_words(text: &str) -> String {
    let pieces = text.split_inclusive(char::is_whitespace);
    pieces
        .map(|word| {
            let n_characters = word.chars().count();
            if n_characters <= LONGEST_WORD {
                return word.to_owned();
            }
            let kept = LONGEST_WORD / 2;
            let head = word.chars().take(kept);
            head.chain("...".chars()).chain(word.chars().skip(n_characters - kept)).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
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
            ("read a: No such file (os error 2)", "read a: No such file"),
            ("a (os error 2), b (os error 13): c", "a, b: c"),
            ("open (os error x): why", "open (os error x): why"),
            ("a (os error ) (os error x) (os error 2", "a (os error ) (os error x) (os error 2"),
            ("", ""),
        ] {
            assert_eq!(without_numbers(text), plain);
        }
        assert_eq!(reason(&std::io::Error::from_raw_os_error(2)), "No such file or directory");
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
}
