//! What is dealt to whom, and who waits for it.

use std::io::Write as _;
use std::os::fd::{BorrowedFd, OwnedFd};

use super::*;
use crate::inputs::{BlockSpec, Wait};
use crate::process::child::{JobRunner, RunningJobs, TermSequence};

#[expect(clippy::unnecessary_wraps, reason = "as a patience answers")]
fn readable(_: BorrowedFd<'_>) -> io::Result<Wait> {
    Ok(Wait::Readable)
}

/// A dealer for two jobs over `input`, a line each, and what they are woken by.
fn dealer(input: &[u8], in_turn: InTurn) -> (RoundRobin, Waker) {
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(input).unwrap();
    drop(writer);
    let spec = BlockSpec { records: std::num::NonZeroUsize::new(1), ..BlockSpec::default() };
    let blocks = Blocks::new(&spec, OwnedFd::from(reader).into()).unwrap();
    let running = RunningJobs::new(TermSequence::default(), 0).unwrap();
    let waker = JobRunner::new(&running, 1).unwrap().waker();
    (RoundRobin::new(vec![blocks], Box::new(readable), 2, in_turn), waker)
}

#[test]
fn when_the_input_breaks_as_a_job_is_opened_those_that_are_open_end() {
    let (dealer, waker) = dealer(b"a\nb\nc\n", InTurn::UnlessSlow);
    assert!(dealer.open(&mut readable).unwrap());
    let mut first = dealer.reader(0, waker);
    let mut line = [0; 2];
    first.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"a\n");
    // Broken, whatever was read before.
    dealer.source.lock().0 = [broken()].into();
    assert!(dealer.open(&mut readable).is_err());
    assert_eq!(first.read(&mut line).unwrap(), 0, "nothing more will come, and it knows");
    assert!(!dealer.open(&mut readable).unwrap());
}

/// What cannot be read: a folder.
fn broken() -> Blocks {
    Blocks::new(&BlockSpec::default(), std::fs::File::open("/").unwrap()).unwrap()
}

#[test]
fn what_was_dealt_to_a_job_that_nobody_takes_is_read_by_another() {
    let input = "a\n".repeat(60_000);
    let (dealer, waker) = dealer(&input.into_bytes()[..60_000], InTurn::Always);
    assert!(dealer.open(&mut readable).unwrap());
    let _attended = dealer.attended(0);
    assert!(dealer.open(&mut readable).unwrap());
    dealer.no_more_jobs();
    // A job that is attended to stays.
    dealer.no_more_jobs();
    assert!(dealer.state.lock().jobs[1].closed && !dealer.state.lock().jobs[0].closed);
    let mut all = Vec::new();
    dealer.reader(0, waker).read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), 60_000);
}

#[test]
fn a_job_that_has_read_all_waits_for_what_another_may_leave_it() {
    let (dealer, waker) = dealer(b"a\nb\n", InTurn::UnlessSlow);
    assert!(dealer.open(&mut readable).unwrap());
    let _attended = dealer.attended(0);
    assert!(dealer.open(&mut readable).unwrap());
    let mut first = dealer.reader(0, waker);
    let mut line = [0; 2];
    first.read_exact(&mut line).unwrap();
    let error = first.read(&mut line).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "the other job may not come to be");
    dealer.no_more_jobs();
    first.read_exact(&mut line).unwrap();
    assert_eq!((&line, first.read(&mut [0]).unwrap()), (b"b\n", 0));
}

#[test]
fn whoever_finds_the_end_lets_no_job_go_that_the_last_block_is_for() {
    for _ in 0..2000 {
        let (dealer, waker) = dealer(b"a\nb\nc\nd\ne\n", InTurn::UnlessSlow);
        assert!(dealer.open(&mut readable).unwrap() && dealer.open(&mut readable).unwrap());
        let _attended = [dealer.attended(0), dealer.attended(1)];
        // Readers stay, as they do while a job ends: what is dealt to one goes to no other.
        let mut readers = [0, 1].map(|number| dealer.reader(number, waker.clone()));
        let count: usize = std::thread::scope(|scope| {
            let read = |reader: &mut DealtReader<'_>| {
                let mut all = Vec::new();
                while let Err(error) = reader.read_to_end(&mut all) {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                }
                all.len()
            };
            let reads = readers.each_mut().map(|reader| scope.spawn(move || read(reader)));
            reads.into_iter().map(|read| read.join().unwrap()).sum()
        });
        assert_eq!(count, 10, "a block was dealt to a job that had heard of the end");
    }
}

#[test]
fn a_job_that_was_never_started_is_not_waited_for() {
    // More than may wait for one job, in turn.
    let input = "a\n".repeat(WAITING);
    let (dealer, waker) = dealer(&input.into_bytes()[..60_000], InTurn::Always);
    assert!(dealer.open(&mut readable).unwrap() && dealer.open(&mut readable).unwrap());
    drop(dealer.attended(0));
    let mut second = dealer.reader(1, waker);
    let mut all = Vec::new();
    second.read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), 60_000 - 2, "all but the first block, which was another's");
}
