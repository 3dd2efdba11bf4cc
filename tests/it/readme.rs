//! Every example of README.md does what it says: the commands of its console and
//! sh blocks are run, each block in a fresh directory.

use std::fs;
use std::path::Path;

use crate::support::Fresh;

/// What is no business of the program itself, or would build it again.
const SKIPPED: [&str; 6] =
    ["cargo build", "cargo test", "cargo bench", "cargo install", "git clone", "cd parsim"];

/// How a reader in a clone starts the program.
const FROM_SOURCE: &str = "cargo run --release --";

/// A block of commands, by the line it starts at.
#[derive(Debug, PartialEq)]
struct Block {
    line: usize,
    commands: Vec<Command>,
}

#[derive(Debug, PartialEq)]
struct Command {
    text: String,
    status: i32,
}

/// The blocks of commands of a text (`console`: lines that start with "$ ", with
/// what they print; `sh`: every line); an error names the line of a block that is
/// not one of commands.
fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((start, opening)) = lines.next() {
        let Some(language) = opening.trim_start().strip_prefix("```") else { continue };
        let mut commands: Vec<Command> = Vec::new();
        let mut is_continued = false;
        loop {
            let Some((_, line)) = lines.next() else {
                return Err(format!("line {start}: a block without an end"));
            };
            if line.trim_start() == "```" {
                break;
            }
            let is_script = language == "sh" && !is_continued && !line.trim().is_empty();
            if let Some(command) = line.trim_start().strip_prefix("$ ").or(is_script.then_some(line)) {
                commands.push(Command { text: command.to_owned(), status: 0 });
            } else if let (true, Some(command)) = (is_continued, commands.last_mut()) {
                command.text = format!("{}{}", command.text.trim_end_matches('\\'), line.trim_start());
            }
            is_continued =
                commands.last().is_some_and(|command| command.text.ends_with('\\')) && line.ends_with('\\');
        }
        if !["console", "sh"].contains(&language) {
            continue;
        }
        if commands.is_empty() {
            return Err(format!("line {start}: a console block without a command: one starts with \"$ \""));
        }
        for command in &mut commands {
            if let Some((text, status)) = command.text.split_once("# exits with ") {
                let status = status.trim().parse();
                command.status =
                    status.map_err(|_| format!("line {start}: which status? {}", command.text))?;
                command.text = text.trim_end().to_owned();
            }
        }
        blocks.push(Block { line: start, commands });
    }
    Ok(blocks)
}

/// The command as it is run here; `None` where it is not.
fn runnable(text: &str) -> Option<String> {
    let is_skipped = SKIPPED.iter().any(|start| text == *start || text.starts_with(&format!("{start} ")));
    (!is_skipped).then(|| text.replace(FROM_SOURCE, "parsim"))
}

#[test]
fn every_example_of_the_readme_runs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(path).unwrap();
    let mut n_run = 0;
    for block in blocks(&readme).unwrap() {
        let fresh = Fresh::new();
        for Command { text, status } in &block.commands {
            let Some(script) = runnable(text) else { continue };
            fresh.shell(&format!("# README.md line {}\n{script}", block.line)).run().exits(*status);
            n_run += 1;
        }
    }
    assert!(n_run > 0, "README.md shows no command of parsim");
}

#[test]
fn the_readme_shows_the_table_of_exit_statuses() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(path).unwrap();
    for (status, meaning) in parsim::testing::cli::STATUSES {
        let row = |line: &&str| line.contains(status) && line.contains(meaning);
        assert!(readme.lines().any(|line| row(&line)), "README.md does not say that {status} is {meaning:?}");
    }
}

#[test]
fn commands_are_told_from_what_they_print() {
    let text = "\
a
```console
$ parsim csv \\
    --files 2
wall 1 s
$ parsim slep  # exits with 255
```
```rust
$ no
```
```sh
parsim cpus
cargo test
```
  ```console
  $ cargo run --release -- cpus | head -1
  ```
";
    let command = |text: &str, status| Command { text: text.to_owned(), status };
    let expected = [
        Block { line: 2, commands: vec![command("parsim csv --files 2", 0), command("parsim slep", 255)] },
        Block { line: 11, commands: vec![command("parsim cpus", 0), command("cargo test", 0)] },
        Block { line: 15, commands: vec![command("cargo run --release -- cpus | head -1", 0)] },
    ];
    assert_eq!(blocks(text).unwrap(), expected);
    assert_eq!(runnable("cargo run --release -- cpus | head -1").unwrap(), "parsim cpus | head -1");
    assert_eq!(runnable("cargo test"), None);
    assert_eq!(runnable("cargo test --release"), None);
    assert_eq!(runnable("cargo testify").unwrap(), "cargo testify");
}

#[test]
fn blocks_that_cannot_be_run_are_errors() {
    assert!(blocks("```console\nparsim csv\n```\n").unwrap_err().contains("line 1: a console block without"));
    assert!(blocks("```console\n$ parsim csv\n").unwrap_err().contains("without an end"));
    assert!(blocks("```console\n$ x # exits with care\n```\n").unwrap_err().contains("which status?"));
}
