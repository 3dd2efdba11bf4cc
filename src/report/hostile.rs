//! Studies that nobody saved: whatever is in a file, no format panics, and none
//! draws more than a fair multiple of what it was given.

use std::time::Duration;

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use serde_json::{Value, json};

use super::change::{Side, StudyPair};
use super::timeline::tests::record;
use super::{Look, Pictures, ROWS, json, text};
use crate::measure::Usage;
use crate::study::tests::empty;
use crate::study::{
    Agreement, ColumnResult, Cut, Difference, FailedAlso, Failure, FilesAgreement, RunResult, SCHEMA,
    SpanTotal, Study, WorkerCosts,
};
use crate::style::Styles;
use crate::task::{
    Column, ErrorClass, Finding, Outcome, Record, Redirect, SelfReport, ServiceVerdict, Span, Warning,
};

/// A study that has something of everything.
fn whole() -> Study {
    let mut study = empty();
    study.host.quota = Some(1.5);
    study.host.load = Some([1.0, 2.0, 3.0]);
    study.host.memory = Some(1 << 33);
    study.command = vec!["parsim".to_owned(), "tap".to_owned()];
    study.parameters = json!({"tasks": 4, "list": null}).into();
    study.sample_of = Some(100);
    let column = |column, width: usize, n_runs| ColumnResult {
        whereabouts: Some("x000000.csv".to_owned()),
        output: "a\nb\n".to_owned(),
        ..ColumnResult::new(column, width, (0..n_runs).map(|number| run(width, number)).collect())
    };
    study.columns = vec![
        column(Column::SERIAL, 1, 5),
        column(Column::PARALLEL, 2, 5),
        column(Column::PARALLEL, 4, 2),
        column(Column::of_engine("processes"), 2, 5),
    ];
    study.cut = Some(Cut {
        way: "parallel".into(),
        finished: 1,
        tasks: Some(4),
        records: [task(0, 1)].into_iter().collect(),
    });
    let difference =
        Difference { item: 1, label: "b".to_owned(), way: "parallel".into(), width: 2, why: "x".to_owned() };
    study.agreement = Some(Agreement {
        unit: "task".to_owned(),
        items: 4,
        identical: 3,
        differences: vec![difference],
        more_differences: 2,
        failed_alike: 1,
        files: Some(FilesAgreement { files: 2, identical: 1 }),
        outside: false,
        checked: Some("read back".to_owned()),
    });
    let failure = Failure {
        label: "c".into(),
        why: "exit status 1".into(),
        way: "serial".into(),
        run: 1,
        also: vec![FailedAlso { way: "parallel".into(), run: 2 }],
    };
    study.failures.insert(2, failure);
    study.unnamed_failures = 1;
    study.remarks = vec!["a remark".to_owned()];
    study.advice.insert("write".to_owned(), "try less".to_owned());
    study
}

fn run(width: usize, number: u64) -> RunResult {
    let mut run = RunResult {
        preparation: Duration::from_millis(3),
        wall: Duration::from_millis(400 / width as u64 + number),
        usage: Usage { user: Duration::from_millis(300), minor_faults: 9, ..Usage::default() },
        peak_memory: Some(7 << 20),
        crew: (width == 2).then(|| WorkerCosts {
            workers: 2,
            peak_memory: Some(9 << 20),
            ..WorkerCosts::default()
        }),
        tail: Duration::from_millis(5),
        surroundings: Some(serde_json::from_value(surroundings()).unwrap()),
        ..RunResult::default()
    };
    for seq in 0..4 {
        let task = task(seq, u32::try_from(seq).unwrap() % u32::try_from(width).unwrap());
        run.add(&task);
        run.records.push(task);
    }
    run.spans.push(SpanTotal { name: "draw".to_owned(), wall: Duration::from_millis(9) });
    run
}

fn surroundings() -> Value {
    json!({"cpu": 0.5, "stolen": 0.1, "disk_wait": 0.1, "throttled": 0.1, "swapped": 4096})
}

fn task(seq: u64, slot: u32) -> Record {
    let finding = Finding {
        url: format!("http://h/{seq}").into(),
        verdict: if seq == 2 { ServiceVerdict::Down } else { ServiceVerdict::Up },
        class: (seq == 2).then_some(ErrorClass::Probe),
        reason: "no answer".into(),
        warnings: vec![Warning::Framing],
        says: Some(Box::new(SelfReport {
            available: true,
            up_since: Some("2026-01-01T00:00:00Z".into()),
            up_since_seconds: Some(1_767_225_600),
            notes: vec!["a note".to_owned()],
            more_notes: 1,
            ..SelfReport::default()
        })),
        redirects: vec![Redirect { status: 301, to: "http://h/x".to_owned() }],
        cert_expires: Some(1_800_000_000),
        status: Some(200),
        attempts: 2,
        ..Finding::default()
    };
    Record {
        peak_memory: Some(5 << 20),
        bytes: 100,
        input_offered: 5,
        input_read: Some(3),
        user: Some(Duration::from_millis(50)),
        sys: Some(Duration::from_millis(40)),
        outcome: if seq == 2 { Outcome::Exited(1) } else { Outcome::Success },
        spans: [Span { name: "write".into(), wall: Duration::from_millis(3) }].into_iter().collect(),
        facts: vec![("a fact".into(), "about it".to_owned())],
        finding: Some(Box::new(finding)),
        ..record(seq, slot, 100 * seq, 90)
    }
}

/// The places of all values in `value`.
fn places(value: &Value, place: &str, places: &mut Vec<String>) {
    places.push(place.to_owned());
    match value {
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                self::places(value, &format!("{place}/{at}"), places);
            }
        }
        Value::Object(values) => {
            for (name, value) in values {
                self::places(
                    value,
                    &format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")),
                    places,
                );
            }
        }
        _ => {}
    }
}

/// Makes something else of one value.
fn spoil(value: &mut Value, rng: &mut Xoshiro256PlusPlus) {
    const NUMBERS: [f64; 14] =
        [0.0, -0.0, -1.0, 1.0, 2.0, 0.5, 1e-300, 1e-9, 1e9, 1e11, 1e18, 1.9e19, 1e300, -1e300];
    const COUNTS: [u64; 12] = [
        0,
        1,
        2,
        255,
        65_535,
        1 << 31,
        u32::MAX as u64,
        1 << 32,
        1 << 53,
        (1 << 53) + 1,
        i64::MAX as u64,
        u64::MAX,
    ];
    let texts = [
        String::new(),
        "\u{1b}[2J\u{202e}\u{fffe}\0".to_owned(),
        "x".repeat(20_000),
        "日本 ".repeat(3000),
        "a\n".repeat(2000),
        "-9223372036854775808".to_owned(),
        "18446744073709551615".to_owned(),
        "\u{301}".repeat(5000),
        "]]></script>\"'&".to_owned(),
    ];
    match (value, rng.random_range(0..8_u32)) {
        (value, 0) => *value = Value::Null,
        (Value::Number(number), 1..=3) => *number = COUNTS[rng.random_range(0..COUNTS.len())].into(),
        (value @ Value::Number(_), _) => *value = json!(NUMBERS[rng.random_range(0..NUMBERS.len())]),
        (Value::String(text), _) => texts[rng.random_range(0..texts.len())].clone_into(text),
        (Value::Bool(flag), _) => *flag = !*flag,
        (Value::Array(values), 1) => values.clear(),
        (Value::Array(values), _) => {
            let times = rng.random_range(2..40_usize);
            *values = values.iter().cycle().take(values.len() * times).cloned().collect();
        }
        (Value::Object(values), 1) => values.clear(),
        (Value::Object(values), _) => {
            let gone = values.keys().nth(rng.random_range(0..values.len().max(1))).cloned();
            gone.map(|name| values.remove(&name));
        }
        (value @ Value::Null, _) => *value = json!(COUNTS[rng.random_range(0..COUNTS.len())]),
    }
}

/// Draws `study` in all formats, and what changed between it and `other`.
fn draw(study: &Study, other: &Study, given: usize) {
    let most = (1 << 18) + 100 * given;
    let drawn = |bytes: usize, what: &str| assert!(bytes <= most, "{what}: {bytes} bytes of {given}");
    let sides = [Side { name: "one", study }, Side { name: "other", study: other }];
    let pairs = [StudyPair::new(sides[0], sides[1]), StudyPair::new(sides[1], sides[0])];
    for row in ROWS {
        let mut bytes = Vec::new();
        // A figure that no format can write is an error, and told.
        let _ = (row.render)(study, &mut bytes);
        drawn(bytes.len(), row.option);
        for (between, pair) in
            row.between.iter().flat_map(|between| pairs.iter().map(move |it| (between, it)))
        {
            let mut bytes = Vec::new();
            let _ = between(pair, &mut bytes);
            drawn(bytes.len(), row.option);
        }
    }
    for (width, unicode, pictures) in
        [(80, true, Pictures::Drawn), (1, false, Pictures::Drawn), (300, true, Pictures::Drawn)]
    {
        let look =
            Look { styles: Styles::colored(), unicode, width, wraps: true, lists_runs: true, pictures };
        drawn(text::render(study, look).len(), "text");
        for pair in &pairs {
            drawn(text::render_change(pair, look).len(), "text of a change");
        }
    }
}

/// Reads `bytes`, and draws what can be read.
fn read_and_draw(bytes: &[u8], sound: &Study) -> bool {
    let read = json::read(bytes);
    if let Ok(study) = &read {
        draw(study, sound, bytes.len());
    }
    read.is_ok()
}

fn saved() -> Vec<u8> {
    super::tests::drawn(json::render, &whole())
}

#[test]
fn a_sound_study_is_read_and_drawn() {
    let bytes = saved();
    assert!(read_and_draw(&bytes, &whole()));
    assert_eq!(json::read(&bytes[..]).unwrap(), whole());
}

proptest! {
    // Each draws some fifty reports.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 8,
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_figures_make_a_format_panic_or_draw_without_end(seed: u64, n_spoilt in 1..4_usize) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut value: Value = serde_json::from_slice(&saved()).unwrap();
        for _ in 0..n_spoilt {
            let mut all = Vec::new();
            places(&value, "", &mut all);
            let place = &all[rng.random_range(0..all.len())];
            spoil(value.pointer_mut(place).unwrap(), &mut rng);
        }
        // The order of keys is the writer's: the schema comes first.
        let text = serde_json::to_string(&value).unwrap();
        let schema = format!("\"schema\":\"{SCHEMA}\"");
        let text = text.replacen('{', &format!("{{{schema},"), 1).replacen(&format!(",{schema}"), "", 1);
        read_and_draw(text.as_bytes(), &whole());
    }

    #[test]
    fn no_bytes_make_a_format_panic(seed: u64, cut in 0..100_usize, n_spoilt in 0..3_usize) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut bytes = saved();
        for _ in 0..n_spoilt {
            let at = rng.random_range(0..bytes.len());
            bytes[at] = rng.random_range(0..=255_u8);
        }
        if cut < 30 {
            bytes.truncate(bytes.len() * cut / 30);
        }
        read_and_draw(&bytes, &whole());
    }

    #[test]
    fn any_bytes_at_all_are_refused_or_drawn(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_and_draw(&bytes, &whole());
    }
}
