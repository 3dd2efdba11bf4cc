//! Rows as they are written and read, and which jobs they leave to be run.

mod rows {
    use super::super::*;

    #[test]
    fn a_row_is_gnu_parallels_byte_for_byte() {
        let row = JobLogRow {
            seq: 12,
            host: ":",
            start: Duration::new(1_795_352_267, 492_999_999),
            runtime: Duration::from_micros(9_500),
            sent: 0,
            received: 7,
            exit: 3,
            signal: 0,
            command: b"printf \"a\nb\"\t#",
        };
        let expected = b"12\t:\t1795352267.492\t     0.009\t0\t7\t3\t0\tprintf \"a\0b\"\t#\n";
        assert_eq!(row.line(), expected);
    }
    use proptest::prelude::*;

    fn entries(log: &[u8]) -> Result<Vec<JobLogEntry>, Unreadable> {
        let mut entries = Vec::new();
        read(log, |entry| entries.push(entry))?;
        Ok(entries)
    }

    fn row(seq: u64, exit: i32, command: &[u8]) -> Vec<u8> {
        let (start, runtime) = (Duration::from_secs(1), Duration::ZERO);
        JobLogRow { seq, host: ":", start, runtime, sent: 0, received: 0, exit, signal: 0, command }.line()
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_but_for_nul_and_a_row_cut_off(
            commands in prop::collection::vec(prop::collection::vec(1..=255_u8, 0..20), 0..6),
            torn in 0..100_usize,
        ) {
            let mut log = HEADER.to_vec();
            let mut expected = Vec::new();
            for (seq, command) in (1..).zip(commands) {
                let exit = i32::from(seq % 2 == 0);
                log.extend(row(seq, exit, &command));
                expected.push(JobLogEntry { seq, succeeded: exit == 0, command });
            }
            let last = row(99, 0, b"this one is cut off");
            log.extend(&last[..torn.min(last.len() - 1)]);
            prop_assert_eq!(entries(&log).unwrap(), expected);
        }
    }

    #[test]
    fn a_log_without_its_header_and_of_other_hosts_is_read() {
        let log = b"3\tserver.example\t1.5\t     0.010\t1\t2\t-1\t15\tsleep\t9\n";
        assert_eq!(
            entries(log).unwrap(),
            [JobLogEntry { seq: 3, succeeded: false, command: b"sleep\t9".to_vec() }]
        );
    }

    #[test]
    fn a_row_that_was_cut_off_and_ended_by_the_next_writer_is_none() {
        let whole = row(7, 0, b"echo");
        for cut in 0..whole.len() - b"echo\n".len() {
            let log = [HEADER, &row(1, 0, b"a"), &whole[..cut], b"\n", &row(2, 0, b"b")].concat();
            let seqs: Vec<u64> = entries(&log).unwrap().iter().map(|entry| entry.seq).collect();
            assert_eq!(seqs, [1, 2], "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_row_is_told_with_its_number() {
        let log = [HEADER, b"1\t:\tten\t0\t0\t0\t0\t0\techo\n"].concat();
        assert!(
            entries(&log).unwrap_err().to_string().starts_with("line 2 is not a row of a job log: 1\\t:")
        );
        assert!(entries(b"a,b,c\n").is_err());
    }

    #[test]
    fn a_job_that_failed_and_succeeded_later_has_not_failed() {
        let log =
            [row(2, 1, b"b"), row(1, 7, b"a\nA"), row(2, 0, b"b"), row(3, 0, b"c"), row(3, 1, b"c")].concat();
        assert_eq!(failed(&log[..]).unwrap(), [(1, b"a\nA".to_vec()), (3, b"c".to_vec())]);
    }
}

mod logged_jobs {
    use proptest::prelude::*;

    use super::super::*;

    proptest! {
        #[test]
        fn of_each_command_so_many_are_left_as_there_are_more_than_in_the_log(
            jobs in prop::collection::vec((0..3_usize, any::<bool>()), 0..20),
            batch in prop::collection::vec((0..3_usize, 1..40_u64), 0..30),
            wanted in prop_oneof![Just(ResumeJobs::New), Just(ResumeJobs::NewAndFailed)],
        ) {
            const COMMANDS: [&str; 3] = ["a", "b", "c"];
            let jobs: Vec<_> = jobs.iter().map(|&(command, succeeded)| (COMMANDS[command], succeeded)).collect();
            let mut done = log(&jobs, wanted);
            // Numbers that are not in the log, so that those that succeeded come first.
            let mut left = [0; 3];
            for &(command, seq) in &batch {
                left[command] += usize::from(done.leaves(FoundBy::Command, 100 + seq, COMMANDS[command].as_bytes()));
            }
            for (index, command) in COMMANDS.iter().enumerate() {
                let counts = |job: &&(&str, bool)| job.0 == *command && (wanted == ResumeJobs::New || job.1);
                let in_log = jobs.iter().filter(counts).count();
                let in_batch = batch.iter().filter(|job| job.0 == index).count();
                prop_assert_eq!(left[index], in_batch.saturating_sub(in_log));
            }
        }
    }

    #[test]
    fn a_row_that_another_job_was_found_by_is_no_second_job() {
        let row_of_the_second = vec![row(2, "a", true)];
        assert_eq!(left(LoggedJobs::of(row_of_the_second, ResumeJobs::New), FoundBy::Command, "a a"), "a");
    }

    /// A log of jobs in the order of their numbers, and whether they succeeded.
    fn log(jobs: &[(&str, bool)], wanted: ResumeJobs) -> LoggedJobs {
        LoggedJobs::of(
            (1..).zip(jobs).map(|(seq, &(command, succeeded))| row(seq, command, succeeded)).collect(),
            wanted,
        )
    }

    fn row(seq: u64, command: &str, succeeded: bool) -> LoggedJob {
        LoggedJob { command: xxh3_128(command.as_bytes()), seq, succeeded }
    }

    /// What is run of `batch`.
    fn left(mut done: LoggedJobs, mode: FoundBy, batch: &str) -> String {
        let mut left = Vec::new();
        for (seq, command) in (1..).zip(batch.split(' ')) {
            if done.leaves(mode, seq, command.as_bytes()) {
                left.push(command);
            }
        }
        left.join(" ")
    }

    #[test]
    fn inserted_appended_and_reordered_jobs_are_told_from_those_done() {
        let done = log(&[("a", true), ("b", false), ("c", true)], ResumeJobs::New);
        assert_eq!(left(done.clone(), FoundBy::Command, "x c y a b z"), "x y z");
        assert_eq!(left(done, FoundBy::Command, "a b c"), "");
        let done = log(&[("a", true), ("b", false), ("c", true)], ResumeJobs::NewAndFailed);
        assert_eq!(left(done, FoundBy::Command, "x c y a b z"), "x y b z");
    }

    #[test]
    fn a_command_is_done_as_often_as_it_is_in_the_log() {
        let done = log(&[("a", true), ("a", true)], ResumeJobs::New);
        assert_eq!(left(done, FoundBy::Command, "a b a a a"), "b a a");
        let done = log(&[("a", true), ("a", false)], ResumeJobs::NewAndFailed);
        assert_eq!(left(done, FoundBy::Command, "b a a a"), "b a a");
    }

    #[test]
    fn of_jobs_with_one_command_those_that_succeeded_are_found_first() {
        let jobs = [("a", false), ("a", true), ("a", false), ("a", true)];
        let mut done = log(&jobs, ResumeJobs::NewAndFailed);
        // Other numbers than in the log: two are done, two failed, more are new.
        let left: Vec<bool> = (11..17).map(|seq| done.leaves(FoundBy::Command, seq, b"a")).collect();
        assert_eq!(left, [false, false, true, true, true, true]);
        let mut done = log(&jobs, ResumeJobs::New);
        // Job 2 is the one of its number, and is not found once more for another.
        let left: Vec<bool> =
            [2, 11, 12, 13, 14].map(|seq| done.leaves(FoundBy::Command, seq, b"a")).to_vec();
        assert_eq!(left, [false, false, false, false, true]);
    }

    #[test]
    fn a_job_with_two_rows_is_one_job_and_its_last_row_counts() {
        let rows = vec![row(1, "a", false), row(2, "b", true), row(1, "a", true)];
        let done = LoggedJobs::of(rows, ResumeJobs::NewAndFailed);
        assert_eq!(left(done.clone(), FoundBy::Command, "a b a"), "a");
        assert_eq!(left(done, FoundBy::Number, "x y z"), "z");
    }
}
