//! What jobs read: blocks of standard input, all of it, or a file in its place.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::Fresh;

fn says(script: &str) -> String {
    Fresh::new().shell(script).run().exits(0).is_quiet().stdout.clone()
}

#[test]
fn standard_input_is_dealt_out_in_records() {
    assert_eq!(says("seq 5 | parsim parallel -k --pipe -N2 'paste -sd,'"), "1,2\n3,4\n5\n");
    assert_eq!(says("seq 5 | parsim parallel -k --pipe -L2 -N1 'paste -sd,'"), "1,2\n3,4\n5\n");
    let fasta = "printf '>a\\nAC\\n>b\\nGT\\n'";
    assert_eq!(
        says(&format!("{fasta} | parsim parallel -k --pipe --recstart '>' -N1 'cat; echo -'")),
        ">a\nAC\n-\n>b\nGT\n-\n"
    );
    assert_eq!(
        says("printf 'a;b;c;' | parsim parallel -k --pipe --recend ';' --rrs -N1 'cat; echo'"),
        "a\nb\nc\n"
    );
    assert_eq!(
        says(
            "printf 'A\\nx\\nA\\ny\\n' | parsim parallel -k --pipe --regexp --recstart '^A' -N1 'cat; echo -'"
        ),
        "A\nx\n-\nA\ny\n-\n"
    );
    assert_eq!(
        says("printf 'h\\n1\\n2\\n' | parsim parallel -k --pipe --header : -N1 'paste -sd,'"),
        "h,1\nh,2\n"
    );
    assert_eq!(says("printf 'a\\nb' | parsim parallel -k --pipe -N1 'cat; echo -'"), "a\n-\nb-\n");
    assert_eq!(says("parsim parallel --pipe cat </dev/null; echo $?"), "0\n", "nothing to read is no job");
}

#[test]
fn blocks_end_with_records_and_lose_no_byte() {
    let script = "seq 200000 >in; <in parsim parallel -k --pipe --block 100k cat | cmp - in && \
                  <in parsim parallel -k --pipe --block 100k 'tail -c1 | od -An -c' | sort -u";
    assert_eq!(says(script).trim(), "\\n");
    // A record longer than a block makes the block longer.
    assert_eq!(
        says("printf '%010000d\\n' 1 2 | parsim parallel -k --pipe --block 1k wc -c"),
        "10001\n10001\n"
    );
}

#[test]
fn a_job_that_reads_little_and_one_that_writes_much_do_not_stand_in_each_others_way() {
    assert_eq!(says("seq 300000 | parsim parallel -k --pipe --block 1M 'head -1' | wc -l"), "2\n");
    assert_eq!(
        says("seq 300000 | parsim parallel -k --pipe --block 1M cat | md5sum"),
        says("seq 300000 | md5sum")
    );
}

#[test]
fn values_go_along_with_blocks_and_nothing_is_appended() {
    let script = "seq 3 | parsim parallel -k --pipe -N1 'echo {#}{}; cat' ::: a b";
    assert_eq!(says(script), "1a\n1\n2b\n2\n3\n3\n");
    assert_eq!(says("seq 2 | parsim parallel -k --pipe --tag -N1 cat"), "\t1\n\t2\n");
    assert_eq!(says("seq 2 | parsim parallel -k --pipe -N1 --dry-run 'cat {#}'"), "cat 1\ncat 2\n");
}

#[test]
fn a_block_can_be_a_file_or_a_named_pipe() {
    for way in ["--cat", "--fifo"] {
        let script = format!(
            "mkdir t; seq 4 | TMPDIR=$PWD/t parsim parallel -k --pipe {way} -N2 'cat {{}}; echo {{#}}'; ls -A t"
        );
        assert_eq!(says(&script), "1\n2\n1\n3\n4\n2\n", "{way}, and nothing left");
        let read = format!("seq 2 | parsim parallel {way} cat");
        assert_eq!(says(&read), "1\n2\n", "{way} without a name");
    }
    let fresh = Fresh::new();
    let ran = fresh.shell("seq 100000 | parsim parallel --pipe --fifo 'exit 3 # {}'").run();
    ran.exits(1).tells("exit status 3");
}

#[test]
fn every_job_of_a_tee_reads_everything() {
    assert_eq!(says("seq 100 | parsim parallel -k --pipe --tee 'wc {}' ::: -l -c"), "100\n292\n");
    assert_eq!(says("seq 100 | parsim parallel -k -j1 --pipe --tee {} ::: 'head -1' 'tail -1'"), "1\n100\n");
    assert_eq!(says("seq 5 >f; <f parsim parallel --pipe --tee wc -l"), "5\n");
}

#[test]
fn the_values_of_a_tee_are_commands_where_there_is_no_other() {
    assert_eq!(says("seq 10 | parsim parallel -k --pipe --tee ::: 'wc -l' 'tail -1'"), "10\n10\n");
    assert_eq!(says("seq 10 >f; echo 'wc -l' >c; parsim parallel --pipe --tee :::: c <f"), "10\n");
    assert_eq!(says("parsim parallel --pipe --tee ::: 'wc -l' </dev/null"), "0\n");
}

#[test]
fn a_tee_of_a_file_has_its_values_from_elsewhere() {
    let says = |rest: &str| says(&format!("seq 10 >f; {rest}"));
    assert_eq!(says("parsim parallel -k --pipe-part --tee -a f 'grep -c {}' ::: 1 2"), "2\n1\n");
    assert_eq!(
        says("parsim parallel -k --pipe-part --tee -a f 'grep -c {1}{2}' ::: 1 3 :::+ 0 ''"),
        "1\n1\n"
    );
    assert_eq!(says("parsim parallel -k --pipe-part --tee -a f ::: 'wc -l' 'tail -1'"), "10\n10\n");
    // Another file holds values, and so does standard input where nothing else does.
    assert_eq!(says("seq 2 >g; parsim parallel -k --pipe-part --tee -a f 'grep -c {}' :::: g"), "2\n1\n");
    assert_eq!(says("seq 2 | parsim parallel -k --pipe-part --tee -a f 'grep -c {}'"), "2\n1\n");
    assert_eq!(says("echo wc -l | parsim parallel -k --pipe-part --tee -a f"), "10\n");
    // Without --tee, values go along with the blocks, as with --pipe.
    assert_eq!(says("parsim parallel --pipe-part -a f --block 1k 'echo {}; tail -1' ::: a"), "a\n10\n");
    let refused = Fresh::new().parsim("parallel --pipe-part --tee wc ::: -l").run();
    refused.refuses("give one with -a FILE");
}

#[test]
fn a_pipe_into_no_command_is_refused_and_nothing_is_read() {
    for line in [
        "--pipe",
        "--pipe ''",
        "--pipe {}",
        "--pipe -N5 ::: 'wc -l'",
        "--pipe --tee",
        "--pipe --tee '' ::: 'wc -l'",
        "--pipe --tee :::",
        "--cat",
        "--fifo",
        "--pipe-part -a f",
    ] {
        let fresh = Fresh::new();
        let script = format!("seq 3 >f; {{ parsim parallel {line}; status=$?; cat; exit $status; }} <f");
        let ran = fresh.shell(&script).run();
        ran.exits(255).tells("--pipe needs a command");
        assert_eq!(ran.stdout, "1\n2\n3\n", "{line}");
    }
}

#[test]
fn jobs_take_turns_at_blocks() {
    let script = "seq 10 | parsim parallel --pipe --round-robin -j4 -N1 -k 'paste -sd,'";
    assert_eq!(says(script), "1,5,9\n2,6,10\n3,7\n4,8\n");
    assert_eq!(
        says("seq 4 | parsim parallel --pipe --round-robin -j4 -N3 -k wc -l"),
        "3\n1\n",
        "as many as blocks"
    );
    let sum = "awk '{s+=$1} END {print s}'";
    let script = format!("seq 300000 | parsim parallel --pipe --round-robin -j3 --block 10k wc -l | {sum}");
    assert_eq!(says(&script), "300000\n");
    // One that reads nothing is passed over; what it was dealt is told to be lost.
    let script = "seq 300000 | parsim parallel --pipe --round-robin -j2 --block 10k \
                  'if [ {#} = 1 ]; then until [ -e done ]; do sleep 0.01; done; else cat >/dev/null; >done; fi'";
    let ran = Fresh::new().shell(script).run();
    ran.exits(1).tells_one_line("job 1 failed: it ended without reading ");
}

#[test]
fn what_is_dealt_to_a_job_that_does_not_read_it_is_told_and_the_job_has_failed() {
    let fresh = Fresh::new();
    let run = |input: &str, rest: &str| {
        fresh.shell(&format!("{input} | parsim parallel --pipe --round-robin {rest}")).run()
    };
    let lost = "job 1 failed: it ended without reading";
    let first = "'[ {#} = 1 ] && exit 0; wc -l'";
    // Much of it never got into the pipe; little of it was there and then gone.
    run("seq 500000", &format!("-j2 {first}"))
        .exits(1)
        .tells_one_line(lost)
        .tells("bytes that --round-robin");
    let ran = run("seq 2", &format!("-k -j2 -N1 --joblog l {first}"));
    ran.exits(1).tells_one_line(&format!("{lost} 2 bytes")).expect(ran.stdout == "1\n", "the other's line");
    let log = std::fs::read_to_string(fresh.path("l")).unwrap();
    ran.expect(log.lines().any(|row| row.contains("\t1\t0\t[ 1 = 1 ]")), "the failure in the log");
    // Each read its first line, and there was more.
    run("seq 5", "-j1 -N1 'read line'").exits(1).tells_one_line(lost);
    run("seq 9", "-j2 -N1 cat").exits(0).is_quiet();
    run("seq 1000", "-j2 --block 100 --fifo 'cat {} >/dev/null'").exits(0).is_quiet();
}

#[test]
fn a_job_is_given_its_records_before_the_input_ends() {
    let fresh = Fresh::new();
    let mut line = fresh.parsim("parallel -j1 --pipe -N1 xargs touch").stdin(Stdio::piped());
    let mut child = line.command().spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"first\nsecond").unwrap();
    while !fresh.path("first").exists() {
        std::thread::yield_now();
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert!(fresh.path("second").exists());
}

#[test]
fn a_file_can_be_dealt_out_in_as_many_blocks_as_asked_for() {
    assert_eq!(
        says("seq 1000 >f; parsim parallel --pipe-part -a f -k --block 1k cat | cmp - f && echo same"),
        "same\n"
    );
    Fresh::new().parsim("parallel --pipe-part cat").run().refuses("give one with -a FILE");
    Fresh::new().parsim("parallel --round-robin cat").run().refuses("--round-robin needs --pipe");
}

#[test]
fn a_part_of_a_file_goes_on_to_the_end_of_a_record() {
    let says = |rest: &str| says(&format!("seq 1000 >f; parsim parallel -k --pipe-part -a f {rest}"));
    assert_eq!(says("--block 1000 wc -l"), "278\n251\n251\n220\n");
    assert_eq!(says("-j4 --block -1 wc -l | wc -l"), "4\n");
    assert_eq!(says("-j2 --block -2 wc -l"), "271\n244\n244\n241\n");
    assert_eq!(says("-j3 --block -1 --header : 'sed 1q; sed -n 1p' | sort -u"), "1\n");
    assert_eq!(says("--block 3k --recend 9 --rrs 'tr -d 0-8\\\\n | wc -c'"), "0\n0\n");
    assert_eq!(says("--block 1000 --cat 'wc -l <{}'"), "278\n251\n251\n220\n");
    // Jobs read on their own: what was read is there to be read again.
    let script = "-j2 --block 3k --retries 2 'wc -l; [ -e {#} ] || { >{#}; false; }' 2>/dev/null";
    assert_eq!(says(script), "778\n222\n");
    assert_eq!(says("--plus --block 3k 'echo {##}'"), "2\n2\n", "their number can be known before");
    assert_eq!(says("-a f --block 3k wc -l"), "778\n222\n778\n222\n", "no part has bytes of two files");
}

#[test]
fn a_slot_gets_ten_parts_of_a_file_and_one_that_stays_gets_one() {
    let says = |rest: &str| says(&format!("seq 1000 >f; parsim parallel --pipe-part -a f {rest}"));
    assert_eq!(says("-j2 wc -l | wc -l"), "20\n");
    assert_eq!(says("-j3 wc -l | wc -l"), "30\n");
    assert_eq!(says("-k -j2 --round-robin wc -l"), "514\n486\n");
    assert_eq!(says("-k -j2 --round-robin --block 1k wc -l"), "514\n486\n");
    // Records that are counted are read one after another.
    assert_eq!(says("-k -N300 wc -l"), "300\n300\n300\n100\n");
}

#[test]
fn what_is_no_file_cannot_be_cut_into_parts() {
    let fresh = Fresh::new();
    fresh.shell("mkfifo f").run().exits(0);
    fresh.parsim("parallel --pipe-part -a f wc").run().exits(255).tells("--pipe cuts streams");
    fresh.parsim("parallel --pipe-part -a . wc").run().exits(255).tells("--pipe cuts streams");
}

#[test]
fn a_block_is_given_again_to_a_job_that_is_tried_again() {
    let script = "seq 2 | parsim parallel --pipe --retries 2 'cat >>read; [ -e tried ] || { >tried; false; }'; cat read";
    assert_eq!(says(script), "1\n2\n1\n2\n");
}

#[test]
fn a_job_that_could_not_be_started_is_not_waited_for_in_turn() {
    let fresh = Fresh::new();
    // Where the first job would run is a file; the other has to get the rest.
    std::fs::write(fresh.path("d1"), "").unwrap();
    let script = "seq 100000 | parsim parallel -j2 -k --pipe --round-robin --block 1k --wd \"$PWD/d{#}\" \
                  --shell /bin/sh 'cat >got'; echo $?";
    let ran = fresh.shell(script).start().end_within(std::time::Duration::from_secs(20));
    ran.exits(0).says("1\n");
    let got = std::fs::read_to_string(fresh.path("d2/got")).unwrap();
    assert!(got.ends_with("\n100000\n"), "it ends with {:?}", &got[got.len().saturating_sub(20)..]);
}

#[test]
fn a_job_that_is_not_started_any_more_is_not_waited_for_in_turn() {
    for order in ["", "-k"] {
        let fresh = Fresh::new();
        std::fs::write(fresh.path("input"), "y\n".repeat(5_000_000)).unwrap();
        let line =
            format!("parallel -j2 {order} --pipe --round-robin --block 1M --delay 600 --shell /bin/sh");
        let line = fresh.parsim(&line).args([": >began; wc -c >got"]);
        let mut started = line.stdin(std::fs::File::open(fresh.path("input")).unwrap()).start();
        started.until("the first job runs", || fresh.path("began").exists());
        // From now on no other is started.
        started.signal("HUP");
        started.end_within(std::time::Duration::from_secs(20)).exits(0);
        let got = std::fs::read_to_string(fresh.path("got")).unwrap();
        assert!(got.trim().parse::<u64>().unwrap() >= 1 << 20, "{order}: it got {got}");
    }
}
