//! All cones in one query, or in as many as the service takes targets at a time.

use std::fmt::Write as _;
use std::fs;

use crate::skies::answer;
use crate::support::{Asked, Fresh, Reply, Stub};

/// A service that says so of what it takes.
fn limited(limit: &'static str) -> Stub {
    Stub::start(move |asked: &Asked| match asked.path.as_str() {
        "/tap/capabilities" => Reply::xml(format!(
            "<c:capabilities xmlns:c=\"http://www.ivoa.net/xml/VOSICapabilities/v1.0\">\
             <capability standardID=\"ivo://ivoa.net/std/TAP\">{limit}</capability></c:capabilities>"
        )),
        _ => answer(asked),
    })
}

#[test]
fn as_many_targets_are_uploaded_at_a_time_as_the_service_takes() {
    for (limit, expected) in [
        ("<uploadLimit><default unit=\"byte\">182000</default></uploadLimit>", vec![900, 101]),
        ("", vec![1001]),
    ] {
        let stub = limited(limit);
        let fresh = Fresh::new();
        let mut list = "ra,dec\n".to_owned();
        (0..1001).for_each(|number| _ = writeln!(list, "{},80", f64::from(number) / 100.0));
        fs::write(fresh.path("list.csv"), list).unwrap();
        let line = format!(
            "cone --targets list.csv --radius 1s --parallel --upload --out rows.csv --service {}",
            stub.url("/tap")
        );
        fresh.parsim(&line).run().exits(0);
        let uploads = stub.asked().into_iter().filter(|asked| asked.body.contains("TAP_UPLOAD"));
        let sizes: Vec<usize> = uploads.map(|asked| asked.body.matches("<TR>").count()).collect();
        assert_eq!(sizes, expected, "{limit}");
    }
}
