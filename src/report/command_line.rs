//! The command line as headings show it: long lists of inputs are cut.
//!
//! What is to be typed again comes from the study itself, which keeps every word.

use std::borrow::Cow;
use std::ops::Range;

use crate::study::Study;
use crate::text::{printable, without_middle};

/// Up to so many inputs are all shown.
const FEW: usize = 6;

/// Of more, so many.
const FIRST: usize = 3;

/// A longer word loses its middle.
const LONGEST_WORD: usize = 120;

/// The name that was given, what was typed, or the workload where a program used the
/// library.
pub(super) fn command_line(study: &Study) -> String {
    if let Some(name) = &study.name {
        return printable(&without_middle(name, LONGEST_WORD));
    }
    if study.command.is_empty() {
        return printable(&study.workload);
    }
    let words: Vec<&str> = study.command.iter().map(String::as_str).collect();
    let mut shown: Vec<Cow<'_, str>> = Vec::new();
    let mut from = 0;
    for list in lists(&words, study.workload == COMMANDS) {
        let (range, noun) = (list.range, list.noun);
        shown.extend(words[from..range.start].iter().map(|word| quoted(word)));
        from = range.end;
        if range.len() <= FEW {
            shown.extend(words[range].iter().map(|word| quoted(word)));
            continue;
        }
        shown.extend(words[range.start..range.start + FIRST].iter().map(|word| quoted(word)));
        shown.push(format!("... ({} {noun})", range.len()).into());
    }
    shown.extend(words[from..].iter().map(|word| quoted(word)));
    printable(&shown.join(" "))
}

/// Words of a command line that are inputs, and what stands behind their number.
struct InputList {
    range: Range<usize>,
    noun: &'static str,
}

/// What a batch of commands is called in a study.
const COMMANDS: &str = "command";

/// The lists behind `:::` and its like; without any, what stands last on the line, where
/// that is a list and not a command.
fn lists(words: &[&str], is_batch: bool) -> Vec<InputList> {
    let noun = |word: &str| match word {
        ":::" | ":::+" => Some("inputs"),
        "::::" | "::::+" => Some("files"),
        _ => None,
    };
    let mut lists: Vec<InputList> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if let Some(noun) = noun(word) {
            lists.push(InputList { range: at + 1..at + 1, noun });
        } else if let Some(list) = lists.last_mut() {
            list.range.end = at + 1;
        }
    }
    if lists.is_empty() && !is_batch {
        let last_option = words.iter().rposition(|word| word.starts_with('-'));
        // An option may have the word behind it; the first two are the program and what it is to do.
        let start = last_option.map_or(2, |at| at + 2).min(words.len());
        lists.push(InputList { range: start..words.len(), noun: "in all" });
    }
    lists
}

/// `word` as a shell reads it.
fn quoted(word: &str) -> Cow<'_, str> {
    match without_middle(word, LONGEST_WORD) {
        // No shell reads `--name=value` as anything else, if it reads name and value as they are.
        Cow::Borrowed(word) if word.starts_with("--") && !needs_quotes(&word.replacen('=', "", 1)) => {
            word.into()
        }
        Cow::Borrowed(word) => shell_words::quote(word),
        Cow::Owned(cut) => shell_words::quote(&cut).into_owned().into(),
    }
}

fn needs_quotes(word: &str) -> bool {
    shell_words::quote(word) != word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::tests::empty;

    fn shown(words: &[&str]) -> String {
        command_line(&Study { command: words.iter().map(ToString::to_string).collect(), ..empty() })
    }

    #[test]
    fn a_command_is_no_list_of_inputs() {
        let words = ["parsim", "compare", "-j", "2", "echo", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        let command = words.map(str::to_owned).to_vec();
        let batch = Study { command, workload: COMMANDS.to_owned(), ..empty() };
        assert_eq!(command_line(&batch), words.join(" "));
    }

    #[test]
    fn a_long_list_of_inputs_is_cut_and_counted() {
        let inputs: Vec<String> = (1..=300).map(|number| format!("f {number}")).collect();
        let mut words = vec!["parsim", "parallel", "-k", "echo", ":::"];
        words.extend(inputs.iter().map(String::as_str));
        assert_eq!(shown(&words), "parsim parallel -k echo ::: 'f 1' 'f 2' 'f 3' ... (300 inputs)");
        words.extend(["::::", "a", "b"]);
        assert_eq!(shown(&words), "parsim parallel -k echo ::: 'f 1' 'f 2' 'f 3' ... (300 inputs) :::: a b");
    }

    #[test]
    fn what_is_short_stays_whole() {
        let words = ["parsim", "compare", "echo {}", ":::", "1", "2", "3", "4", "5", "6", ":::+", "a"];
        assert_eq!(shown(&words), "parsim compare 'echo {}' ::: 1 2 3 4 5 6 :::+ a");
        assert_eq!(shown(&["parsim", "csv", "--files", "20"]), "parsim csv --files 20");
        assert_eq!(shown(&["parsim", "csv", "--progress=never"]), "parsim csv --progress=never");
        assert_eq!(shown(&["parsim", "csv", "--format=a b"]), "parsim csv '--format=a b'");
        assert_eq!(shown(&[]), empty().workload);
    }

    #[test]
    fn services_on_the_line_are_cut_and_long_words_lose_their_middle() {
        let mut words = vec!["parsim", "tap", "--jobs", "4"];
        words.extend(["http://h/tap"; 7]);
        assert_eq!(
            shown(&words),
            "parsim tap --jobs 4 http://h/tap http://h/tap http://h/tap ... (7 in all)"
        );
        let script = format!("{}{}", "a".repeat(1000), "z".repeat(1000));
        let told = shown(&["parsim", "parallel", &script]);
        assert_eq!(told, format!("parsim parallel {}...{}", "a".repeat(60), "z".repeat(60)));
    }
}
