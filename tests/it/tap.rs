//! Services that are asked how they are, on the loopback only.

use std::fs;

use serde_json::Value;

use crate::services::{SINCE, answer, capabilities, service, up};
use crate::support::{Asked, Fresh, Ran, Reply, Stub};

/// The objects of `--format json-lines`, in input order.
pub(crate) fn objects(ran: &Ran) -> Vec<Value> {
    let mut objects: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    objects.sort_by_key(|object| object["seq"].as_u64());
    objects
}

pub(crate) fn told(object: &Value) -> String {
    let text = |name: &str| object[name].as_str().unwrap().to_owned();
    let warnings: Vec<&str> =
        object["warnings"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    [text("verdict"), text("class"), warnings.join(",")].join(" ").trim_end().to_owned()
}

#[test]
fn every_kind_of_answer_has_its_verdict_and_class() {
    let stub = Stub::start(service);
    let expected = [
        ("sound", "up"),
        ("sound/", "up"),
        ("sound/availability", "up"),
        ("sound?x=y", "up"),
        ("gzip", "up"),
        ("down", "down"),
        ("down-503", "down  http-status"),
        ("up-500", "error http"),
        ("page-503", "error http"),
        ("nothing", "error http"),
        ("choices", "error http"),
        ("missing", "error http"),
        ("status-999", "error protocol"),
        ("silent", "error timeout"),
        ("slow", "error timeout"),
        ("close", "error closed"),
        ("short", "error closed"),
        ("chunk-end", "error closed"),
        ("reset", "error reset"),
        ("banner", "error protocol"),
        ("coding", "error protocol"),
        ("lengths", "error protocol"),
        ("head", "error protocol"),
        ("packed", "error protocol"),
        ("brotli", "error protocol"),
        ("bomb", "error too-large"),
        ("long", "error too-large"),
        ("announced", "error too-large"),
        ("deep", "error unsafe-xml"),
        ("entity", "error unsafe-xml"),
        ("page", "error not-xml"),
        ("cut", "error bad-xml"),
        ("foreign", "error wrong-doc"),
        ("vague", "error bad-value"),
        ("typed", "up  content-type"),
        ("moved", "up  redirected"),
        ("circle", "error redirect"),
        ("endless", "error redirect"),
        ("nowhere", "error redirect"),
        ("file", "error redirect"),
        ("lies", "up"),
        ("beside/tap", "up  location"),
        ("listed", "up  location"),
        ("maintained", "up  maintenance"),
        ("dated", "up  bad-upsince"),
        ("early", "up  future-upsince"),
        ("stale", "up  stale-downat"),
        ("loud", "up  nonschema-boolean"),
    ];
    let fresh = Fresh::new();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let others = [
        (format!("http://{gone}/tap"), "error refused"),
        ("http://no-such-host.invalid/tap".to_owned(), "error dns"),
        (format!("https://{}/sound", stub.authority()), "error tls"),
    ];
    let urls: Vec<String> = expected
        .iter()
        .map(|(path, _)| stub.url(&format!("/{path}")))
        .chain(others.iter().map(|(url, _)| url.clone()))
        .collect();
    fs::write(fresh.path("urls"), urls.join("\n")).unwrap();
    let ran =
        fresh.parsim("tap-check --urls urls --format json-lines --timeout 3 -j 0 --progress=never").run();
    let objects = objects(&ran);
    ran.expect(objects.len() == urls.len(), "an object for each service");
    let expected =
        expected.iter().map(|(_, expected)| *expected).chain(others.iter().map(|(_, expected)| *expected));
    let mut failed = 0;
    for ((object, expected), url) in objects.iter().zip(expected).zip(&urls) {
        assert_eq!(object["url"], url.as_str());
        assert_eq!(told(object), expected, "{url}: {}", object["reason"]);
        failed += i32::from(!expected.starts_with("up"));
    }
    ran.exits(failed).is_quiet();
    assert!(stub.asked().iter().all(|asked| asked.path != "/canary"), "an entity was fetched");
    let reason = |path: &str| {
        let at = urls.iter().position(|url| *url == stub.url(path)).unwrap();
        objects[at]["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(reason("/silent"), "timeout after 3 s waiting for the first byte");
    assert_eq!(reason("/slow"), "timeout after 3 s reading the answer");
    assert_eq!(
        reason("/page-503"),
        "HTTP 503 Service Unavailable, a page titled \"Back soon\", asks to come back in 7.000 s"
    );
    assert_eq!(reason("/page"), "not XML but a web page titled \"Log in\"");
}

#[test]
fn an_object_holds_what_the_service_said_and_how_long_each_phase_took() {
    let stub = Stub::start(service);
    let ran = Fresh::new().parsim(&format!("tap {} --format json-lines", stub.url("/maintained"))).run();
    ran.exits(0).is_quiet();
    let object = &objects(&ran)[0];
    assert_eq!(object["available"], true);
    assert_eq!(object["up_since"], SINCE);
    assert_eq!(
        (&object["down_at"], &object["notes"][0]),
        (&"2036-01-01T00:00:00Z".into(), &"new disks".into())
    );
    assert_eq!((&object["way"], &object["status"]), (&"parallel".into(), &200.into()));
    let span = |name: &str| object["spans"][name].as_f64();
    assert!(span("total").unwrap() >= span("connect").unwrap() + span("first_byte").unwrap(), "{object}");
    assert_eq!(span("tls"), None);
    let asked = &stub.asked()[0];
    assert!(asked.head.contains("\r\nuser-agent: parsim/"), "{}", asked.head);
    assert!(
        asked.head.contains(" (IVOA-test)\r\n") && asked.head.contains("\r\nconnection: close\r\n"),
        "{}",
        asked.head
    );
}

#[test]
fn the_table_has_the_services_in_input_order_and_both_ways_agree() {
    let stub = Stub::start(service);
    let line =
        format!("tap {} {} {} --compare", stub.url("/maintained"), stub.url("/down"), stub.url("/sound"));
    let ran = Fresh::new().parsim(&line).run();
    ran.exits(1).is_quiet();
    let table = ran.stdout.split_once("up since").map_or("", |(_, table)| table);
    let places = ["/maintained ", "/down ", "/sound "].map(|name| table.find(name));
    ran.expect(places.is_sorted() && places[0].is_some(), "the services in input order");
    ran.says(
        "warning: maintenance; down at 2036-01-01T00:00:00Z; back at 2036-01-02T00:00:00Z; note: new disks",
    );
    ran.says("2 of 3 services up, 1 down").says("3 of 3 services identical").says("speed-up ");
    ran.says("it says that it is not available, back at 2036-01-01T00:00:00Z: a disk (serial and parallel)");
}

#[test]
fn a_service_that_says_it_is_up_and_cannot_answer_is_a_verdict_of_its_own() {
    let stub = Stub::start(service);
    let names = ["/sound", "/lies", "/empty", "/query-only", "/down", "/missing"];
    let urls = names.map(|name| stub.url(name)).join(" ");
    let ran = Fresh::new().parsim(&format!("tap {urls} --query --format json-lines")).run();
    ran.exits(4);
    let objects = objects(&ran);
    let verdicts: Vec<String> = objects.iter().map(told).collect();
    let expected =
        ["up", "error probe", "error probe", "up  redirected,no-availability", "down", "error http"];
    assert_eq!(verdicts, expected, "{}", ran.stdout);
    let why = "says it is up, but a query fails: QUERY_STATUS is ERROR: no database";
    assert_eq!((&objects[1]["reason"], &objects[1]["available"]), (&why.into(), &true.into()));
    assert_eq!((&objects[0]["rows"], &objects[3]["available"]), (&"1".into(), &Value::Null));
    let sent: Vec<Asked> = stub.asked().into_iter().filter(|asked| asked.path == "/sound/sync").collect();
    let posted = "REQUEST=doQuery&LANG=ADQL&MAXREC=1&QUERY=SELECT+TOP+1+table_name+FROM+TAP_SCHEMA.tables";
    assert!(sent[0].head.starts_with("POST ") || sent[1].head.starts_with("POST "), "{sent:?}");
    assert!(sent.iter().any(|asked| asked.body == posted), "{sent:?}");
    assert!(
        stub.asked().iter().all(|asked| asked.path != "/down/sync"),
        "a service that is down was asked more"
    );

    let ran = Fresh::new()
        .parsim(&format!("tap {} --parallel", stub.url("/empty")))
        .args(["--query=SELECT 1+1"])
        .run();
    ran.exits(0);
    assert!(stub.asked().last().unwrap().body.ends_with("QUERY=SELECT+1%2B1"));
}

#[test]
fn the_deepest_level_looks_at_capabilities_and_tables() {
    let stub = Stub::start(|asked| match asked.path.as_str() {
        "/bare/availability" => Reply::xml(up("")),
        "/bare/sync" => Reply::xml(answer("", "<TR/>")),
        "/bare/capabilities" => Reply::xml(capabilities(&[("ivo://ivoa.net/std/VOSI#availability", "x")])),
        _ => service(asked),
    });
    let urls = [stub.url("/sound"), stub.url("/bare")].join(" ");
    let ran = Fresh::new().parsim(&format!("tap {urls} --deep --format json-lines")).run();
    ran.exits(1);
    let objects = objects(&ran);
    assert_eq!((told(&objects[0]), &objects[0]["tables"]), ("up".to_owned(), &1.into()));
    assert_eq!(told(&objects[1]), "error probe");
}

#[test]
fn urls_that_cannot_be_asked_are_told_before_anybody_is_asked() {
    let stub = Stub::start(service);
    let fresh = Fresh::new();
    for (url, why) in [
        ("gopher://127.0.0.1/tap", "only http and https can be asked"),
        ("127.0.0.1/tap", "http:// or https:// is missing"),
        ("http:///tap", "the host is missing"),
        ("http://127.0.0.1:99999/tap", "ports go from 1 to 65535"),
    ] {
        fresh.parsim(&format!("tap {} {url}", stub.url("/sound"))).run().refuses(why);
    }
    fs::write(fresh.path("list"), format!("{}\n\nhttp://u:secret@h:x/\n", stub.url("/sound"))).unwrap();
    let ran = fresh.parsim("tap --urls list").run();
    ran.refuses("list:3: http://u:***@h:x/: the port is not a number");
    fresh.parsim("tap --urls missing").run().refuses("cannot read URLs from missing");
    fresh.parsim("tap --timeout 0").run().refuses("--timeout 0: give more than 0 seconds");
    fresh.parsim("tap --cacert list http://h/").run().refuses("it holds no certificate");
    assert_eq!(stub.asked().len(), 0);
}

#[test]
fn lists_come_from_stdin_and_from_tables_with_names() {
    let stub = Stub::start(service);
    let fresh = Fresh::new();
    let list = format!("# services\n\n{}\n  {}  second\n", stub.url("/sound"), stub.url("/down"));
    fs::write(fresh.path("list"), list).unwrap();
    let stdin = fs::File::open(fresh.path("list")).unwrap();
    let ran = fresh.parsim("tap --urls - --format json-lines").stdin(stdin).run();
    ran.exits(1);
    assert_eq!(objects(&ran)[1]["name"], "second");
    fs::write(fresh.path("list.csv"), format!("Name,URL\n\"one, two\",{}\n", stub.url("/sound"))).unwrap();
    fresh.parsim("tap --urls list.csv --header --parallel").run().exits(0).says(" one, two ");
    fs::write(fresh.path("none"), "# nobody\n").unwrap();
    fresh
        .parsim("tap --urls none")
        .run()
        .exits(0)
        .says("the list names no service: write URLs into none, one a line");
    let ran = fresh.parsim("tap --urls none --format json-lines").run();
    ran.exits(0).does_not_say("{").tells_one_line("the list names no service: write URLs into none");
}

#[test]
fn what_comes_from_a_service_reaches_nobody_raw_and_passwords_reach_the_service_only() {
    let note = "bold \u{9b}1m or \u{202e}desrever | \" \\ <b>";
    let stub = Stub::start(move |asked| {
        let note = note.replace('<', "&lt;");
        Reply::xml(
            up(&format!("<v:note>{note}\n\n  more</v:note>"))
                .replace(SINCE, &format!("\u{202d}{}", asked.path)),
        )
    });
    let fresh = Fresh::new();
    let url = format!("http://user:s%65cret@{}/x", stub.authority());
    let exports = "--export-json study.json --export-prometheus gauges";
    for format in ["text", "json-lines", "nagios"] {
        let ran = fresh.parsim(&format!("tap {url} {exports} --format {format}")).run();
        ran.exits(0);
        for text in [
            &ran.stdout,
            &fs::read_to_string(fresh.path("study.json")).unwrap(),
            &fs::read_to_string(fresh.path("gauges")).unwrap(),
        ] {
            let raw = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
            ran.expect(!text.contains(raw), "no raw control character in any output");
            ran.expect(!text.contains("cret@"), "no password in any output");
        }
        ran.expect(ran.stdout.contains("user:***@") || format == "nagios", "the user without the password");
    }
    assert!(
        stub.asked()[0].head.contains("authorization: Basic dXNlcjpzZWNyZXQ=\r\n"),
        "{}",
        stub.asked()[0].head
    );
}

#[test]
fn a_monitor_gets_one_line_and_its_own_statuses() {
    let stub = Stub::start(service);
    let fresh = Fresh::new();
    for (paths, status, begin) in [
        (&["/sound", "/moved"][..], 0, "TAP OK - 2 of 2 up | up=2;;;0;2 'http://"),
        (&["/sound", "/maintained"], 1, "TAP WARNING - 2 of 2 up: http://"),
        (&["/sound", "/page", "/close"], 2, "TAP CRITICAL - 2 of 3 not up: http://"),
    ] {
        let urls: Vec<String> = paths.iter().map(|path| stub.url(path)).collect();
        let ran = fresh.parsim(&format!("tap --format nagios {}", urls.join(" "))).run();
        ran.exits(status).is_quiet();
        ran.expect(ran.stdout.starts_with(begin) && ran.stdout.lines().count() == 1, begin);
        ran.expect(ran.stdout.matches('|').count() == 1, "one bar before the data");
    }
    let ran = fresh.parsim("tap --format nagios http://h:x/").run();
    ran.exits(3).is_quiet().says("TAP UNKNOWN - http://h:x/: the port is not a number\n");
    fresh.parsim("tap --format=nagios --no-such-option").run().exits(3).says("TAP UNKNOWN - ");
}

#[test]
fn a_service_slower_than_is_wanted_is_warned_of_and_one_slower_than_is_let_is_not_up() {
    let fresh = Fresh::new();
    let check = |more: &str| fresh.parsim(&format!("tap --demo --parallel {more}")).run();
    check("--format nagios --warn-latency 1h --crit-latency 1h").exits(0);
    // No service answers within a microsecond.
    let warned = check("--format nagios --warn-latency first_byte=0.001ms,1h");
    warned.exits(1).says("TAP WARNING - 4 of 4 up: ").says("(slow)");
    let missed = check("--format nagios --warn-latency 0.001ms --crit-latency 0.001ms");
    missed.exits(2).says("4 of 4 not up: ").says("(slow: took ");
    missed.expect(missed.stdout.matches("s;0.000001;0.000001;0").count() == 4, "the limits beside the data");
    check("--format json-lines --crit-latency query=0.001ms").exits(0);
    // Each is judged by what it took, whatever that was; the farthest takes more in any case.
    let judged = check("--format json-lines --query --crit-latency query=350ms");
    let objects = objects(&judged);
    for object in &objects {
        let took = object["spans"]["query"].as_f64().unwrap();
        judged.expect((object["class"] == "slow") == (took > 0.35), &format!("a verdict on {took} s"));
    }
    judged.expect(objects[3]["class"] == "slow", "the farthest is too slow");
    for (limit, why) in [
        ("--crit-latency lookup=3", "no phase is called \"lookup\""),
        ("--warn-expiry soon", "expected days, or a time such as 14d or 36h"),
    ] {
        fresh.parsim(&format!("tap --demo {limit}")).run().exits(255).tells(why);
    }
}

#[test]
fn gauges_for_prometheus_have_no_series_twice() {
    let stub = Stub::start(service);
    let fresh = Fresh::new();
    let url = stub.url("/sound");
    let line = format!("tap {url} {url} {} --parallel --export-prometheus tap.prom", stub.url("/page"));
    fresh.parsim(&line).run().exits(1);
    let text = fs::read_to_string(fresh.path("tap.prom")).unwrap();
    let series: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.rsplit_once(' ').unwrap().0)
        .collect();
    let mut distinct = series.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), series.len(), "{text}");
    assert!(text.contains(&format!("parsim_tap_up{{url=\"{url}\",service=\"{url}\"}} 1\n")), "{text}");
    assert!(text.contains("class=\"not-xml\"} 1\n") && text.contains("phase=\"first_byte\"} "), "{text}");
    assert_eq!(fresh.names("."), ["tap.prom"]);
}

#[test]
fn a_secure_service_is_trusted_with_its_own_authority_only() {
    let fresh = Fresh::new();
    let stub = |certificate| Stub::secure(certificate, |_| Reply::xml(up("")));
    let stubs = ["good.pem", "other.pem", "expired.pem"].map(stub);
    let urls = stubs.each_ref().map(|stub| stub.url("/tap")).join(" ");
    let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/ca.pem");
    let ran = fresh.parsim(&format!("tap {urls} --format json-lines --cacert {ca}")).run();
    ran.exits(2);
    let objects = objects(&ran);
    assert_eq!([0, 1, 2].map(|at| told(&objects[at])), ["up", "error tls", "error tls"], "{}", ran.stdout);
    assert!(
        objects[0]["spans"]["tls"].as_f64().unwrap() > 0.0
            && objects[0]["cert_expires"].as_i64().unwrap() > 0
    );
    assert!(objects[2]["reason"].as_str().unwrap().contains("expired"), "{}", objects[2]["reason"]);
    fresh.parsim(&format!("tap {} --parallel", stubs[0].url("/tap"))).run().exits(1).says("error/tls");
    // One that signed itself as an authority does.
    let ca = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/authority.pem");
    let shows_ca = stub("authority.pem");
    fresh
        .parsim(&format!("tap {} --cacert {ca}", shows_ca.url("/tap")))
        .run()
        .exits(1)
        .says("it is that of an authority (CA:TRUE)");
}

#[test]
fn the_lesson_works_without_a_network() {
    let waits = "The tasks wait rather than compute";
    let run = || Fresh::new().parsim("tap --demo --query --compare").run();
    let ran = Ran::at_best(run, |ran| ran.stdout.contains(waits));
    ran.exits(0).is_quiet().says("4 of 4 services up\n").says("4 of 4 services identical");
    ran.says("near (100 ms)").says("farthest (400 ms)").says(waits);
}

#[test]
fn a_page_and_markdown_have_the_table_of_services() {
    let fresh = Fresh::new();
    let line = "tap --demo --export-html page.html --export-markdown page.md";
    fresh.parsim(line).run().exits(0).is_quiet().says("4 of 4 services up");
    let read = |name: &str| std::fs::read_to_string(fresh.path(name)).unwrap();
    let (page, markdown) = (read("page.html"), read("page.md"));
    assert!(page.contains("<h2>Services</h2>") && page.contains("<p>4 of 4 services up</p>"), "{page}");
    assert!(page.contains("<td class=\"name\"><bdi>far (300 ms)</bdi></td><td class=\"name\"><bdi>up</bdi>"));
    assert!(markdown.contains("\n| far (300 ms) | up | 20") && markdown.contains("\n4 of 4 services up\n"));
}

#[test]
fn a_check_of_thousands_of_services_takes_little_memory_for_each() {
    let fresh = Fresh::new();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let peak = |services: u64| {
        let line = |number: u64| format!("http://{gone}/tap/service{number} The service number {number}\n");
        fs::write(fresh.path("urls"), (0..services).map(line).collect::<String>()).unwrap();
        fresh.parsim("tap --urls urls --export-json study.json --progress=never").run().is_quiet();
        let study: Value = serde_json::from_slice(&fs::read(fresh.path("study.json")).unwrap()).unwrap();
        study["columns"][0]["runs"][0]["peak_memory"].as_u64().unwrap()
    };
    // As many are asked at a time in both, with a stack for each.
    let each = peak(3550).saturating_sub(peak(550)) / 3000;
    assert!(each < 1000, "{each} bytes for each service");
}

#[test]
fn a_long_list_is_told_whole_and_in_order_wherever_its_records_can_be_kept() {
    let fresh = Fresh::new();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = |number: u64| format!("http://{gone}/service{number}");
    fs::write(fresh.path("urls"), (0..600).map(|number| url(number) + "\n").collect::<String>()).unwrap();
    for folder in [".", "/nowhere"] {
        let line =
            "tap --urls urls --compare --export-csv rows.csv --export-json study.json --progress=never";
        let ran = fresh.parsim(line).env("TMPDIR", folder).run();
        ran.is_quiet()
            .says("0 of 600 services up, 600 error; 200 of those that are not up are shown")
            .says("600 services identical");
        let mut rows = csv::Reader::from_path(fresh.path("rows.csv")).unwrap();
        let at = rows.headers().unwrap().iter().position(|head| head == "url").unwrap();
        let asked: Vec<String> = rows.records().map(|row| row.unwrap()[at].to_owned()).collect();
        assert!(asked.iter().cloned().eq((0..1200).map(|row| url(row % 600))), "{folder}: {asked:?}");
        let again = fresh.parsim("report study.json --export-csv again.csv").env("TMPDIR", folder).run();
        again.says("0 of 600 services up, 600 error");
        let read = |name: &str| fs::read_to_string(fresh.path(name)).unwrap();
        assert_eq!(read("again.csv"), read("rows.csv"), "{folder}");
        for name in ["rows.csv", "study.json", "again.csv"] {
            fs::remove_file(fresh.path(name)).unwrap();
        }
    }
}
