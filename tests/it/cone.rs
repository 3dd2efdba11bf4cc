//! Cone searches around many targets, on the loopback only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::skies::{answer, golden, golden_rows, sky, table};
use crate::support::{Fresh, Ran, Reply, Stub};

/// The rows that a run left, by the id of their target: the number of each object, and how
/// far it is.
fn found(fresh: &Fresh, file: &str) -> BTreeMap<String, Vec<(String, f64)>> {
    let mut found: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
    for row in table(&fs::read_to_string(fresh.path(file)).unwrap()) {
        found
            .entry(row["id"].clone())
            .or_default()
            .push((row["oid"].clone(), row["separation"].parse().unwrap()));
    }
    found
}

/// `status/class warnings` of each target, by its id.
fn told(fresh: &Fresh, file: &str) -> BTreeMap<String, String> {
    let rows = table(&fs::read_to_string(fresh.path(file)).unwrap());
    let told = |row: &BTreeMap<String, String>| {
        let words = [row["status"].as_str(), &row["class"], &row["warnings"]];
        words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(" ")
    };
    rows.iter().map(|row| (row["id"].clone(), told(row))).collect()
}

fn is_golden(fresh: &Fresh, file: &str) {
    let mut expected: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for row in golden_rows("rows-0.04.csv") {
        let separation = row["separation"].parse().unwrap();
        expected.entry(row["id"].clone()).or_default().insert(row["oid"].clone(), separation);
    }
    let found = found(fresh, file);
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (id, rows) in &found {
        assert!(rows.is_sorted_by(|one, other| one.1 <= other.1), "{id}: {rows:?}");
        let wanted = &expected[id];
        assert_eq!(rows.len(), wanted.len(), "{id}");
        for (oid, separation) in rows {
            assert!((separation - wanted[oid]).abs() < 2e-9, "{id} {oid}: {separation} {}", wanted[oid]);
        }
    }
}

#[test]
fn what_lies_around_golden_targets_is_the_same_by_tap_scs_and_one_query_both_ways_and_in_processes() {
    let sky = sky();
    let fresh = Fresh::new();
    let targets = golden("targets.csv");
    let targets = targets.to_str().unwrap();
    let common = format!("cone --targets {targets} --radius 0.04 --out rows.csv --status status.csv -j 4");
    let n_bad = golden_rows("answers.csv").iter().filter(|row| row["status"] == "error").count();
    let resolver = sky.url("/cgi-bin/nph-sesame");
    for (service, options) in
        [("/tap", "--upload"), ("/scs?", ""), ("/tap", "--workers processes --parallel")]
    {
        let line = format!("{common} --service {} --resolver {resolver} {options}", sky.url(service));
        let ran = fresh.parsim(&line).run();
        ran.exits(i32::try_from(n_bad).unwrap());
        if !options.contains("--parallel") {
            ran.says("40 of 40 cones identical");
        }
        is_golden(&fresh, "rows.csv");
        let told = told(&fresh, "status.csv");
        for row in golden_rows("answers.csv") {
            let ok = told[&row["id"]] == "ok";
            ran.expect(ok == (row["status"] == "ok"), &format!("{} is {}", row["id"], row["status"]));
        }
        fs::remove_file(fresh.path("rows.csv")).unwrap();
    }
    // Names are looked up together, each once, and only then is anything searched.
    let asked = sky.asked();
    let lookups = asked.iter().filter(|it| it.path.contains("sesame")).count();
    assert_eq!(lookups, 3);
    let uploads = asked.iter().filter(|it| it.body.contains("TAP_UPLOAD")).count();
    assert_eq!(uploads, 1);
}

fn one(fresh: &Fresh, stub: &Stub, path: &str, options: &str) -> (Ran, String) {
    let _ = fs::remove_file(fresh.path("status.csv"));
    let retries = if options.contains("--retries") { "" } else { "--retries 0" };
    let line = format!(
        "cone 193.6485833,-12.5684444 --radius 0.04 --serial {retries} --out rows.csv --status status.csv --service {} {options}",
        stub.url(path)
    );
    let ran = fresh.parsim(&line).run();
    let told = told(fresh, "status.csv").remove("1").unwrap();
    (ran, told)
}

#[test]
fn every_kind_of_answer_has_its_status_class_and_warnings() {
    let sky = sky();
    let fresh = Fresh::new();
    for (fault, by_tap, by_scs) in [
        ("none", "ok", "ok"),
        ("redirect302", "ok redirected", "ok redirected"),
        ("error", "error query", "error query"),
        ("error-after", "error query", "error query"),
        ("truncated", "error bad-xml", "error bad-xml"),
        ("short", "error bad-value", "error bad-value"),
        ("html", "error not-xml", "error not-xml"),
        ("http500", "error http", "error http"),
        ("http403", "error rate", "error rate"),
        ("overflow", "incomplete overflow", "incomplete overflow"),
        ("nostatus", "ok no-status", "ok"),
        ("nopos", "ok no-position", "ok no-position"),
        ("far", "ok outside", "ok outside"),
    ] {
        for (path, expected) in [(format!("/f/{fault}/tap"), by_tap), (format!("/f/{fault}/scs?"), by_scs)] {
            let (ran, told) = one(&fresh, &sky, &path, "");
            ran.expect(told == expected, &format!("{path} is {expected} and not {told}"));
            ran.exits(i32::from(!expected.starts_with("ok")));
        }
    }
    // A form that is redirected is sent again.
    let asked = sky.asked();
    let again = asked.iter().skip_while(|it| it.path != "/f/redirect302/tap/sync").nth(1).unwrap();
    assert!(again.head.starts_with("POST /tap/sync") && again.body.contains("LANG=ADQL"), "{again:?}");
    // Nothing is kept of what failed, and the file says so.
    let (_, told) = one(&fresh, &sky, "/f/error-after/tap", "");
    assert_eq!(told, "error query");
    assert_eq!(fs::read_to_string(fresh.path("rows.csv")).unwrap(), "id,target,separation\n");
}

#[test]
fn cells_are_kept_as_they_are_written_and_quoted_where_csv_needs_it() {
    let sky = sky();
    let fresh = Fresh::new();
    let (ran, _) = one(&fresh, &sky, "/f/odd/tap", "--find best");
    ran.exits(0);
    let text = fs::read_to_string(fresh.path("rows.csv")).unwrap();
    let expected = "id,target,separation,main_id,ra,dec,otype,vmag,oid\n\
                    1,\"193.6485833,-12.5684444\",0.000000000,NGC  4782,193.6485833,-12.5684444,GiP,11.75,1\n";
    assert_eq!(text, expected);
    one(&fresh, &sky, "/f/odd/tap", "");
    let text = fs::read_to_string(fresh.path("rows.csv")).unwrap();
    assert!(text.contains(",\"a,\"\"b\"\"\nc <\",193.66,-12.5684444,,,9\n"), "{text}");
}

#[test]
fn a_target_without_rows_is_no_failure_and_may_have_an_empty_row() {
    let sky = sky();
    let fresh = Fresh::new();
    let line =
        format!("cone 1,80 M31 --radius 36s --find each --status status.csv --service {}", sky.url("/tap"));
    let ran = fresh.parsim(&line).run();
    // M31 is not known here, and M 31 would be.
    ran.exits(1).tells("no object is known as M31");
    ran.says("id,target,separation,main_id,ra,dec,otype,vmag,oid\n1,\"1,80\",,,,,,,\n");
    assert_eq!(told(&fresh, "status.csv")["1"], "empty");
}

#[test]
fn fewer_rows_than_there_are_count_as_success_only_where_they_were_asked_for() {
    let sky = sky();
    let fresh = Fresh::new();
    let (ran, told) = one(&fresh, &sky, "/tap", "--maxrec 3");
    ran.exits(0);
    assert_eq!((told.as_str(), found(&fresh, "rows.csv")["1"].len()), ("incomplete overflow", 3));
    let (ran, _) = one(&fresh, &sky, "/f/overflow/tap", "");
    ran.exits(1).says("the service cut its answer after 35 rows: --maxrec asks for more");
}

#[test]
fn a_list_has_its_columns_by_name_and_what_is_wrong_with_a_row_is_told_by_its_line() {
    let sky = sky();
    let fresh = Fresh::new();
    let list = "\u{feff}# mine\r\nID\tRAJ2000\tDEJ2000\tObject\tradius\r\n\
                a\t193.6485833\t-12.5684444\tthe pair\t36s\r\nb\t\t\tNGC4782\t\r\nc\t400\t1\t\t\r\nd\t\t\t\t\r\ne\t1\t1\tx\t-1\r\n";
    fs::write(fresh.path("list.tsv"), list).unwrap();
    let line = format!(
        "cone --targets list.tsv --radius 0.04 --parallel --out rows.csv --status status.csv --service {}",
        sky.url("/tap")
    );
    let ran = fresh.parsim(&line).run();
    ran.exits(3);
    ran.says("list.tsv:5: the right ascension is not between -180 and 360 degrees");
    ran.says("list.tsv:6: the target is blank").says("list.tsv:7: radius: ");
    let told = told(&fresh, "status.csv");
    let told: Vec<&str> = ["a", "b", "c", "d", "e"].iter().map(|id| told[*id].as_str()).collect();
    assert_eq!(told, ["ok", "ok", "error bad-position", "error bad-position", "error bad-position"]);
    let found = found(&fresh, "rows.csv");
    assert_eq!((found["a"].len(), found["b"].len()), (5, 35));
    // What no request was needed for was not asked.
    assert_eq!(sky.asked().iter().filter(|it| it.path == "/tap/sync").count(), 2);
}

#[test]
fn what_makes_no_sense_is_refused_before_anybody_is_asked() {
    let fresh = Fresh::new();
    fs::write(fresh.path("list.csv"), "n,x\nM31,1\n").unwrap();
    for (line, why) in [
        ("cone", "no target: parsim cone NGC4782 --radius 0.04, or --targets FILE"),
        ("cone M31", "how far around the targets?"),
        ("cone M31 --radius 0", "--radius 0: "),
        ("cone M31 --radius 3furlongs", "--radius 3furlongs: "),
        ("cone M31 --radius 21", "--radius 21 degrees: SIMBAD searches at most 20"),
        (
            "cone --targets list.csv --radius 1",
            "list.csv:1: no column is named target, name or object, nor are there ra and dec; found: n, x",
        ),
        ("cone M31 --radius 1 --service nobody", "--service nobody: expected simbad or a URL"),
        ("cone M31 --radius 1 --service http://127.0.0.1:9/x? --upload", "--upload is one query over TAP"),
        ("cone M31 --radius 1 --rate 0", "--rate 0: give 0.00001 to 1000000 requests a second"),
        ("cone M31 --radius 1 --rate 1e-30", " 0.00001 to 1000000 requests a second"),
        (
            "cone M31 --radius 1 --sky x.html --fov nan",
            "--fov NaN: expected degrees, more than 0 and at most 360",
        ),
        ("cone M31 --radius 1 --sky x.html --fov 0", "--fov 0: expected degrees"),
        ("cone M31 --radius 1 --contact (x)", "--contact \"(x)\": "),
        ("cone M31 --radius 1 --out no/where.csv", "cannot write no/where.csv"),
        ("cone M31 --radius 1 --out - --format json-lines", "stdout is taken"),
    ] {
        fresh.parsim(line).run().refuses(why);
    }
}

#[test]
fn rows_go_to_stdout_and_the_report_beside_them() {
    let sky = sky();
    let fresh = Fresh::new();
    let line = format!("cone NGC4782 --radius 0.04 --service {}", sky.url("/tap"));
    let ran = fresh.parsim(&line).run();
    ran.exits(0).tells("1 of 1 cone answered: 35 rows").tells("1 of 1 cone identical");
    assert_eq!(table(&ran.stdout).len(), 35);
    let ran = fresh.parsim(&format!("{line} --export-json - --parallel")).run();
    let study: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(study["columns"][0]["runs"][0]["records"][0]["finding"]["cone"]["status"], "ok");
    let ran = fresh.parsim(&format!("{line} --format json-lines")).run();
    let object: Value = serde_json::from_str(&ran.stdout).unwrap();
    let told =
        ["id", "target", "kind", "status", "class"].map(|key| object[key].as_str().unwrap().to_owned());
    assert_eq!(told, ["1", "NGC4782", "name", "ok", ""]);
    assert_eq!(
        (&object["rows"], &object["ra"], &object["attempts"]),
        (&35.into(), &193.648_583_3.into(), &1.into())
    );
}

#[test]
fn a_votable_has_the_columns_of_the_service_and_can_be_asked_for_by_the_name_of_the_file() {
    let sky = sky();
    let fresh = Fresh::new();
    let line = format!("cone NGC4782 --radius 0.04 --serial --out rows.vot --service {}", sky.url("/tap"));
    fresh.parsim(&line).run().exits(0);
    let table = fs::read_to_string(fresh.path("rows.vot")).unwrap();
    let again = table.clone();
    assert_eq!(table.matches("<TR>").count(), 35);
    assert!(
        table.contains("<FIELD name=\"ra\" datatype=\"double\" ucd=\"pos.eq.ra;meta.main\" unit=\"deg\">")
    );
    // It is a table that can be searched itself.
    let copy = Stub::start(move |_| Reply::xml(again.clone()));
    let (ran, told) = one(&fresh, &copy, "/scs?", "");
    ran.exits(0);
    assert_eq!((told.as_str(), found(&fresh, "rows.csv")["1"].len()), ("ok", 35));
}

#[test]
fn a_host_that_wants_to_be_left_alone_is_asked_no_more_by_any_worker() {
    for workers in ["threads", "processes"] {
        let sky = sky();
        let fresh = Fresh::new();
        let targets: String = (0..30).map(|at| format!("{at},{}\n", at * 2)).collect();
        fs::write(fresh.path("list.csv"), format!("ra,dec\n{targets}")).unwrap();
        let line = format!(
            "cone --targets list.csv --radius 1 --parallel -j 3 --workers {workers} --out rows.csv --status status.csv --service {}",
            sky.url("/f/closed/tap")
        );
        let ran = fresh.parsim(&line).run();
        ran.exits(30).says("127.0.0.1 was not asked: it wants to be left alone for 3600 s");
        let told: BTreeSet<String> = told(&fresh, "status.csv").into_values().collect();
        assert_eq!(told, BTreeSet::from(["error rate".to_owned()]));
        // Those that were under way when it said so.
        let n_asked = sky.asked().len();
        ran.expect((1..=3).contains(&n_asked), &format!("{n_asked} requests are few"));
    }
}

#[test]
fn a_refusal_is_waited_out_and_told() {
    let stub = Stub::start(|asked| {
        if asked.before == 0 {
            return Reply::with("429 Too Many Requests", &["Retry-After: 0"], "");
        }
        answer(asked)
    });
    let fresh = Fresh::new();
    let (ran, told) = one(&fresh, &stub, "/tap", "--retries 1");
    ran.exits(0);
    assert_eq!((told.as_str(), stub.asked().len()), ("ok retried", 2));
}

#[test]
fn what_was_found_before_the_interrupt_is_written_whole() {
    // The second target is never answered.
    let stub = Stub::start(|asked| {
        if asked.body.contains("ICRS%27%2C2%2C") { Reply::Hang(Vec::new()) } else { answer(asked) }
    });
    let fresh = Fresh::new();
    let targets = "id,ra,dec\na,193.6485833,-12.5684444\nb,2,2\nc,3,3\n";
    fs::write(fresh.path("list.csv"), targets).unwrap();
    fs::write(fresh.path("rows.csv"), "from before\n").unwrap();
    let line = format!(
        "cone --targets list.csv --radius 0.04 --serial --out rows.csv --status status.csv --service {}",
        stub.url("/tap")
    );
    let mut started = fresh.parsim(&line).start();
    started.until("the second is asked for", || stub.asked().len() == 2);
    started.signal("INT");
    started.end().ends_by_signal(libc::SIGINT);
    assert_eq!(found(&fresh, "rows.csv")["a"].len(), 35);
    assert_eq!(told(&fresh, "status.csv"), BTreeMap::from([("a".to_owned(), "ok".to_owned())]));
    assert_eq!(fresh.names("."), ["list.csv", "rows.csv", "status.csv"]);
}

#[test]
fn an_interrupt_ends_an_answer_of_which_half_has_come() {
    let half = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<VOTABLE><RESOURCE type=\"results\"><TABLE>\
                <FIELD name=\"ra\" datatype=\"double\"/><DATA><TABLEDATA><TR><TD>1</TD></TR>";
    let stub =
        Stub::start(
            move |asked| {
                if asked.before == 0 { answer(asked) } else { Reply::Hang(half.as_bytes().to_vec()) }
            },
        );
    for (path, options) in [("/tap", ""), ("/scs?", ""), ("/tap", "--workers processes")] {
        let fresh = Fresh::new();
        let before = stub.asked().len();
        let line = format!(
            "cone 193.6485833,-12.5684444 2,2 --radius 0.04 --parallel -j 2 --out rows.csv --service {} {options}",
            stub.url(path)
        );
        let mut started = fresh.parsim(&line).start();
        started.until("both are asked for", || stub.asked().len() == before + 2);
        started.signal("INT");
        started.end().ends_by_signal(libc::SIGINT);
    }
}

#[test]
fn an_interrupt_ends_the_waits_for_a_turn_and_for_the_end_of_a_pause() {
    for (path, options) in [("/tap", "--rate 0.001"), ("/f/http403/tap", "--rate 100")] {
        let sky = sky();
        let fresh = Fresh::new();
        let line = format!(
            "cone 1,1 2,2 --radius 0.04 --serial --out rows.csv {options} --service {}",
            sky.url(path)
        );
        let mut started = fresh.parsim(&line).start();
        started.until("one is asked for", || sky.asked().len() == 1);
        started.signal("INT");
        started.end().ends_by_signal(libc::SIGINT);
        assert_eq!(sky.asked().len(), 1);
    }
}

#[test]
fn a_cone_search_service_that_knows_no_formats_is_asked_without_one_from_then_on() {
    let stub = Stub::start(|asked| {
        if asked.head.contains("RESPONSEFORMAT") {
            return Reply::xml(
                "<VOTABLE><INFO name=\"Error\" value=\"unknown parameter RESPONSEFORMAT\"/><RESOURCE/></VOTABLE>",
            );
        }
        answer(asked)
    });
    let fresh = Fresh::new();
    let line = format!(
        "cone 193.6485833,-12.5684444 1,1 2,2 --radius 0.04 --serial --out rows.csv --service {}",
        stub.url("/scs?")
    );
    fresh.parsim(&line).run().exits(0);
    assert_eq!((found(&fresh, "rows.csv")["1"].len(), stub.asked().len()), (35, 4));
}

#[test]
fn a_complaint_that_stays_without_the_format_was_of_something_else() {
    let stub = Stub::start(|asked| {
        let bad = "<VOTABLE><INFO name=\"Error\" value=\"bad format of RA\"/><RESOURCE/></VOTABLE>";
        if asked.head.contains("RA=1&") { Reply::xml(bad) } else { answer(asked) }
    });
    let fresh = Fresh::new();
    let line = format!(
        "cone 1,1 193.6485833,-12.5684444 --radius 0.04 --serial --out rows.csv --service {}",
        stub.url("/scs?")
    );
    fresh.parsim(&line).run().exits(1);
    let formats: Vec<bool> = stub.asked().iter().map(|it| it.head.contains("RESPONSEFORMAT")).collect();
    assert_eq!(formats, [true, false, true]);
}

#[test]
fn charts_are_drawn_for_each_target_and_in_the_page_of_the_report() {
    let sky = sky();
    let fresh = Fresh::new();
    let line = format!(
        "cone NGC4782 1,80 --radius 0.04 --parallel --chart charts --sky sky.html --aladin aladin.js --survey http://127.0.0.1/hips --export-html report.html --service {}",
        sky.url("/tap")
    );
    fresh.parsim(&line).run().exits(0);
    assert_eq!(fresh.names("charts"), ["1_80.svg", "NGC4782.svg"]);
    let chart = fs::read_to_string(fresh.path("charts/NGC4782.svg")).unwrap();
    assert!(
        chart.starts_with("<svg ") && chart.contains("NGC 4782") && !chart.contains("<script"),
        "{chart}"
    );
    let page = fs::read_to_string(fresh.path("sky.html")).unwrap();
    assert!(page.contains("\"survey\":\"http://127.0.0.1/hips\"") && !page.contains("DSS2"));
    assert!(page.contains("aladin.js") && !page.contains("cds.unistra.fr/AladinLite"));
    let report = fs::read_to_string(fresh.path("report.html")).unwrap();
    assert!(report.contains("aria-label=\"Finder chart of NGC4782: "), "{report}");
}

#[test]
fn the_sky_inside_parsim_needs_no_network_and_is_the_same_in_one_query() {
    let fresh = Fresh::new();
    let ran = fresh.parsim("cone --demo --upload -j 4 --out rows.csv --export-json study.json").run();
    ran.exits(0)
        .says("8 of 8 cones answered: 133 rows")
        .says("8 of 8 cones identical")
        .says("In one query for 8 cones");
    let study: Value = serde_json::from_str(&fs::read_to_string(fresh.path("study.json")).unwrap()).unwrap();
    let modes: Vec<&str> =
        study["columns"].as_array().unwrap().iter().map(|column| column["mode"].as_str().unwrap()).collect();
    assert_eq!(modes, ["serial", "parallel", "whole"]);
    assert_eq!(study["charts"][0]["sources"].as_array().unwrap().len(), 35);
    fresh.parsim("report study.json").run().exits(0).says("one query");
}

#[test]
fn what_a_limited_rate_allows_is_told_and_no_cause_is_looked_for_beside_it() {
    let sky = sky();
    let fresh = Fresh::new();
    let line = format!(
        "cone 1,1 2,2 3,3 4,4 5,5 6,6 --radius 0.04 --rate 10 -j 3 --out rows.csv --service {}",
        sky.url("/tap")
    );
    let said = "At 10.0 a second (--rate) 6 requests to one host take at least 500.0 ms";
    let ran = Ran::at_best(|| fresh.parsim(&line).run(), |ran| ran.stdout.contains(said));
    ran.exits(0).says("lower bound 500.0 ms: 6 requests at 10.0 a second").says(said);
}

#[test]
fn no_two_outputs_go_to_one_file() {
    let fresh = Fresh::new();
    fs::create_dir(fresh.path("folder")).unwrap();
    std::os::unix::fs::symlink("x", fresh.path("link")).unwrap();
    for (outputs, both) in [
        ("--out x --status x", "--out and --status both go to x"),
        ("--out x --sky ./x", "--out and --sky both go to ./x"),
        ("--status folder/../x --export-json x", "--export-json and --status both go to folder/../x"),
        ("--chart folder --export-json folder", "--export-json and --chart both go to folder"),
        ("--out link --export-csv x", "--export-csv and --out both go to link"),
    ] {
        fresh.parsim(&format!("cone --demo {outputs}")).run().refuses(both);
    }
    assert!(fresh.names("folder").is_empty() && !fresh.path("x").exists());
}
