//! Elements as plain processes of this machine, which outlive who started them: for tests,
//! and where there is no batch system.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use super::layout::private;
use super::run_spec::RunSpec;
use super::submitter::{ElementLife, ElementState, Submission, SubmittedJob, Submitter};
use crate::process::{send_to_process, with_first_limits};
use crate::sync::Mutex;

/// Starts processes.
#[derive(Default)]
pub(super) struct LocalElements {
    /// Those that this process has to wait for.
    children: Mutex<Vec<Child>>,
}

/// A process as it is noted: its number, and when it began, so that no other is taken for it.
fn noted(process: u32) -> Option<String> {
    Some(format!("{process}:{}", start_of(process)?.0))
}

/// When a process began, and whether it has ended and nobody waited for it yet.
fn start_of(process: u32) -> Option<(u64, bool)> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Its name may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    Some((fields.nth(18)?.parse().ok()?, state == "Z"))
}

/// The process that was noted so, if it is alive.
fn alive(noted: &str) -> Option<u32> {
    let (process, start) = noted.split_once(':')?;
    let process = process.parse().ok()?;
    let (began, has_ended) = start_of(process)?;
    (!has_ended && start.parse() == Ok(began)).then_some(process)
}

impl Submitter for LocalElements {
    fn submit(&self, submission: &Submission<'_>) -> anyhow::Result<Vec<SubmittedJob>> {
        let Submission { layout, spec, program, first, count } = submission;
        let mut jobs = Vec::new();
        for element in *first..*first + *count {
            let path = layout.path(&format!("log/{element}.out"));
            let log = private().append(true).create(true).open(&path);
            let log = log.with_context(|| format!("cannot open {}", path.display()))?;
            let mut command = Command::new(program);
            with_first_limits(&mut command)
                .arg0("parsim")
                .args(["worker", "--run-dir"])
                .arg(layout.root())
                .args(["--run", &spec.name, "--element", &element.to_string()])
                .current_dir(spec.directory())
                // Not in the terminal's group: it outlives this process.
                .process_group(0)
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log);
            let child = command.spawn().context("cannot start an element")?;
            let id = noted(child.id()).unwrap_or_else(|| "0:0".to_owned());
            self.children.lock().push(child);
            jobs.push(SubmittedJob { first: element, count: 1, id });
        }
        Ok(jobs)
    }

    fn cancel(&self, _spec: &RunSpec, jobs: &[SubmittedJob]) -> anyhow::Result<()> {
        for process in jobs.iter().filter_map(|job| alive(&job.id)) {
            // It may have ended just now.
            let _ = send_to_process(process, libc::SIGTERM);
        }
        Ok(())
    }

    fn look(&self, _spec: &RunSpec, jobs: &[SubmittedJob]) -> anyhow::Result<Vec<ElementState>> {
        self.children.lock().retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_))));
        let state = |job: &SubmittedJob| {
            let life = match alive(&job.id) {
                Some(_) => ElementLife::Running("this machine".to_owned()),
                None => ElementLife::Ended("it ended".to_owned()),
            };
            ElementState { number: job.first, life }
        };
        Ok(jobs.iter().map(state).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_number_and_its_start() {
        let me = noted(std::process::id()).unwrap();
        assert_eq!(alive(&me), Some(std::process::id()));
        let (process, start) = me.split_once(':').unwrap();
        assert_eq!(alive(&format!("{process}:{start}1")), None);
        assert_eq!(alive("nonsense"), None);
    }
}
