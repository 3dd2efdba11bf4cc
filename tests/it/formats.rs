//! What each format holds of a fixed study: golden files, and what has to be
//! true whatever a task is called.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use quick_junit::Report;
use serde_json::Value;

use super::support::{Fresh, Ran};

/// Each format's option, and how the names of its golden files end.
const FORMATS: [(&str, &str); 6] = [
    ("export-json", "json"),
    ("export-csv", "csv"),
    ("export-markdown", "md"),
    ("export-html", "html"),
    ("export-junit", "xml"),
    ("export-trace", "trace.json"),
];

/// One with names that mean something to some format, one of several widths, and one
/// of threads and processes.
const STUDIES: [&str; 3] = ["hostile", "sweep", "workers"];

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/report").join(name)
}

/// The kept study drawn in one format.
fn drawn(study: &str, option: &str) -> String {
    let fresh = Fresh::new();
    let line = fresh.parsim("report").args([kept(&format!("{study}.json"))]);
    let ran: Ran = line.args([format!("--{option}"), "-".to_owned()]).run();
    ran.exits(0).tells("wall");
    ran.stdout
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn every_format_of_a_kept_study_is_what_it_was() {
    for study in STUDIES {
        for (option, ending) in FORMATS {
            let golden = kept(&format!("{study}.{ending}"));
            let expected = std::fs::read_to_string(&golden).unwrap();
            let drawn = drawn(study, option);
            let differs = drawn.lines().zip(expected.lines()).position(|(one, other)| one != other);
            assert!(
                drawn == expected,
                "{} differs, first in line {:?}; if it is to: cd tests/data/report && parsim report {study}.json --{option} {study}.{ending}",
                golden.display(),
                differs.map(|line| line + 1),
            );
        }
    }
}

#[test]
fn a_study_of_the_first_schema_is_drawn_as_if_it_had_been_saved_in_todays() {
    for study in ["hostile", "workers"] {
        for (option, ending) in FORMATS {
            let expected = std::fs::read_to_string(kept(&format!("{study}.{ending}"))).unwrap();
            assert!(drawn(&format!("{study}.1"), option) == expected, "{study}.1.json, --{option}");
        }
        let fresh = Fresh::new();
        let line =
            fresh.parsim("report").args([kept(&format!("{study}.1.json")), kept(&format!("{study}.json"))]);
        line.run().exits(0).says("serial wall").does_not_say("only ");
    }
}

#[test]
fn an_engine_that_nobody_has_heard_of_is_drawn_like_any_other() {
    let fresh = Fresh::new();
    let study = std::fs::read_to_string(kept("workers.json")).unwrap().replace("\"processes\"", "\"toy\"");
    std::fs::write(fresh.path("toy.json"), study).unwrap();
    fresh.parsim("report toy.json").run().exits(0).says("toy").says("threads").does_not_say("processes -j");
    for (option, _) in FORMATS {
        let ran = fresh.parsim(&format!("report toy.json --{option} -")).run();
        ran.exits(0).says("toy");
    }
}

/// The characters of a text that act on a terminal or on the order of reading.
fn acting(text: &str) -> Vec<char> {
    let acts = |c: &char| {
        (c.is_control() && *c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(acts).collect()
}

#[test]
fn no_name_of_a_task_acts_on_the_reader_of_any_format() {
    for (option, _) in FORMATS.iter().filter(|(option, _)| *option != "export-json") {
        let drawn = drawn("hostile", option);
        assert_eq!(acting(&drawn), [], "{option}");
    }
    // The study itself keeps names exactly, and JSON escapes what is below a space.
    assert!(acting(&drawn("hostile", "export-json")).iter().all(|c| !c.is_control()));
}

/// The tags of a page: what is between angle brackets, which no text has.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|piece| piece.split_once('>').expect("a tag has an end").0).collect()
}

fn style(page: &str) -> &str {
    page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    for study in STUDIES {
        let page = drawn(study, "export-html");
        for tag in tags(&page) {
            let name = tag.split([' ', '/']).next().unwrap();
            let loads =
                ["script", "link", "img", "image", "use", "iframe", "object", "embed", "base", "form", "a"];
            assert!(!loads.contains(&name), "<{tag}>");
            // No name of a task is in a tag, so that nothing of the kind is expected in one.
            let may_not =
                ["http:", "https:", "//", "src=", "href=", "url(", "onload", "javascript", "style="];
            for what in may_not {
                assert!(!tag.contains(what), "{what} in <{tag}>");
            }
        }
        for what in ["http", "//", "src", "url(", "@import", "@font-face"] {
            assert!(!style(&page).contains(what), "{what} in the style");
        }
        assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    }
}

#[test]
fn every_element_of_a_page_is_closed_in_its_turn() {
    for study in STUDIES {
        let page = drawn(study, "export-html");
        let mut open: Vec<&str> = Vec::new();
        for tag in tags(&page) {
            let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "</{name}>");
            } else if !tag.ends_with('/') && !["!DOCTYPE", "meta"].contains(&name) {
                open.push(name);
            }
        }
        assert_eq!(open, [""; 0], "{study}");
    }
}

#[test]
fn every_box_of_a_task_has_a_tooltip_with_its_name() {
    let page = drawn("hostile", "export-html");
    // Eight tasks: serially, in parallel, and in parallel again at full width.
    assert_eq!(page.matches("<title>task ").count(), 3 * 8);
    assert_eq!(page.matches("class=\"failed\"").count(), 2 * 3);
    for name in
        ["&lt;/script&gt;&lt;script&gt;alert(1)", "right\\u{202e}gnp.exe", "=SUM(A1:A9),;1 日本 grün 🦀"]
    {
        assert_eq!(page.matches(&format!("  {name}")).count(), 3, "{name}");
    }
}

#[test]
fn nothing_is_claimed_on_a_page_of_failed_tasks() {
    let page = drawn("hostile", "export-html");
    assert!(page.contains("no speed-up is claimed: 3 tasks failed") && !page.contains(" saved<"));
    assert!(drawn("sweep", "export-html").contains(" s saved<"));
}

#[test]
fn hyperfines_scripts_find_what_they_read() {
    let study = json(&drawn("sweep", "export-json"));
    let results = study["results"].as_array().unwrap();
    assert_eq!(results.len(), study["columns"].as_array().unwrap().len());
    for result in results {
        let times: Vec<f64> =
            result["times"].as_array().unwrap().iter().map(|it| it.as_f64().unwrap()).collect();
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        assert!((result["mean"].as_f64().unwrap() - mean).abs() < 1e-9);
        assert!(result["command"].is_string() && result["stddev"].is_f64() && result["median"].is_f64());
        assert!(result["min"].as_f64().unwrap() <= mean && mean <= result["max"].as_f64().unwrap());
        // Numbers as text, which the scripts turn into numbers.
        result["parameters"]["jobs"].as_str().unwrap().parse::<f64>().unwrap();
    }
    let names: Vec<&str> = results.iter().map(|it| it["command"].as_str().unwrap()).collect();
    assert_eq!(names[0], "csv-gen serial");
    assert_eq!(names[4], "csv-gen parallel -j 4");
}

#[test]
fn csv_has_as_many_fields_in_each_line_and_the_numbers_of_the_study() {
    for study in STUDIES {
        let text = drawn(study, "export-csv");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        assert!(text.starts_with("command,mean,stddev,median,user,system,min,max,parameter_way,"));
        let rows: Vec<BTreeMap<String, String>> = reader
            .records()
            .map(|row| header.iter().map(str::to_owned).zip(row.unwrap().iter().map(str::to_owned)).collect())
            .collect();
        let results = json(&drawn(study, "export-json"))["results"].clone();
        assert_eq!(rows.len(), results.as_array().unwrap().len());
        for (row, result) in rows.iter().zip(results.as_array().unwrap()) {
            let mean = row["mean"].parse::<f64>().unwrap();
            assert!((mean - result["mean"].as_f64().unwrap()).abs() < 1e-9);
            assert_eq!(row["parameter_jobs"], result["parameters"]["jobs"].as_str().unwrap());
            assert_eq!(row["speedup"].is_empty(), study == "hostile" || row["parameter_way"] == "serial");
        }
    }
}

#[test]
fn every_row_of_a_markdown_table_has_as_many_cells() {
    for study in STUDIES {
        let text = drawn(study, "export-markdown");
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let rows: Vec<usize> = text.lines().filter(|line| line.starts_with('|')).map(cells).collect();
        assert!(rows.len() > 10 && rows.iter().all(|count| *count == rows[0]), "{text}");
        assert!(!text.lines().skip(1).any(|line| line.contains('<')), "{text}");
    }
    let name = "\\| pipe \\`tick\\` \\*star\\* \\_under\\_ \\[link\\](x) @\u{2060}someone #\u{2060}1";
    assert!(drawn("hostile", "export-markdown").contains(name));
}

#[test]
fn junit_has_a_case_for_each_task_and_one_for_agreement() {
    let report = Report::deserialize_from_str(&drawn("hostile", "export-junit")).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (8 + 8 + 1, 3 + 1, 0));
    let suites: Vec<&str> = report.test_suites.iter().map(|suite| suite.name.as_str()).collect();
    assert_eq!(suites, ["serial", "parallel", "agreement"]);
    let names: Vec<&str> = report.test_suites[1].test_cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names[1], "</script><script>alert(1)</script>");
    assert_eq!(names[3], "]]> & &amp; <!-- -->");
    let report = Report::deserialize_from_str(&drawn("sweep", "export-junit")).unwrap();
    assert_eq!((report.tests, report.failures), (5 * 24 + 1, 0));
}

#[test]
fn slices_of_a_trace_are_in_named_lanes_and_never_overlap() {
    for (study, n_slices) in [("hostile", 2 * 8), ("sweep", 5 * 24)] {
        let trace = json(&drawn(study, "export-trace"));
        let events = trace["traceEvents"].as_array().unwrap();
        let phase = |phase: &'static str| events.iter().filter(move |event| event["ph"] == phase);
        let lane = |event: &Value| (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        let named: Vec<_> = phase("M").filter(|event| event["name"] == "thread_name").map(lane).collect();
        let mut lanes: BTreeMap<_, Vec<(f64, f64)>> = BTreeMap::new();
        for slice in phase("X") {
            let (start, length) = (slice["ts"].as_f64().unwrap(), slice["dur"].as_f64().unwrap());
            assert!(
                start >= 0.0 && length >= 0.0 && slice["name"].is_string() && slice["args"]["task"].is_u64()
            );
            lanes.entry(lane(slice)).or_default().push((start, start + length));
        }
        assert_eq!(lanes.values().map(Vec::len).sum::<usize>(), n_slices);
        for (lane, spans) in &mut lanes {
            assert!(named.contains(lane), "{lane:?}");
            spans.sort_by(|one, other| one.partial_cmp(other).unwrap());
            assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{lane:?} {spans:?}");
        }
        // A counter goes forward in time, and is back at nothing when the run is over.
        let pids: Vec<u64> = lanes.keys().map(|lane| lane.0).collect();
        for (pid, name) in pids.iter().flat_map(|pid| [(pid, "CPU %"), (pid, "running tasks")]) {
            let steps: Vec<(f64, f64)> = phase("C")
                .filter(|event| event["pid"] == *pid && event["name"] == name)
                .map(|event| (event["ts"].as_f64().unwrap(), event["args"][name].as_f64().unwrap()))
                .collect();
            assert!(
                steps.len() > 1 && steps.windows(2).all(|pair| pair[0].0 < pair[1].0),
                "{name} {steps:?}"
            );
            assert!(steps.last().unwrap().1.abs() < 1e-9);
        }
    }
}
