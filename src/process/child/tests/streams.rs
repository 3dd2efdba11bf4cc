//! Output and input: whole, live, paused, and without waiting for anybody but
//! the job's own process.

use std::io::{BufRead, Read};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use super::super::job::Broken;
use super::*;

const MIB: usize = 1024 * 1024;

#[test]
fn a_mebibyte_on_both_channels_comes_whole() {
    either_way(|_, worker| {
        let ran = sh(
            worker,
            "dd if=/dev/zero bs=64k count=16 2>/dev/null | tr '\\0' x | tee /dev/stderr; echo end",
        );
        assert!(ran.report.ended.is_success());
        assert_eq!((ran.out.len(), ran.err.len()), (MIB + 4, MIB));
        assert!(ran.out.ends_with("xend\n"));
    });
}

#[test]
fn ten_mebibytes_are_fed_through_cat() {
    either_way(|_, worker| {
        let text: String = (0..10 * MIB / 8).map(|n| format!("{n:07}\n")).collect();
        let command = program("/bin/cat");
        let argv = Words::from_words(["cat"]).unwrap();
        let mut source = text.as_bytes();
        let job = Job { stdin: JobStdin::Feed(&mut source), ..Job::new(&command, &argv) };
        let ran = collect(worker, job).unwrap();
        assert!(ran.report.ended.is_success() && ran.out == text);
        assert!(source.is_empty());
    });
}

#[test]
fn a_job_that_reads_no_more_is_no_error() {
    either_way(|_, worker| {
        let zeros = vec![0; MIB];
        for text in ["head -c 1 | wc -c", "exec <&-; echo 1", "echo 1"] {
            let (command, argv, mut source) = (shell(), script(text), &zeros[..]);
            let job = Job { stdin: JobStdin::Feed(&mut source), ..Job::new(&command, &argv) };
            let ran = collect(worker, job).unwrap();
            assert_eq!((ran.out.as_str(), ran.report.ended), ("1\n", ProcessEnd::Exited(0)));
            assert!(ran.report.cause.is_none() && ran.report.broken.is_none());
        }
    });
}

/// Gives what comes through a channel, and has nothing in between.
struct Trickle(mpsc::Receiver<Vec<u8>>, Vec<u8>);

impl Read for Trickle {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        unreachable!("a feed reads through its buffer")
    }
}

impl BufRead for Trickle {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.1.is_empty() {
            match self.0.try_recv() {
                Ok(bytes) => self.1 = bytes,
                Err(mpsc::TryRecvError::Empty) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(mpsc::TryRecvError::Disconnected) => {}
            }
        }
        Ok(&self.1)
    }

    fn consume(&mut self, amount: usize) {
        self.1.drain(..amount);
    }
}

#[test]
fn a_source_that_waits_is_asked_again_when_the_bell_rings() {
    either_way(|_, worker| {
        let (sender, receiver) = mpsc::channel();
        let (command, argv, waker) = (shell(), script("echo ready; cat"), worker.waker());
        let mut source = Trickle(receiver, Vec::new());
        let mut sender = Some(sender);
        let job = Job { stdin: JobStdin::Feed(&mut source), ..Job::new(&command, &argv) };
        // Each piece is sent only when the one before has come back.
        let ran = collect_and(worker, job, |out| {
            match out {
                "ready\n" => drop(sender.as_ref().unwrap().send(b"one\n".to_vec())),
                "ready\none\n" => drop(sender.as_ref().unwrap().send(b"two\n".to_vec())),
                _ => sender = None,
            }
            waker.wake();
        });
        assert_eq!(ran.unwrap().out, "ready\none\ntwo\n");
    });
}

#[test]
fn a_job_that_closes_its_input_while_the_source_waits_does_not_keep_the_core_busy() {
    either_way(|_, worker| {
        let (_sender, receiver) = mpsc::channel();
        let (command, argv) = (shell(), script("exec <&-; sleep 0.2"));
        let mut source = Trickle(receiver, Vec::new());
        let job = Job { stdin: JobStdin::Feed(&mut source), ..Job::new(&command, &argv) };
        let before = thread_cpu();
        assert!(collect(worker, job).unwrap().report.ended.is_success());
        assert!(thread_cpu() < before + std::time::Duration::from_millis(100));
    });
}

#[expect(unsafe_code, reason = "std does not know a thread's CPU time")]
fn thread_cpu() -> std::time::Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` lives through the call.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) }, 0);
    std::time::Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap())
}

#[test]
fn a_background_process_that_holds_the_pipes_neither_hangs_the_job_nor_is_killed() {
    either_way(|_, worker| {
        let ran = sh(worker, "sleep 1000 & echo $!");
        let background: i32 = ran.out.trim().parse().unwrap();
        assert!(is_alive(background));
        assert!(sh(worker, &format!("kill -KILL {background}")).report.ended.is_success());
        until(|| !is_alive(background));
    });
}

#[test]
fn output_and_input_can_be_files() {
    either_way(|_, worker| {
        let dir = tempfile::tempdir().unwrap();
        let (input, output) = (dir.path().join("in"), dir.path().join("out"));
        std::fs::write(&input, "text\n").unwrap();
        let (from, to) = (std::fs::File::open(&input).unwrap(), std::fs::File::create(&output).unwrap());
        let (command, argv) = (shell(), script("cat; echo oops >&2"));
        let job = Job {
            stdin: JobStdin::File(from.as_fd()),
            stdout: JobStdout::File(to.as_fd()),
            ..Job::new(&command, &argv)
        };
        let ran = collect(worker, job).unwrap();
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", "oops\n"));
        assert_eq!(std::fs::read_to_string(output).unwrap(), "text\n");
        assert_eq!(sh(worker, "cat").out, "", "otherwise there is nothing to read");
    });
}

/// Takes what comes, but pauses after each piece.
struct Hesitant<F> {
    taken: String,
    paused: bool,
    on_pause: F,
}

impl<F: FnMut()> Listener for Hesitant<F> {
    fn output(&mut self, _: JobStream, bytes: &[u8]) -> io::Result<Flow> {
        assert!(!self.paused, "a paused channel was read");
        self.taken += std::str::from_utf8(bytes).unwrap();
        self.paused = true;
        (self.on_pause)();
        Ok(Flow::Pause)
    }

    fn resumes(&mut self, channel: JobStream) -> bool {
        assert_eq!(channel, JobStream::Out);
        self.paused = false;
        true
    }
}

#[test]
fn a_paused_job_blocks_until_the_bell_rings() {
    either_way(|running, worker| {
        let (tell, told) = mpsc::channel();
        let (command, argv, waker) = (shell(), script("exec yes"), worker.waker());
        thread::scope(|scope| {
            scope.spawn(move || {
                for () in told.iter().take(3) {
                    let [(_, job)] = running.list()[..] else { panic!("one job runs") };
                    // Asleep: its pipe is full, and nobody reads it.
                    until(|| state(job) == Some('S'));
                    waker.wake();
                }
                running.kill_now();
            });
            let on_pause = move || tell.send(()).unwrap_or(());
            let mut listener = Hesitant { taken: String::new(), paused: false, on_pause };
            let report = worker.run(Job::new(&command, &argv), &mut listener).unwrap();
            assert_eq!(report.cause, Some(Cause::Killed));
            assert!(listener.taken.len() <= 5 * 64 * 1024, "{}", listener.taken.len());
        });
    });
}

#[test]
fn what_a_job_wrote_before_it_ended_is_read_after_a_long_pause_and_nothing_that_came_later() {
    either_way(|running, worker| {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "echo one; cat >/dev/null
            (while kill -0 $$; do :; done; echo late; : >{}; exec sleep 1000) 2>/dev/null & echo $!",
            dir.path().join("late").display()
        );
        let (command, argv, waker) = (shell(), script(&text), worker.waker());
        let (sender, receiver) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let mut source = Trickle(receiver, Vec::new());
        thread::scope(|scope| {
            scope.spawn(move || {
                told.recv().unwrap();
                // The end of its input makes the job write again and end.
                drop(sender);
                until(|| {
                    waker.wake();
                    running.list().is_empty()
                });
                until(|| {
                    waker.wake();
                    told.try_recv().is_err_and(|error| error == mpsc::TryRecvError::Disconnected)
                });
            });
            let job = Job { stdin: JobStdin::Feed(&mut source), ..Job::new(&command, &argv) };
            let late = dir.path().join("late");
            let mut listener = Slow { taken: String::new(), late, tell };
            assert!(worker.run(job, &mut listener).unwrap().ended.is_success());
            let background = listener.taken.strip_prefix("one\n").and_then(|text| text.strip_suffix("\n"));
            sh(worker, &format!("kill {}", background.unwrap().parse::<i32>().unwrap()));
        });
    });
}

/// Is ready for more only when a background process has written something, too.
struct Slow {
    taken: String,
    late: PathBuf,
    tell: mpsc::Sender<()>,
}

impl Listener for Slow {
    fn output(&mut self, _: JobStream, bytes: &[u8]) -> io::Result<Flow> {
        self.taken += std::str::from_utf8(bytes).unwrap();
        let _ = self.tell.send(());
        Ok(Flow::Pause)
    }

    fn resumes(&mut self, _: JobStream) -> bool {
        self.late.exists()
    }
}

#[test]
fn a_listener_that_fails_ends_the_job_and_is_heard() {
    either_way_with(&patient(), |_, worker| {
        let command = shell();
        let argv = script("sleep 1000 & echo $!; wait");
        let mut background = 0;
        let report = worker.run(Job::new(&command, &argv), &mut |_: JobStream, bytes: &[u8]| {
            background = std::str::from_utf8(bytes).unwrap().trim().parse().unwrap();
            Err(io::ErrorKind::StorageFull.into())
        });
        let report = report.unwrap();
        assert_eq!(report.cause, Some(Cause::Broken));
        let Some(Broken::Output(error)) = report.broken else { panic!("{:?}", report.broken) };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        until(|| !is_alive(background));
    });
}

/// A source that has some bytes and then trouble.
struct Troubled(bool);

impl io::Read for Troubled {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl BufRead for Troubled {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.0 { Err(io::ErrorKind::StaleNetworkFileHandle.into()) } else { Ok(b"some") }
    }

    fn consume(&mut self, _: usize) {
        self.0 = true;
    }
}

#[test]
fn trouble_with_a_jobs_input_is_told_apart_and_ends_the_job() {
    either_way_with(&patient(), |_, worker| {
        let (command, argv) = (shell(), script("cat; sleep 1000"));
        let mut source = Troubled(false);
        let job = Job { stdin: JobStdin::Feed(&mut source), ..Job::new(&command, &argv) };
        let report = collect(worker, job).unwrap().report;
        assert_eq!(report.cause, Some(Cause::Broken));
        let Some(Broken::Input(error)) = report.broken else { panic!("{:?}", report.broken) };
        assert_eq!(error.kind(), io::ErrorKind::StaleNetworkFileHandle);
    });
}
