//! Where cone searches leave what they found, and in which columns.

use std::fs;
use std::os::unix::fs::symlink;

use crate::skies::{results, sky};
use crate::support::{Asked, Fresh, Reply, Stub};

#[test]
fn through_links_files_are_replaced_and_pipes_and_devices_are_written_to() {
    let fresh = Fresh::new();
    for name in ["rows.csv", "status.csv", "sky.html"] {
        fs::write(fresh.path(name), "from before\n").unwrap();
        symlink(name, fresh.path(format!("link-{name}"))).unwrap();
    }
    let line = "cone --demo --parallel --out link-rows.csv --status link-status.csv --sky link-sky.html --chart charts";
    fresh.parsim(line).run().exits(0);
    let text = |name: &str| fs::read_to_string(fresh.path(name)).unwrap();
    for (name, begin) in [("rows.csv", "id,target,"), ("status.csv", "id,target,"), ("sky.html", "<!")] {
        assert!(text(name).starts_with(begin), "{name}");
        assert!(fs::symlink_metadata(fresh.path(format!("link-{name}"))).unwrap().is_symlink());
    }

    let pipes = "mkfifo rows status sky; ln -s /dev/null null; cat rows >r & cat status >s & cat sky >k & \
                 parsim cone --demo --parallel --out rows --status status --sky sky && wait && \
                 parsim cone --demo --parallel --out null --status /dev/null --chart charts";
    fresh.shell(pipes).run().exits(0);
    assert_eq!((text("r"), text("k")), (text("rows.csv"), text("sky.html")));
    assert_eq!(text("s").lines().count(), 9);
    let kinds = fresh.shell("test -p rows && test -p status && test -p sky && test -L null").run();
    kinds.exits(0);
}

#[test]
fn the_status_may_go_to_stdout_where_nothing_else_does() {
    let fresh = Fresh::new();
    let ran = fresh.parsim("cone --demo --parallel --out rows.csv --status -").run();
    ran.exits(0).tells("8 of 8 cones answered");
    ran.expect(ran.stdout.starts_with("id,target,kind,"), "the status alone");
    assert_eq!(ran.stdout.lines().count(), 9);
    for (options, why) in [
        ("--status -", "stdout is for the rows, too: give --out FILE"),
        ("--out x --status ./x", "--out and --status both go to ./x: name a file for each"),
        ("--out - --sky /dev/stdout", "--out and --sky both go to stdout"),
        ("--out x --status - --export-json -", "--export-json and --status both go to stdout"),
    ] {
        fresh.parsim(&format!("cone --demo --parallel {options}")).run().refuses(why);
    }
}

#[test]
fn a_cone_search_service_says_which_of_its_columns_are_the_position() {
    let fields =
        ["ra double", "dec double", "ra_x double pos.eq.ra;meta.main", "dec_x double pos.eq.dec;meta.main"];
    let stub = Stub::start(move |_| results(&fields, &["100 50 10 20.1"]));
    let fresh = Fresh::new();
    let line = format!("cone 10,20 --radius 0.2 --serial --service {}", stub.url("/scs?"));
    let ran = fresh.parsim(&line).run();
    ran.exits(0).says("\n1,\"10,20\",0.100000000,100,50,10,20.1\n");
}

/// A service that sends other columns for each target: none has rows at 1, and all rows are at
/// 10, 20.
fn changing(asked: &Asked) -> Reply {
    let (ra, dec) = ("ra double pos.eq.ra;meta.main", "dec double pos.eq.dec;meta.main");
    match asked.body.split("ICRS%27%2C").nth(2).and_then(|rest| rest.split("%2C").next()) {
        Some("1") => results(&["none int"], &[]),
        Some("10") => results(&[ra, dec, "x int"], &["10 20 1", "10 20 2"]),
        Some("10.1") => results(&["y char", dec, ra], &["α,β 20 10"]),
        Some("10.2") => results(&[ra, dec, "x double"], &["10 20 0.5"]),
        other => panic!("{other:?}"),
    }
}

const CHANGING: &str = "cone 1,1 10,20 10.1,20 10.2,20 --radius 1 --serial --status status.csv";

#[test]
fn rows_stand_under_the_columns_of_all_targets_and_none_is_lost() {
    let stub = Stub::start(changing);
    let fresh = Fresh::new();
    let line = format!("{CHANGING} --service {}", stub.url("/tap"));
    fresh.parsim(&format!("{line} --out rows.csv")).run().exits(0);
    let rows = fs::read_to_string(fresh.path("rows.csv")).unwrap();
    let expected = "id,target,separation,ra,dec,x,y\n\
                    2,\"10,20\",0.000000000,10,20,1,\n\
                    2,\"10,20\",0.000000000,10,20,2,\n\
                    3,\"10.1,20\",0.093969261,10,20,,\"α,β\"\n\
                    4,\"10.2,20\",0.187938513,10,20,0.5,\n";
    assert_eq!(rows, expected);

    fresh.parsim(&format!("{line} --out rows.vot")).run().exits(0);
    let rows = fs::read_to_string(fresh.path("rows.vot")).unwrap();
    for part in [
        "<FIELD name=\"x\" datatype=\"unicodeChar\" arraysize=\"*\">",
        "<TD>10</TD><TD>20</TD><TD>2</TD><TD/></TR>\n<TR><TD>3</TD>",
        "<TD>10</TD><TD>20</TD><TD/><TD>α,β</TD></TR>",
        "<TD>10</TD><TD>20</TD><TD>0.5</TD><TD/></TR>\n</TABLEDATA>",
    ] {
        assert!(rows.contains(part), "{part} in {rows}");
    }
}

#[test]
fn rows_that_there_is_no_room_for_on_stdout_are_told_and_fail() {
    let stub = Stub::start(changing);
    let fresh = Fresh::new();
    let ran = fresh.parsim(&format!("{CHANGING} --service {}", stub.url("/tap"))).run();
    let why = "the service sent y, which targets before it had not: --out FILE has room for that";
    ran.exits(1).tells(why);
    assert_eq!(ran.stdout.lines().count(), 4);
    let status = fs::read_to_string(fresh.path("status.csv")).unwrap();
    let told: Vec<&str> = status.lines().skip(1).map(|line| line.split(',').nth(6).unwrap()).collect();
    assert_eq!(told, ["empty", "ok", "error", "ok"]);
}

#[test]
fn a_votable_of_answers_that_were_cut_says_so_itself() {
    let sky = sky();
    let fresh = Fresh::new();
    for (path, is_cut) in [("/tap", false), ("/f/overflow/tap", true)] {
        let line =
            format!("cone 193.6485833,-12.5684444 --radius 0.04 --out rows.vot --service {}", sky.url(path));
        fresh.parsim(&line).run().exits(i32::from(is_cut));
        let table = fs::read_to_string(fresh.path("rows.vot")).unwrap();
        let end = table.split("</TABLE>").nth(1).unwrap();
        let cut = "after 35 rows: --maxrec asks for more, without --upload";
        let ran = fresh.parsim(&format!("{line} --upload --export-json study.json")).run();
        ran.exits(i32::from(is_cut)).expect(ran.stdout.contains(cut) == is_cut, cut);
        let one_query = "after 35 rows: search fewer targets at a time, or leave out --upload";
        let study = fs::read_to_string(fresh.path("study.json")).unwrap();
        assert_eq!(study.contains(one_query), is_cut);
        assert_eq!(end.contains("<INFO name=\"QUERY_STATUS\" value=\"OVERFLOW\"/>"), is_cut, "{end}");
    }
}

#[test]
fn no_password_of_a_url_gets_into_studies_and_reports() {
    let sky = sky();
    let fresh = Fresh::new();
    let login = |url: &str| url.replacen("://", "://u:s3cr@", 1);
    let line = format!(
        "cone 1,1 https:u:s3cr@h/x --radius 0.1 --workers both --out rows.csv --status status.csv --sky sky.html \
         --service {} --resolver {} --aladin {} --contact {} --export-json study.json --export-html page.html \
         --export-markdown page.md --export-csv tasks.csv",
        login(&sky.url("/tap")),
        login(&sky.url("/cgi-bin/nph-sesame")),
        login("https://h/aladin.js"),
        login("https://h/me"),
    );
    let ran = fresh.parsim(&line).run();
    ran.exits(1).does_not_say("s3cr").expect(!ran.stderr.contains("s3cr"), "no password");
    for name in ["rows.csv", "status.csv", "study.json", "page.html", "page.md", "tasks.csv"] {
        let text = fs::read_to_string(fresh.path(name)).unwrap();
        assert!(!text.contains("s3cr"), "{name}: {text}");
    }
    // Whom it is for gets it.
    assert!(sky.asked().iter().all(|asked| asked.head.contains("Basic dTpzM2Ny")));
}

#[test]
fn a_cone_that_took_too_long_counts_as_failed_and_its_rows_are_kept() {
    let sky = sky();
    let fresh = Fresh::new();
    let line = format!(
        "cone 193.6485833,-12.5684444 --radius 0.04 --crit-latency 0.001ms --out rows.csv --status status.csv --service {}",
        sky.url("/tap")
    );
    fresh.parsim(&line).run().exits(1).says("slow: took ").says(", more than 1.000 us");
    let status = fs::read_to_string(fresh.path("status.csv")).unwrap();
    assert!(status.contains(",error,slow,35,"), "{status}");
    assert_eq!(fs::read_to_string(fresh.path("rows.csv")).unwrap().lines().count(), 36);
}

#[test]
fn a_report_has_a_few_charts_and_says_of_how_many_targets() {
    let sky = sky();
    let fresh = Fresh::new();
    for (n_targets, said) in [(12, false), (13, true)] {
        let targets: String = (0..n_targets).map(|number| format!(" {number},80")).collect();
        let line = format!(
            "cone{targets} --radius 1s --parallel --export-html page.html --service {}",
            sky.url("/tap")
        );
        fresh.parsim(&line).run().exits(0);
        let page = fs::read_to_string(fresh.path("page.html")).unwrap();
        let text = "Charts of the first 12 of 13 targets; --chart DIR draws all of them.";
        assert_eq!((page.matches("Finder chart of").count(), page.contains(text)), (12, said));
    }
}
