//! What a replacement string makes of one value: `{.}`, `{/}`, `{//}` and the
//! rest of `--plus`.
//!
//! Knows one value at a time, nothing of quoting or of jobs. Each form is a Perl
//! substitution in GNU parallel, with Perl's habits: `.` stops at a newline. Those that
//! search with a pattern of the user's stand on the `regex` crate; what Perl has and the
//! crate lacks (look-around, back-references) is an error when the template is read.

use std::borrow::Cow;

use regex::bytes::{Captures, Regex, RegexBuilder};

/// How one value is changed before it is put into a template.
#[derive(Clone, Debug)]
pub(super) enum ValueForm {
    /// `{}`: not at all.
    Value,
    /// `{.}`, `{..}`, `{...}`: this many extensions go.
    WithoutExtensions(usize),
    /// `{/}`: the name without its directory.
    Basename,
    /// `{/.}`, `{/..}`, `{/...}`: the name without this many extensions.
    BasenameWithoutExtensions(usize),
    /// `{//}`: the directory as dirname(1) tells it.
    Dirname,
    /// `{+/}`: what is before the last slash.
    Directory,
    /// `{+.}`, `{+..}`, `{+...}`: the last so many extensions.
    Extensions(usize),
    /// `{:-text}`: the text if the value is empty or `0`.
    Default(Vec<u8>),
    /// `{:N:M}`: M bytes from byte N on; `{:N}`: as many as there are.
    Slice(usize, usize),
    /// The forms that search with a regular expression.
    Pattern(PerlSubstitution),
}

impl ValueForm {
    /// The changed value.
    pub(super) fn apply<'a>(&self, value: &'a [u8]) -> Cow<'a, [u8]> {
        match self {
            Self::WithoutExtensions(count) => stem(value, *count).into(),
            Self::Basename => basename(value),
            Self::BasenameWithoutExtensions(count) => match basename(value) {
                Cow::Borrowed(name) => stem(name, *count).into(),
                Cow::Owned(mut name) => {
                    name.truncate(stem(&name, *count).len());
                    name.into()
                }
            },
            Self::Dirname => dirname(value).into(),
            Self::Directory => match last(value, b'/') {
                Some(slash) => value[..slash].into(),
                None => without_last_line(value),
            },
            Self::Extensions(count) => extensions(value, *count),
            Self::Default(text) if value.is_empty() || value == b"0" => text.clone().into(),
            Self::Value | Self::Default(_) => value.into(),
            Self::Slice(start, count) => {
                let rest = value.get(*start..).unwrap_or_default();
                rest[..rest.len().min(*count)].into()
            }
            Self::Pattern(pattern) => pattern.apply(value),
        }
    }
}

/// `s:\.[^/.]*$::` for each of `count` extensions at once; a value that has
/// fewer keeps all of them.
fn stem(value: &[u8], count: usize) -> &[u8] {
    let dot = nth_last_dot(value, count);
    &value[..dot.unwrap_or(value.len())]
}

/// `s:.*/::`
fn basename(value: &[u8]) -> Cow<'_, [u8]> {
    cut_line_through(value, value.iter().position(|&byte| byte == b'/'), b'/')
}

/// `dirname` of Perl's `File::Basename`.
fn dirname(value: &[u8]) -> &[u8] {
    let Some(slash) = last(value, b'/') else {
        return b".";
    };
    let directory = without_slashes(&value[..=slash]);
    if slash + 1 < value.len() {
        return directory;
    }
    match last(directory, b'/') {
        Some(slash) => without_slashes(&directory[..=slash]),
        None => b".",
    }
}

/// Without the slashes at its end, but never empty.
fn without_slashes(path: &[u8]) -> &[u8] {
    let kept = path.iter().rposition(|&byte| byte != b'/').unwrap_or(0);
    &path[..=kept]
}

/// `s:.*\.::` for one extension, `s:.*\.([^/.]*\.[^/.]*)$:$1:` for more, and in
/// either case `|| s:.*$::`.
fn extensions(value: &[u8], count: usize) -> Cow<'_, [u8]> {
    let dot = match count {
        1 => value.iter().position(|&byte| byte == b'.'),
        _ => nth_last_dot(value, count),
    };
    match dot {
        None => without_last_line(value),
        Some(_) if count == 1 => cut_line_through(value, dot, b'.'),
        Some(dot) => {
            let line = last(&value[..dot], b'\n').map_or(0, |newline| newline + 1);
            without(value, line, dot + 1)
        }
    }
}

/// `s:.*X::` where the first X of the value is at `first`: its line is cut
/// through its last X.
fn cut_line_through(value: &[u8], first: Option<usize>, sign: u8) -> Cow<'_, [u8]> {
    let Some(first) = first else {
        return value.into();
    };
    let start = last(&value[..first], b'\n').map_or(0, |newline| newline + 1);
    let line = value[first..].split(|&byte| byte == b'\n').next().unwrap_or_default();
    let end = first + last(line, sign).unwrap_or(0) + 1;
    without(value, start, end)
}

/// `s:.*$::`: `$` is also before a newline at the end.
fn without_last_line(value: &[u8]) -> Cow<'_, [u8]> {
    let end = value.len() - usize::from(value.ends_with(b"\n"));
    let start = last(&value[..end], b'\n').map_or(0, |newline| newline + 1);
    without(value, start, end)
}

fn without(value: &[u8], start: usize, end: usize) -> Cow<'_, [u8]> {
    match start {
        0 => value[end..].into(),
        _ => [&value[..start], &value[end..]].concat().into(),
    }
}

/// The `count`-th dot from the end, if no slash follows it.
fn nth_last_dot(value: &[u8], count: usize) -> Option<usize> {
    let name = last(value, b'/').map_or(0, |slash| slash + 1);
    let mut dots = (name..value.len()).rev().filter(|&at| value[at] == b'.');
    dots.nth(count - 1)
}

fn last(value: &[u8], sign: u8) -> Option<usize> {
    value.iter().rposition(|&byte| byte == sign)
}

/// A regular expression and what becomes of its matches.
#[derive(Clone, Debug)]
pub(super) struct PerlSubstitution {
    regex: Regex,
    becomes: MatchBecomes,
    /// Perl's `g`.
    everywhere: bool,
    text: Vec<u8>,
    /// Whether the last group is a newline that stays.
    keeps_newline: bool,
}

/// What becomes of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MatchBecomes {
    /// The text, taken literally.
    Text,
    /// Its first group.
    FirstGroup,
    /// Itself in upper case.
    Upper,
    /// Itself in lower case.
    Lower,
}

impl PerlSubstitution {
    /// `s/pattern/text/`, or what else a match becomes; `_` in `pattern` is `source`.
    pub(super) fn new(
        pattern: &str,
        source: &[u8],
        becomes: MatchBecomes,
        text: &[u8],
        everywhere: bool,
    ) -> Result<Self, String> {
        // Perl's `$` is also before a newline at the end, which stays.
        let regex = pattern.replace('$', "(\\n?)$").replace('_', &spelled(source));
        let regex = RegexBuilder::new(&regex).unicode(false).build().map_err(|error| error.to_string())?;
        Ok(Self { regex, becomes, everywhere, text: text.to_vec(), keeps_newline: pattern.ends_with('$') })
    }

    /// The value after the substitution.
    ///
    /// Unlike the crate's own, Perl's `g` finds an empty match right behind one
    /// that was not empty: `s/a*/-/g` makes `--` of `a`.
    pub(super) fn apply<'a>(&self, value: &'a [u8]) -> Cow<'a, [u8]> {
        let mut out = Vec::new();
        let (mut copied, mut from) = (0, 0);
        let mut empty_at = None;
        while from <= value.len() {
            let Some(found) = self.regex.captures_at(value, from) else {
                break;
            };
            let (start, mut end) = found.get(0).map_or((0, 0), |all| (all.start(), all.end()));
            if self.keeps_newline {
                end -= group(&found, found.len() - 1).len();
            }
            if start == end && empty_at == Some(start) {
                from = start + 1;
                continue;
            }
            out.extend_from_slice(&value[copied..start]);
            self.change(&found, &mut out);
            (copied, from) = (end, end);
            empty_at = (start == end).then_some(end);
            if !self.everywhere {
                break;
            }
        }
        if copied == 0 && out.is_empty() && empty_at.is_none() {
            return value.into();
        }
        out.extend_from_slice(&value[copied..]);
        out.into()
    }

    fn change(&self, found: &Captures<'_>, out: &mut Vec<u8>) {
        match self.becomes {
            MatchBecomes::Text => out.extend_from_slice(&self.text),
            MatchBecomes::FirstGroup => out.extend_from_slice(group(found, 1)),
            MatchBecomes::Upper => out.extend(found[0].to_ascii_uppercase()),
            MatchBecomes::Lower => out.extend(found[0].to_ascii_lowercase()),
        }
    }
}

fn group<'a>(found: &Captures<'a>, number: usize) -> &'a [u8] {
    found.get(number).map_or(&[], |group| group.as_bytes())
}

/// The pattern as the crate spells it: bytes beyond ASCII by their number, and
/// every `{` literal. A `}` ends a replacement string, so no count can ever be
/// closed, and Perl takes an unclosed one literally.
fn spelled(source: &[u8]) -> String {
    let mut out = String::with_capacity(source.len());
    let mut escaped = false;
    for &byte in source {
        match byte {
            0x80.. => {
                if escaped {
                    out.pop();
                }
                out += &format!("\\x{byte:02x}");
            }
            b'{' if !escaped => out += "\\{",
            _ => out.push(char::from(byte)),
        }
        escaped = byte == b'\\' && !escaped;
    }
    out
}

/// The pattern with `*` and `+` made to match as little as they can.
pub(super) fn reluctant(source: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(source.len());
    let mut bytes = source.iter().copied().peekable();
    let mut in_class = false;
    while let Some(byte) = bytes.next() {
        out.push(byte);
        match byte {
            b'\\' => out.extend(bytes.next()),
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' | b'+' if !in_class && bytes.peek() != Some(&b'?') => out.push(b'?'),
            _ => {}
        }
    }
    out
}
