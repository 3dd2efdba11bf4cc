//! How a check of services begins and ends: lists that cannot be read whole,
//! reports that cannot be written, gates, and what is left of an interrupted one.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};

use crate::services::service;
use crate::skies::table;
use crate::support::{Fresh, Ran, Stub};

#[test]
fn no_service_of_a_table_is_left_out_without_a_word() {
    let stub = Stub::start(service);
    let fresh = Fresh::new();
    let (sound, down) = (stub.url("/sound"), stub.url("/down"));
    for (list, why) in [
        (format!("name,url\nA\nB,{sound}\nC,\n"), "x.csv:2: A has no URL"),
        (format!("name,url\nB,{sound}\n\n# more\nC,\n"), "x.csv:5: C has no URL"),
        (format!("url,name,of\n{sound},B,\n,,us\n"), "x.csv:3: a row with something in it has no URL"),
        (format!("url,name\n{sound},\"unclosed\n{down},x\n"), "x.csv:2: its quote is not closed"),
        (format!("url,name\n{sound},\"unclosed\n{down},\"x\"\n"), "x.csv:2: its quote is not closed"),
        (format!("url,about\n{sound},\"unclosed\n{down},x\n"), "x.csv:2: its quote is not closed"),
        (format!("url,name\n{sound},\"a\n{down},\"\n"), "x.csv:2: its name has a line break in it"),
        (format!("url\n\"{sound}\n{down}\"\n"), "x.csv:2: its URL has a line break in it"),
    ] {
        fs::write(fresh.path("x.csv"), &list).unwrap();
        fresh.parsim("tap --urls x.csv --header").run().refuses(why);
    }
    assert_eq!(stub.asked().len(), 0);
    fs::write(fresh.path("x.csv"), format!("name,url,about\n,,\nB,{sound},\"two\nlines\"\n  \n")).unwrap();
    let ran = fresh.parsim("tap --urls x.csv --header --format nagios").run();
    ran.exits(0).says("TAP OK - 1 of 1 up | ");
}

#[test]
fn a_report_for_machines_that_cannot_be_written_is_a_fault() {
    let stub = Stub::start(service);
    for format in ["json-lines", "nagios"] {
        let fresh = Fresh::new();
        let line = format!("tap --format {format} {} --export-json study.json", stub.url("/sound"));
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let status = if format == "nagios" { 3 } else { 255 };
        let ran = fresh.parsim(&line).stdout(full).run();
        ran.exits(status).expect(fresh.names(".") == ["study.json"], "the export all the same");
        if format == "json-lines" {
            ran.tells_one_line("cannot write to stdout: no space left on device");
        }
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        fresh.parsim(&line).stdout(writer).run().exits(0).is_quiet();
    }
}

#[test]
fn a_gate_holds_for_machines_too() {
    let stub = Stub::start(service);
    let fresh = Fresh::new();
    let line = |more: &str| format!("tap {} --min-speedup 3000 {more}", stub.url("/sound"));
    for format in ["text", "json-lines"] {
        let missed = fresh.parsim(&line(&format!("--compare --format {format}"))).run();
        missed.exits(103).tells_one_line(", and 3000x is asked for").says("/sound");
        let failed = fresh.parsim(&line(&format!("{} --compare --format {format}", stub.url("/down")))).run();
        failed.exits(1);
    }
    let n_asked = stub.asked().len();
    for more in ["", "--compare"] {
        let monitor = fresh.parsim(&line(&format!("{more} --format nagios"))).run();
        monitor.exits(3).is_quiet().says("TAP UNKNOWN - --min-speedup and --fail-if-slower ");
        monitor.says("a monitor reads statuses 0 to 3 only: take --format json-lines");
    }
    assert_eq!(stub.asked().len(), n_asked);
}

#[test]
fn a_gate_where_one_way_is_usual_tells_what_to_add() {
    let fresh = Fresh::new();
    let reason = |line: &str, why: &str| {
        fresh.parsim(line).run().refuses("compare both ways").tells(why);
    };
    reason(
        "tap --demo --format json-lines --min-speedup 2",
        ", because a program reads this format: add --compare",
    );
    reason("tap --demo --fail-if-slower 2", ", because each service is asked once: add --compare");
    reason("tap --demo --min-speedup 2 --serial", ": leave --serial out");
    reason("tap --demo --min-speedup 2 --parallel", ": leave --parallel out");
}

#[test]
fn csv_has_a_row_for_each_service_and_for_each_cone() {
    let fresh = Fresh::new();
    let stub = Stub::start(service);
    let line = format!("tap {} {} --export-csv checks.csv", stub.url("/maintained"), stub.url("/page"));
    fresh.parsim(&line).run().exits(1);
    let rows = table(&fs::read_to_string(fresh.path("checks.csv")).unwrap());
    let told = |row: &BTreeMap<String, String>| {
        ["verdict", "class", "warnings", "http_status", "way"].map(|name| row[name].clone()).join("|")
    };
    assert_eq!(
        rows.iter().map(told).collect::<Vec<_>>(),
        ["up||maintenance|200|parallel", "error|not-xml||200|parallel"]
    );
    assert_eq!(
        (rows[0]["notes"].as_str(), rows[0]["back_at"].as_str()),
        ("new disks", "2036-01-02T00:00:00Z")
    );
    assert!(rows[0]["total"].parse::<f64>().unwrap() >= rows[0]["first_byte"].parse::<f64>().unwrap());

    let ran = fresh.parsim("cone --demo --out rows.csv --export-csv -").run();
    let rows = table(&ran.stdout);
    let told: Vec<&str> = rows.iter().map(|row| row["status"].as_str()).collect();
    assert_eq!(told, ["ok"; 16]);
    assert_eq!((rows[0]["target"].as_str(), rows[0]["rows"].as_str()), ("NGC 4782", "35"));
}

/// What is left of a check of three services of which one answers, interrupted
/// once it has.
fn interrupted(fresh: &Fresh, stub: &Stub, more: &str) -> Ran {
    let [sound, silent, slow] = ["/sound", "/silent", "/slow"].map(|name| stub.url(name));
    let before = stub.asked().len();
    let line = format!("tap {sound} {silent} {slow} -j 1 --parallel --timeout 50 {more}");
    let mut started = fresh.parsim(&line).start();
    // One after the other: that the second is asked means that the first is done.
    started.until("the second service is asked", || stub.asked().len() == before + 2);
    started.signal("TERM");
    let ran = started.end();
    ran.ends_by_signal(libc::SIGTERM);
    ran
}

#[test]
fn an_interrupted_check_says_of_how_many_services_it_was_to_tell() {
    let stub = Stub::start(service);
    let fresh = Fresh::new();
    interrupted(&fresh, &stub, "").says("1 of 3 services up, 2 not checked");
    interrupted(&fresh, &stub, "--repeat 2").says("1 of 3 services up, 2 not checked");
    let monitor = interrupted(&fresh, &stub, "--format nagios");
    monitor.says("TAP UNKNOWN - interrupted after 1 of 3 | up=1;;;0;3 ");
}

#[test]
fn the_checks_that_an_interrupt_left_whole_are_exported_and_drawn_again() {
    let stub = Stub::start(service);
    let fresh = Fresh::new();
    let exports =
        "--export-json study.json --export-prometheus gauges --export-junit cases --export-csv figures";
    for before in ["nothing", "files of before"] {
        if before != "nothing" {
            for name in ["study.json", "gauges", "cases", "figures"] {
                fs::write(fresh.path(name), "of old\n").unwrap();
            }
        }
        let ran = interrupted(&fresh, &stub, exports);
        let gauges = fs::read_to_string(fresh.path("gauges")).unwrap();
        ran.expect(gauges.contains("/sound") && !gauges.contains("of old"), "the check among the gauges");
        let again = fresh.parsim("report study.json").run();
        again.exits(0).is_quiet().expect(again.stdout == ran.stdout, &format!("as before:\n{}", ran.stdout));
        let cases = fs::read_to_string(fresh.path("cases")).unwrap();
        ran.expect(cases.contains("/sound") && cases.contains("not finished"), "the check among the cases");
        if before != "nothing" {
            // Figures are those of whole runs.
            ran.tells("figures is left as it was, for no run was finished\n");
            assert_eq!(fs::read_to_string(fresh.path("figures")).unwrap(), "of old\n");
        }
    }
}
