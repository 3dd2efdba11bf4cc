//! The names of the files that a job's results go to.
//!
//! Below a folder they are GNU parallel's: `DIR/1/VALUE/2/VALUE/stdout`, names
//! from a header instead of numbers where there is one. A value is one name there
//! and never leads anywhere else:
//!
//! | in a value | in a name | |
//! |---|---|---|
//! | `\`, tab, NUL, `/` | `\\`, `\t`, `\0`, `\_` | as GNU parallel |
//! | nothing at all | `\e` | which GNU parallel puts into the folder above |
//! | `.` and `..` as the whole value | `\.` and `\..` | which would lead out of the folder |
//! | too long for a name | its beginning, `\#` and 16 digits of its XXH3 | which GNU parallel only cuts |
//!
//! No two values have the same name. A template of the user's is taken as it is,
//! but `..` in a value becomes `\..` where the template names a folder before it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use xxhash_rust::xxh3::xxh3_64;

use crate::sorting;
use crate::task::Task;
use crate::template::{Counts, Quoting, Template};
use crate::temporary;

/// The longest name of most file systems, in bytes.
const LONGEST_NAME: usize = 255;

/// A name in a path that would be too long.
const SHORT_NAME: usize = 60;

/// The longest path, with room for the name of a temporary.
const LONGEST_PATH: usize = 3900;

/// What the values of a job are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultColumns {
    /// Their names by position; empty where one has none.
    pub names: Vec<Vec<u8>>,
    /// How many belong to one input, where jobs are packed of several.
    pub width: Option<usize>,
}

/// Where the results of jobs are.
#[derive(Clone, Debug)]
pub enum ResultPlace {
    /// In a tree below this folder.
    Folder(Vec<u8>, ResultColumns),
    /// Where this template says: a folder where that ends in a slash.
    Template {
        /// The template.
        template: Template,
        /// For the numbers of each job.
        counts: Counts,
        /// Whether a folder's name stands before the first value.
        is_below: bool,
    },
    /// In a fresh file of this folder each: `--files`.
    Fresh(PathBuf),
}

/// The files of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResultPaths {
    pub(super) stdout: PathBuf,
    /// None where nobody wants to know.
    pub(super) stderr: Option<PathBuf>,
    /// Holds the job's number; written last.
    pub(super) seq: Option<PathBuf>,
    /// Whether nobody but the user may read them; else those whom the umask leaves.
    pub(super) is_private: bool,
}

impl ResultPlace {
    /// Whether names depend on the number of jobs.
    pub fn needs_total(&self) -> bool {
        matches!(self, Self::Template { template, .. } if template.needs_total())
    }

    /// The files of `task`.
    pub(super) fn paths(&self, task: &Task) -> ResultPaths {
        let values = task.spec.values();
        let base = match self {
            Self::Folder(folder, columns) => tree(folder, columns, values),
            Self::Template { template, counts, is_below } => {
                let numbers = counts.numbers(task.seq, task.slot);
                let mut base = Vec::new();
                if *is_below {
                    let values: Vec<Vec<u8>> = values.iter().map(|value| kept_below(value)).collect();
                    template.render(&values, &numbers, Quoting::None, &mut base);
                } else {
                    template.render(values, &numbers, Quoting::None, &mut base);
                }
                base
            }
            Self::Fresh(folder) => {
                return ResultPaths { stdout: fresh(folder), stderr: None, seq: None, is_private: true };
            }
        };
        let named = |suffix: &str| path([&base, suffix.as_bytes()].concat());
        let [stdout, stderr, seq] =
            if base.ends_with(b"/") { ["stdout", "stderr", "seq"] } else { ["", ".err", ".seq"] }.map(named);
        ResultPaths { stdout, stderr: Some(stderr), seq: Some(seq), is_private: false }
    }
}

fn path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}

fn tree(folder: &[u8], columns: &ResultColumns, values: &[Vec<u8>]) -> Vec<u8> {
    let whole = tree_of(folder, columns, values, LONGEST_NAME);
    if whole.len() <= LONGEST_PATH { whole } else { tree_of(folder, columns, values, SHORT_NAME) }
}

fn tree_of(folder: &[u8], columns: &ResultColumns, values: &[Vec<u8>], longest: usize) -> Vec<u8> {
    let mut path = folder.to_vec();
    if !path.ends_with(b"/") {
        path.push(b'/');
    }
    let width = columns.width.unwrap_or(values.len()).max(1);
    for row in values.chunks(width) {
        let mut named: Vec<(Vec<u8>, &Vec<u8>)> = (0..)
            .zip(row)
            .map(|(at, value)| match columns.names.get(at) {
                Some(name) if !name.is_empty() => (name.clone(), value),
                _ => ((at + 1).to_string().into_bytes(), value),
            })
            .collect();
        // As GNU parallel: by number, then by name.
        sorting::sort_by(&mut named, |(a, _), (b, _)| number(a).cmp(&number(b)).then_with(|| a.cmp(b)));
        for (column, value) in named {
            path.extend(name(&column, longest));
            path.push(b'/');
            path.extend(name(value, longest));
            path.push(b'/');
        }
    }
    path
}

/// The number that `text` begins with, as Perl reads it.
fn number(text: &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

/// `value` as one name of at most `longest` bytes.
fn name(value: &[u8], longest: usize) -> Vec<u8> {
    let mut name = Vec::with_capacity(value.len());
    if value.is_empty() {
        return b"\\e".to_vec();
    }
    if value == b"." || value == b".." {
        name.push(b'\\');
    }
    for &byte in value {
        match byte {
            b'\\' => name.extend(b"\\\\"),
            b'\t' => name.extend(b"\\t"),
            0 => name.extend(b"\\0"),
            b'/' => name.extend(b"\\_"),
            _ => name.push(byte),
        }
    }
    if name.len() > longest {
        let hash = format!("\\#{:016x}", xxh3_64(value));
        // Not within a character of UTF-8.
        let mut end = longest - hash.len();
        while end > 0 && name[end] & 0xc0 == 0x80 {
            end -= 1;
        }
        name.truncate(end);
        name.extend(hash.as_bytes());
    }
    name
}

/// `value` in a template, unable to lead to a folder above.
fn kept_below(value: &[u8]) -> Vec<u8> {
    let parts: Vec<&[u8]> = value.split(|&byte| byte == b'/').collect();
    let safe = parts.iter().map(|part| if *part == b".." { b"\\..".as_slice() } else { part });
    safe.collect::<Vec<_>>().join(&b'/')
}

/// A name as GNU parallel's, which no file in `folder` has and nobody can guess.
fn fresh(folder: &std::path::Path) -> PathBuf {
    const LETTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut number = temporary::random();
    let mut letters = [0; 10];
    for letter in &mut letters {
        *letter = LETTERS[usize::try_from(number % 62).unwrap_or(0)];
        number /= 62;
    }
    folder.join(format!("par{}.par", String::from_utf8_lossy(&letters)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;
    use crate::task::TaskInput;
    use crate::template::TemplateOptions;

    fn stdout(place: &ResultPlace, values: &[&[u8]]) -> PathBuf {
        let spec = TaskInput::Values(values.iter().map(|value| value.to_vec()).collect());
        place.paths(&Task { spec, ..Task::numbered(0, "") }).stdout
    }

    fn folder(names: &[&str], width: Option<usize>) -> ResultPlace {
        let names = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        ResultPlace::Folder(b"out".to_vec(), ResultColumns { names, width })
    }

    fn template(text: &str, is_below: bool) -> ResultPlace {
        let template = Template::text(text.as_bytes(), &TemplateOptions::default()).unwrap();
        ResultPlace::Template { template, counts: Counts::new(12, Some(20)), is_below }
    }

    #[test]
    fn a_template_has_the_numbers_of_the_job_and_of_its_batch() {
        let options = TemplateOptions { plus: true, ..TemplateOptions::default() };
        let template = Template::text(b"{0#}of{##}-{0%}", &options).unwrap();
        let place = ResultPlace::Template { template, counts: Counts::new(12, Some(20)), is_below: false };
        assert!(place.needs_total());
        let task = Task { slot: 4, ..Task::numbered(2, "") };
        assert_eq!(place.paths(&task).stdout, Path::new("03of20-05"));
    }

    #[test]
    fn a_tree_has_gnu_parallels_names() {
        let plain = folder(&[], None);
        assert_eq!(stdout(&plain, &[b"I", b"x y"]), Path::new("out/1/I/2/x y/stdout"));
        assert_eq!(stdout(&plain, &[b"a/b\t\\"]), Path::new("out/1/a\\_b\\t\\\\/stdout"));
        assert_eq!(stdout(&folder(&["q", "p"], None), &[b"1", b"2"]), Path::new("out/p/2/q/1/stdout"));
        assert_eq!(stdout(&folder(&[], Some(1)), &[b"a", b"b"]), Path::new("out/1/a/1/b/stdout"));
    }

    #[test]
    fn a_template_is_taken_as_it_is_but_leads_to_no_folder_above_its_own() {
        assert_eq!(stdout(&template("r_{}.txt", false), &[b"a"]), Path::new("r_a.txt"));
        assert_eq!(stdout(&template("d_{}/", false), &[b"a"]), Path::new("d_a/stdout"));
        assert_eq!(stdout(&template("{.}.log", false), &[b"../x.c"]), Path::new("../x.log"));
        assert_eq!(stdout(&template("out/{}", true), &[b"../../x"]), Path::new("out/\\../\\../x"));
    }

    proptest! {
        #[test]
        fn no_value_leads_elsewhere_and_no_two_have_the_same_name(
            values in prop::collection::hash_set(
                prop_oneof![
                    prop::collection::vec(prop::sample::select(b"./\\e_t#\t0".to_vec()), 0..4),
                    prop::collection::vec(any::<u8>(), 0..600),
                ],
                1..20,
            )
        ) {
            let place = folder(&[], None);
            let mut names = HashSet::new();
            for value in &values {
                let path = stdout(&place, &[value]);
                let parts: Vec<Component<'_>> = path.components().collect();
                prop_assert_eq!(parts.len(), 4, "{:?}", path);
                prop_assert!(parts.iter().all(|part| matches!(part, Component::Normal(_))));
                prop_assert!(parts.iter().all(|part| part.as_os_str().len() <= LONGEST_NAME));
                names.insert(path);
            }
            prop_assert_eq!(names.len(), values.len());
        }
    }

    #[test]
    fn many_long_values_make_a_path_that_can_be_opened() {
        let values: Vec<Vec<u8>> = (0..30).map(|at| vec![b'a' + at; 250]).collect();
        let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        assert!(stdout(&folder(&[], None), &values).as_os_str().len() <= LONGEST_PATH);
    }
}
