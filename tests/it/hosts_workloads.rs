//! Workloads on other machines, and what reports say of these.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::{Fresh, Hosts};

fn study(hosts: &Hosts) -> Value {
    serde_json::from_slice(&fs::read(hosts.path("study.json")).unwrap()).unwrap()
}

/// The records of the run of one way.
fn records(study: &Value, way: &str) -> Vec<Value> {
    let columns = study["columns"].as_array().unwrap();
    let column =
        columns.iter().find(|column| column["column"]["way"] == way || column["way"] == way).unwrap();
    column["runs"][0]["records"].as_array().unwrap().clone()
}

#[test]
fn a_workload_runs_on_hosts_and_is_compared_with_one_slot_of_the_first() {
    let hosts = Hosts::new();
    let line = "parsim sleep --tasks 4 --seconds 0.3 -S 1/h1 -S 1/h2 --export-json study.json";
    let ran = hosts.run(line);
    ran.exits(0).tells("serial is one job at a time on h1").says("4 of 4 tasks identical");
    ran.says("results 1, 2, 3, 4").says(" at a time on ");
    assert!((2..=3).contains(&hosts.connections()));
    let study = study(&hosts);
    let nodes = |way| -> BTreeSet<String> {
        records(&study, way).iter().map(|record| record["node"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(nodes("serial"), BTreeSet::from(["h1".to_owned()]));
    // A busy machine may have one of them there when all is done.
    assert!(nodes("ssh").is_subset(&BTreeSet::from(["h1".to_owned(), "h2".to_owned()])));
    // Files of hosts, what connects, and which parsim is to be used there, as with batches.
    fs::write(hosts.path("list"), "1/h1\n1/h2\n").unwrap();
    let line = "parsim sleep --parallel --tasks 4 --seconds 0.1 --sshloginfile list --sshdelay 10ms --ssh $PWD/bin/ssh --ssh-worker copy";
    hosts.run(line).exits(0).says(" at a time on ");
    assert_eq!(hosts.names("hosts/cache").len(), 1);
    let before = hosts.connections();
    // This machine alone needs no connection, and its number is that of -j.
    hosts.run("parsim sleep --parallel --tasks 4 --seconds 0 -S 3/:").exits(0).says("3 at a time");
    assert_eq!(hosts.connections(), before);
}

#[test]
fn how_many_run_at_a_time_is_told_of_hosts_that_were_there() {
    let hosts = Hosts::new();
    let ran = hosts.run("parsim sleep --parallel --tasks 4 --seconds 0.1 -S 1/dead,1/h1");
    ran.exits(0).says("4 tasks, 1 at a time on 1 host").tells("dead is down");
    hosts.run("parsim sleep --parallel --filter-hosts -S dead").exits(255).tells("no host is left; dead");
    let ran = hosts.run("parsim sleep --parallel --tasks 2 --seconds 0 -S dead");
    ran.exits(2).says("no host is left to run it on");
}

#[test]
fn files_that_would_stay_on_another_machine_are_refused_and_csv_writes_where_it_can() {
    let hosts = Hosts::new();
    let ran = hosts.run("parsim csv --files 2 --rows 3 --cols 2 -S :,1/h1");
    ran.exits(255)
        .tells("csv-gen writes its files where it runs")
        .tells("parsim parallel -S h1 --return FILE");
    assert!(!hosts.path("data_serial").exists());
    hosts.run("parsim csv --files 0 -S 1/h1").exits(0).says("nothing to write");
    assert_eq!(hosts.connections(), 2);
    hosts
        .run("parsim csv --files 2 --rows 3 --cols 2 --runs 1 -S 2/:")
        .exits(0)
        .says("2 of 2 files identical");
    assert_eq!(hosts.names("data_parallel"), ["x000000.csv", "x000001.csv"]);
    // As the message says.
    let fetched = "parsim parallel -k -S 1/h1 --return {} --cleanup 'parsim csv --parallel --files 1 --rows 3 --cols 2 --seed {#} --out-dir {} 2>/dev/null >/dev/null' ::: a b";
    hosts.run(fetched).exits(0).is_quiet();
    assert_eq!(hosts.names("b/data_parallel"), ["x000000.csv"]);
    assert!(hosts.home("h1").is_empty());
}

#[test]
fn what_makes_no_sense_elsewhere_is_refused_by_name() {
    let hosts = Hosts::new();
    for (line, why) in [
        ("sleep --serial -S h1", "serial means one job at a time on this machine"),
        ("sleep --workers processes -S h1", "--workers does not go with"),
        ("sleep -j 1,2 -S h1", "-j: with -S it is one number"),
        ("sleep --ssh-worker copy", "name them, for example with -S h1,h2"),
        ("sleep --ssh-worker python3 -S h1", "python3 runs commands only"),
        ("sleep -S me:secret@h1", "a password in a login"),
        ("sleep --slf nowhere", "--sshloginfile nowhere: no such file"),
        ("cone --demo -S h1", "--demo asks a service inside this parsim"),
        ("tap --demo -S h1", "--demo asks a service inside this parsim"),
        ("tap --per-host 2 -S h1 http://h/tap", "--per-host counts requests in one process"),
    ] {
        let ran = hosts.run(&format!("parsim {line} </dev/null"));
        ran.exits(255).tells(why);
        assert!(!ran.stderr.contains("secret") && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    }
    assert_eq!(hosts.connections(), 0);
}

#[test]
fn reports_tell_what_each_host_did() {
    let hosts = Hosts::new();
    // Each job waits until there is one on each host; those of h2 take longer.
    let job = r"touch ../$WHERE-is-there; until [ -e ../h1-is-there ] && [ -e ../h2-is-there ]; do sleep 0.02; done; test {} != 3";
    let ran = hosts.run(&format!(
        "parsim compare -S 1/h1,1/h2 --prepare 'touch hosts/h1-is-there; case $PARSIM_WAY in serial) touch hosts/h2-is-there;; *) rm hosts/h?-is-there;; esac' --export-json study.json --export-html page.html --export-markdown page.md '{job}' ::: 1 2 3 4"
    ));
    ran.exits(1);
    let heads: Vec<&str> =
        ran.stdout.lines().find(|line| line.contains("median time")).unwrap().split_whitespace().collect();
    assert_eq!(heads, ["host", "jobs", "failed", "median", "time", "CPU", "slots"]);
    let row = |host: &str| -> Vec<u64> {
        let line =
            ran.stdout.lines().find(|line| line.trim_start().starts_with(&format!("{host} "))).unwrap();
        line.split_whitespace().skip(1).take(2).map(|cell| cell.parse().unwrap()).collect()
    };
    let (first, second) = (row("h1"), row("h2"));
    assert_eq!((first[0] + second[0], first[1] + second[1]), (4, 1));
    assert!(first[0] > 0 && second[0] > 0);
    let page = fs::read_to_string(hosts.path("page.html")).unwrap();
    for text in ["<h2>Hosts</h2>", ">h1, 1 slot, ", ">h2, 1 slot, ", ", h2 slot "] {
        assert!(page.contains(text), "{text}");
    }
    let markdown = fs::read_to_string(hosts.path("page.md")).unwrap();
    assert!(
        markdown.lines().any(|line| line.starts_with("| host") && line.contains("median time")),
        "{markdown}"
    );
    // As it was saved.
    let again = hosts.run("parsim report study.json").exits(0).stdout.clone();
    assert!(again.contains("median time") && again.contains("\n h1 "), "{again}");
    let trace = hosts.run("parsim report study.json --export-trace -").exits(0).stdout.clone();
    // Slots are numbered as hosts are there.
    assert!(trace.contains("\"h1 slot ") && trace.contains("\"h2 slot "), "{trace}");
    // Lanes of a terminal stand under the machine that they are of.
    let lanes = hosts.run("parsim report study.json --lanes --ascii").exits(0).stdout.clone();
    let place = |text: &str| lanes.lines().position(|line| line.trim() == text);
    assert!(place("h1").is_some() && place("h2").is_some(), "{lanes}");
}

#[test]
fn nodes_of_a_cluster_are_told_of_as_hosts_are() {
    let fresh = Fresh::new();
    let ran = fresh
        .parsim("sleep --parallel --tasks 4 --seconds 0.1 --workers local-dir --nodes 2 -j 1 --export-html page.html")
        .run();
    // Both workers are on this machine.
    ran.exits(0).says("node: ");
    let page = fs::read_to_string(fresh.path("page.html")).unwrap();
    assert!(!page.contains("<h2>Nodes</h2>"), "one node needs no table");
}

#[cfg(feature = "net")]
mod services {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    use crate::skies::{answer, sky};
    use crate::support::{Hosts, Stub};

    const TARGETS: &str = "1,1 2,2 3,3 4,4 5,5 6,6";

    #[test]
    fn one_rate_holds_for_all_hosts() {
        let (hosts, sky) = (Hosts::new(), sky());
        let line = format!(
            "exec parsim cone {TARGETS} --radius 0.04 --parallel --rate 0.001 -S 2/h1,2/h2 --out rows.csv --service {}",
            sky.url("/tap")
        );
        let mut started = hosts.shell(&line).start();
        started.until("one is asked for", || sky.asked().len() == 1 && hosts.connections() == 2);
        // Were it the hosts' own, each would let one leave.
        std::thread::sleep(Duration::from_millis(500));
        started.signal("INT");
        started.end().ends_by_signal(libc::SIGINT);
        assert_eq!(sky.asked().len(), 1);
    }

    #[test]
    fn all_hosts_together_send_no_more_requests_at_a_time_than_may_be() {
        let hosts = Hosts::new();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (own_now, own_most) = (Arc::clone(&now), Arc::clone(&most));
        let stub = Stub::start(move |asked| {
            own_most.fetch_max(own_now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Until there are two at a time, so that a third would be seen.
            let begun = Instant::now();
            while own_most.load(Ordering::SeqCst) < 2 && begun.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(50));
            let answer = answer(asked);
            own_now.fetch_sub(1, Ordering::SeqCst);
            answer
        });
        let line = |options: &str| {
            format!(
                "parsim cone {TARGETS} --radius 0.04 --parallel --per-host 2 {options} --status status.csv --out rows.csv --service {}",
                stub.url("/tap")
            )
        };
        hosts.run(&line("-S 4/h1,4/h2")).exits(0).says("6 cones, 2 at a time on 2 hosts");
        assert_eq!(most.load(Ordering::SeqCst), 2);
        let status = std::fs::read_to_string(hosts.path("status.csv")).unwrap();
        assert_eq!(status.lines().count(), 7, "{status}");
        // Not even one for each.
        let ran = hosts.run(&line("-S 1/h1,1/h2,1/h3"));
        ran.exits(0).tells("3 hosts for at most 2 at a time: the first of them are used");
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }
}
