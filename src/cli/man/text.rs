//! A text of the help as part of a man page: headings, paragraphs, lists and
//! tables that a reader sees in it become those of roff.
//!
//! Knows how the texts are laid out, and nothing of what they say.

use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::help::told::is_heading;

/// Puts `text` at the end of `roff`.
pub(super) fn put(roff: &mut Roff, text: &str) {
    let mut heading = "";
    let mut is_paragraph = false;
    // What comes first in a section is a paragraph without a sign of its own.
    let mut is_first = false;
    for line in text.lines() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        let is_new = !std::mem::replace(&mut is_paragraph, !content.is_empty());
        if content.is_empty() {
            continue;
        }
        if is_heading(line) {
            heading = line.trim_end_matches(':');
            roff.control("SH", [heading.to_uppercase().as_str()]);
            is_first = true;
            continue;
        } else if let Some(item) = content.strip_prefix("- ") {
            roff.control("IP", ["\\(bu", "2"]).text([roman(item)]);
        } else if let (2, Some((tag, body))) = (indent, content.split_once("  ")) {
            roff.control("TP", []).text([bold(tag)]).text([roman(body.trim_start())]);
        } else if indent == 2 && heading == "Examples" {
            if !is_first {
                roff.control("PP", []);
            }
            roff.text([bold(content)]);
        } else {
            if is_new && !is_first {
                roff.control("PP", []);
            }
            roff.text([roman(content)]);
        }
        is_first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_paragraphs_lists_tables_and_examples_are_told_apart() {
        let text = "\
A title

Text of
two lines.

Examples:
  do it now
  do it later      when there is time
.x is hidden from roff

Rules:
  - one
    goes on
  - two
";
        let mut roff = Roff::new();
        put(&mut roff, text);
        let expected = "\
.PP
A title
.PP
Text of
two lines.
.SH EXAMPLES
\\fBdo it now\\fR
.TP
\\fBdo it later\\fR
when there is time
\\&.x is hidden from roff
.SH RULES
.IP \\(bu 2
one
goes on
.IP \\(bu 2
two
";
        assert_eq!(roff.to_roff(), expected);
    }
}
