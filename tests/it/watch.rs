//! What is kept of services from run to run, and who hears of what changed.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::services::{down, up};
use crate::support::{Fresh, Reply, Stub};

/// A service that is down as long as the flag is set.
fn moody() -> (Stub, Arc<AtomicBool>) {
    let is_down = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_down);
    let stub = Stub::start(move |_| Reply::xml(if flag.load(Ordering::SeqCst) { down("") } else { up("") }));
    (stub, is_down)
}

#[test]
fn a_change_since_the_last_run_is_told_once_and_handed_to_a_command() {
    let (stub, is_down) = moody();
    let fresh = Fresh::new();
    // No word of a service may become one of the command.
    fs::write(
        fresh.path("list"),
        format!("{} $(touch hacked) `touch hacked`;touch hacked\n", stub.url("/s")),
    )
    .unwrap();
    let hook = "cat >>news; exit 3";
    let check = || {
        let line = fresh.parsim("tap --parallel --urls list --since state.json --export-json s.json");
        line.args(["--on-change", hook]).run()
    };
    check().exits(0).does_not_say("since 20");
    assert!(!fresh.path("news").exists(), "nothing is news where nothing was known");
    is_down.store(true, Ordering::SeqCst);
    let changed = check();
    // The command's own status is told and changes nothing.
    changed
        .exits(1)
        .says(": down since 20")
        .says(", was up ")
        .tells("--on-change: \"cat >>news; exit 3\" ended with exit status: 3");
    check().exits(1).does_not_say("since 20").is_quiet();
    is_down.store(false, Ordering::SeqCst);
    check().exits(0).says(": up again since 20");
    let news = fs::read_to_string(fresh.path("news")).unwrap();
    let told: Vec<Value> = news.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let words: Vec<_> =
        told.iter().map(|it| (it["news"][0]["before"].as_str(), it["news"][0]["now"].as_str())).collect();
    assert_eq!(words, [(Some("up"), Some("down")), (Some("down"), Some("up"))]);
    assert!(told[0]["news"][0]["name"].as_str().unwrap().contains("touch hacked"));
    assert!(!fresh.path("hacked").exists());
}

#[test]
fn news_that_a_killed_run_did_not_hand_on_are_told_by_a_later_one_once() {
    let (stub, is_down) = moody();
    let fresh = Fresh::new();
    let check = |hook: &str| {
        let line = fresh.parsim(&format!("tap --parallel {} --since state.json", stub.url("/s")));
        line.args(["--on-change", hook]).run()
    };
    check("cat >>news").exits(0);
    is_down.store(true, Ordering::SeqCst);
    // The command ends the run that started it before anybody has heard.
    check("kill -9 $PPID; sleep 0.2").ends_by_signal(9);
    check("cat >>news").exits(1);
    assert!(!fresh.path("news").exists(), "whoever noted them a moment ago may still be at it");
    // As if that had been long ago.
    let mut state: Value = serde_json::from_slice(&fs::read(fresh.path("state.json")).unwrap()).unwrap();
    state["untold"][0]["time"] = "2020-01-01T00:00:00.000Z".into();
    fs::write(fresh.path("state.json"), state.to_string()).unwrap();
    for _ in 0..2 {
        check("cat >>news").exits(1);
    }
    let news = fs::read_to_string(fresh.path("news")).unwrap();
    assert_eq!(news.lines().count(), 1, "{news}");
    let told: Value = serde_json::from_str(news.trim()).unwrap();
    assert_eq!(told["news"][0]["now"], "down");
    let state = fs::read_to_string(fresh.path("state.json")).unwrap();
    assert!(!state.contains("untold"), "{state}");
}

#[test]
fn what_will_break_before_long_is_news_once() {
    let is_announced = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_announced);
    let stub = Stub::start(move |_| {
        let announced = "<v:downAt>2999-01-01T00:00:00Z</v:downAt><v:note>`touch hacked`</v:note>";
        Reply::xml(up(if flag.load(Ordering::SeqCst) { announced } else { "" }))
    });
    let fresh = Fresh::new();
    let check = || {
        let line = fresh.parsim(&format!("tap --parallel {} --since state.json", stub.url("/s")));
        line.args(["--on-change", "cat >>news"]).run()
    };
    check().exits(0).does_not_say("warning: maintenance");
    is_announced.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        check().exits(0);
    }
    is_announced.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        check().exits(0);
    }
    let news = fs::read_to_string(fresh.path("news")).unwrap();
    let told: Vec<Value> = news.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let words: Vec<_> = told.iter().map(|it| it["news"][0]["text"].as_str().unwrap()).collect();
    let expected = ["warning: maintenance: down at 2999-01-01T00:00:00Z", "no longer: warning: maintenance"];
    assert_eq!(words, expected);
    assert!(told.iter().all(|it| it["news"][0]["kind"] == "warning"));
    assert!(!fresh.path("hacked").exists());
}

#[test]
fn what_changed_between_two_studies_of_services_is_told_by_name() {
    let (stub, is_down) = moody();
    let fresh = Fresh::new();
    let save =
        |name: &str| fresh.parsim(&format!("tap --parallel {} --export-json {name}", stub.url("/s"))).run();
    save("old.json").exits(0);
    is_down.store(true, Ordering::SeqCst);
    save("new.json").exits(1);
    let ran =
        fresh.parsim("report old.json new.json --export-json change.json --export-html page.html").run();
    ran.exits(0).says(": down since 20").says(", was up ");
    let change: Value = serde_json::from_slice(&fs::read(fresh.path("change.json")).unwrap()).unwrap();
    assert_eq!(change["news"][0]["kind"], "verdict");
    assert!(fs::read_to_string(fresh.path("page.html")).unwrap().contains("What changed"));
}

#[test]
fn runs_at_the_same_time_lose_no_line_and_leave_what_is_known_whole() {
    let (stub, _) = moody();
    let fresh = Fresh::new();
    let line =
        format!("tap --parallel {} {} --since state.json --history lines", stub.url("/a"), stub.url("/b"));
    let started: Vec<_> = (0..6).map(|_| fresh.parsim(&line).start()).collect();
    for run in started {
        run.end().exits(0).does_not_say("since 20");
    }
    let lines = fs::read_to_string(fresh.path("lines")).unwrap();
    assert_eq!(lines.lines().count(), 12);
    let state: Value = serde_json::from_slice(&fs::read(fresh.path("state.json")).unwrap()).unwrap();
    assert_eq!(state["services"].as_array().unwrap().len(), 2);
    assert_eq!(fresh.names(".").len(), 2, "nothing else is left");
}

#[test]
fn a_history_is_drawn_with_its_days_and_incidents() {
    let fresh = Fresh::new();
    let line = |time: &str, verdict: &str| {
        format!(
            "{{\"time\":\"{time}\",\"url\":\"http://h/\",\"name\":\"<b>a\\u001b[1m\",\"verdict\":\"{verdict}\",\"total\":0.25}}\n"
        )
    };
    let lines = [
        line("2026-11-26T10:00:00.000Z", "up"),
        line("2026-11-27T10:00:00.000Z", "down"),
        line("2026-11-27T13:00:00.000Z", "up"),
        "{\"time\":".to_owned(),
    ];
    fs::write(fresh.path("lines"), lines.concat()).unwrap();
    let ran = fresh.parsim("report --history lines --export-html page.html --export-markdown table.md").run();
    ran.exits(0)
        .says("1 of 1 up")
        .says("66.66 %")
        .says("down from 2026-11-27 10:00 for 3 h")
        .says("1 line could not be read");
    let page = fs::read_to_string(fresh.path("page.html")).unwrap();
    for text in ["Day by day", "2026-11-27: up in 1 of 2 checks", "&lt;b&gt;a"] {
        assert!(page.contains(text), "{text} in {page}");
    }
    assert!(!page.contains('\u{1b}') && !ran.stdout.contains('\u{1b}'));
    fresh.parsim("report --history lines --export-csv x").run().refuses("--export-csv is of a study");
    for option in ["--min-speedup 2", "--fail-if-slower 5", "--lanes", "--verbose"] {
        let name = option.split(' ').next().unwrap();
        let ran = fresh.parsim(&format!("report --history lines {option}")).run();
        ran.refuses(&format!("{name} has no effect with --history: a history of services has no "));
    }
    fs::write(fresh.path("none"), "x\n").unwrap();
    fresh.parsim("report --history none").run().exits(255).tells("holds no line that --history wrote");
}

#[test]
fn a_history_says_how_many_are_not_up_whatever_its_file_is_called() {
    let fresh = Fresh::new();
    let line = |number: u32| {
        format!(
            "{{\"time\":\"2026-11-27T10:00:00.000Z\",\"url\":\"http://h/{number}\",\"verdict\":\"down\",\"total\":1}}\n"
        )
    };
    let name = "lines\u{1b}[31m";
    fs::write(fresh.path(name), (0..5).map(line).collect::<String>()).unwrap();
    let ran = fresh.parsim("report --history").args([name]).run();
    ran.exits(0).says("... and 2 more are not up").does_not_say("\u{1b}");
}

#[test]
fn half_a_study_is_no_news_of_what_it_did_not_come_to() {
    let (stub, _) = moody();
    let fresh = Fresh::new();
    let urls = [stub.url("/a"), stub.url("/b")].join(" ");
    fresh.parsim(&format!("tap --parallel {urls} --export-json whole.json")).run().exits(0);
    let whole: Value = serde_json::from_slice(&fs::read(fresh.path("whole.json")).unwrap()).unwrap();
    let mut half = whole.clone();
    let mut records = whole["columns"][0]["runs"][0]["records"].as_array().unwrap().clone();
    records.truncate(1);
    half["columns"][0]["runs"] = serde_json::json!([]);
    half["cut"] = serde_json::json!({ "way": "parallel", "finished": 1, "tasks": 2, "records": records });
    fs::write(fresh.path("half.json"), half.to_string()).unwrap();
    let ran = fresh.parsim("report whole.json half.json").run();
    ran.does_not_say("no longer checked");
}

#[test]
fn what_cannot_be_kept_is_refused_before_anybody_is_asked() {
    let (stub, _) = moody();
    let fresh = Fresh::new();
    fs::write(fresh.path("other.json"), "{\"schema\":\"x\"}").unwrap();
    fs::create_dir(fresh.path("folder")).unwrap();
    for (option, why) in [
        ("--since other.json", "cannot use --since other.json: it is not what an earlier --since wrote"),
        ("--since missing/x", "cannot use --since missing/x: no such file"),
        ("--since /dev/null", "not a regular file"),
        ("--history folder", "cannot open --history folder"),
        ("--on-change true", "--since"),
    ] {
        fresh.parsim(&format!("tap {} {option}", stub.url("/s"))).run().exits(255).tells(why);
    }
    assert_eq!(stub.asked().len(), 0);
    assert_eq!(fs::read_to_string(fresh.path("other.json")).unwrap(), "{\"schema\":\"x\"}");
}

#[test]
fn what_is_refused_leaves_no_file_of_what_would_be_kept() {
    let (stub, _) = moody();
    let fresh = Fresh::new();
    for (option, why) in [
        ("--export-json missing/x", "cannot open missing/x for --export-json"),
        ("--history folder/", "cannot open --history folder/"),
        ("--format json-lines --export-json -", "stdout is taken by --format"),
    ] {
        fresh.parsim(&format!("tap {} --since state {option}", stub.url("/s"))).run().refuses(why);
    }
    fresh.parsim(&format!("tap {} --history h --export-csv missing/x", stub.url("/s"))).run().exits(255);
    assert!(fresh.names(".").is_empty() && stub.asked().is_empty());
}

#[test]
fn a_state_that_another_program_uses_is_left_alone_and_a_link_to_it_stays() {
    let (stub, _) = moody();
    let fresh = Fresh::new();
    std::os::unix::fs::symlink("state.json", fresh.path("link")).unwrap();
    let check = || fresh.parsim(&format!("tap --parallel {} --since link", stub.url("/s"))).run();
    check().exits(0);
    assert!(fresh.path("link").is_symlink() && fresh.path("state.json").is_file());
    let state = fs::File::open(fresh.path("state.json")).unwrap();
    state.lock().unwrap();
    let before = fs::read(fresh.path("state.json")).unwrap();
    check().exits(255).says("1 of 1 service up").tells("--since link: it is in use by another program");
    assert_eq!(fs::read(fresh.path("state.json")).unwrap(), before);
}

#[test]
fn a_history_that_cannot_be_written_costs_neither_the_state_nor_who_hears_of_news() {
    let (stub, is_down) = moody();
    let fresh = Fresh::new();
    let check = || {
        let line = format!("tap --parallel {} --since state --history /dev/full", stub.url("/s"));
        fresh.parsim(&line).args(["--on-change", "cat >news"]).run()
    };
    check().exits(255).tells("cannot write to /dev/full: no space left on device");
    is_down.store(true, Ordering::SeqCst);
    check().exits(255).tells("cannot write to /dev/full").says(": down since 20");
    assert!(fs::read_to_string(fresh.path("news")).unwrap().contains("\"now\":\"down\""));
}
