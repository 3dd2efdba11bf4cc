//! Where cone searches leave what they found, and in which columns.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{Fresh, Reply, Stub};

#[test]
fn through_links_files_are_replaced_and_pipes_and_devices_are_written_to() {
    let fresh = Fresh::new();
    for name in ["rows.csv", "status.csv", "sky.html"] {
        fs::write(fresh.path(name), "from before\n").unwrap();
        symlink(name, fresh.path(&format!("link-{name}"))).unwrap();
    }
    let line = "cone --demo --parallel --out link-rows.csv --status link-status.csv --sky link-sky.html --chart charts";
    fresh.parsim(line).run().exits(0);
    let text = |name: &str| fs::read_to_string(fresh.path(name)).unwrap();
    for (name, begin) in [("rows.csv", "id,target,"), ("status.csv", "id,target,"), ("sky.html", "<!")] {
        assert!(text(name).starts_with(begin), "{name}");
        assert!(fs::symlink_metadata(fresh.path(&format!("link-{name}"))).unwrap().is_symlink());
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
        ("--out x --status - --export-json -", "stdout is taken: give --status and --sky files"),
    ] {
        fresh.parsim(&format!("cone --demo --parallel {options}")).run().refuses(why);
    }
}

/// A table of results with these fields, `name type ucd`, and these rows, blanks between cells.
fn results(fields: &[&str], rows: &[&str]) -> Reply {
    let field = |field: &&str| {
        let words: Vec<&str> = field.split(' ').collect();
        let size = if words[1] == "char" { "arraysize=\"*\"" } else { "" };
        let ucd = words.get(2).unwrap_or(&"");
        format!("<FIELD name=\"{}\" datatype=\"{}\" {size} ucd=\"{ucd}\"/>", words[0], words[1])
    };
    let row = |row: &&str| format!("<TR><TD>{}</TD></TR>", row.replace(' ', "</TD><TD>"));
    let (fields, rows): (String, String) =
        (fields.iter().map(field).collect(), rows.iter().map(row).collect());
    Reply::xml(format!(
        "<VOTABLE><RESOURCE type=\"results\"><INFO name=\"QUERY_STATUS\" value=\"OK\"/><TABLE>{fields}\
         <DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    ))
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
