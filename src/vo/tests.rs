//! Real answers of a service, answers that are not what they should be, and
//! bytes of every kind.

use proptest::prelude::*;

use super::*;

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/data/tap/", $name, ".xml"))
    };
}

const NAMESPACE: &str = "http://www.ivoa.net/xml/VOSIAvailability/v1.0";

fn document(inside: &str) -> String {
    format!("<a:availability xmlns:a=\"{NAMESPACE}\">{inside}</a:availability>")
}

fn read(text: &str) -> Result<Availability, ParseError> {
    read_availability(text.as_bytes(), None)
}

#[track_caller]
fn flaw(bytes: impl AsRef<[u8]>) -> ParseErrorKind {
    read_availability(bytes.as_ref(), None).unwrap_err().kind
}

#[test]
fn a_real_service_says_that_it_is_up_and_since_when() {
    let availability = read_availability(data!("availability"), None).unwrap();
    assert!(availability.available && availability.oddities.is_empty());
    let since = availability.up_since.unwrap();
    assert_eq!((since.text.as_str(), since.seconds), ("2026-11-22T07:55:06Z", Some(1_795_334_106)));
    let maintenance = read_availability(data!("maintenance"), None).unwrap();
    assert_eq!(maintenance.notes, ["parsim test: disk change"]);
    assert_eq!(maintenance.down_at.unwrap().text, "2036-01-01T00:00:00Z");
    assert_eq!(maintenance.back_at.unwrap().text, "2036-01-02T00:00:00Z");
}

#[test]
fn a_real_service_lists_what_it_can_do() {
    let capabilities = read_capabilities(data!("capabilities"), None).unwrap();
    let limit = capabilities.of(STANDARD_TAP).unwrap().upload_limit;
    assert_eq!(limit, Some(UploadLimit::Bytes(20_000_000)));
    let place = |standard| capabilities.of(standard).map(|found| found.urls[0].as_str());
    assert_eq!(place(STANDARD_TAP), Some("http://127.0.0.1:8800/tap"));
    let availability = "http://127.0.0.1:8800/__system__/tap/run/availability";
    assert_eq!(place(STANDARD_AVAILABILITY), Some(availability));
    let stopped = read_capabilities(data!("stopped_capabilities"), None).unwrap();
    assert!(stopped.of(STANDARD_TAP).is_none() && stopped.of(STANDARD_AVAILABILITY).is_some());
}

#[test]
fn the_tables_of_a_real_service_are_named() {
    for bytes in [&data!("tables")[..], data!("tables_detail_min")] {
        let tables = read_tables(bytes, None).unwrap();
        assert_eq!((tables.n_schemas, tables.names[0].as_str()), (2, "parsimtest.objects"));
    }
    assert_eq!(read_tables(data!("stopped_tables"), None).unwrap_err().kind, ParseErrorKind::NotXml);
}

#[test]
fn the_status_of_a_real_query_is_read_to_the_end_of_the_document() {
    let status = |bytes: &[u8]| read_answer(bytes, None).unwrap();
    let overflow = status(data!("sync_maxrec2_overflow"));
    assert_eq!(
        overflow,
        QueryAnswer { status: QueryStatus::Overflow, fields: Some(5), rows: RowCount::Counted(2) }
    );
    assert_eq!(status(data!("sync_top1_td")).rows, RowCount::Counted(1));
    assert_eq!(status(data!("sync_top1_votable")).rows, RowCount::Counted(1));
    assert_eq!(status(data!("sync_maxrec0")).rows, RowCount::Counted(0));
    for failed in [&data!("stopped_sync")[..], data!("sync_err_syntax")] {
        let failure = status(failed).failure().unwrap();
        assert!(failure.text.starts_with("QUERY_STATUS is ERROR: "), "{failure}");
    }
    assert!(status(data!("sync_top1_td")).failure().is_none());
}

#[test]
fn an_error_behind_the_rows_counts_and_so_does_a_missing_status() {
    let answer = |infos: &str| {
        let text = format!(
            "<VOTABLE><RESOURCE type=\"results\">{infos}<TABLE><FIELD/><DATA><TABLEDATA><TR/></TABLEDATA></DATA></TABLE>{infos}</RESOURCE></VOTABLE>"
        );
        read_answer(text.replacen("AT_END", "OK", 1).as_bytes(), None).unwrap()
    };
    let info = |value: &str| format!("<INFO name=\"QUERY_STATUS\" value=\"{value}\"/>");
    assert!(answer(&info("OK")).failure().is_none());
    assert_eq!(answer("").status, QueryStatus::Missing);
    assert!(matches!(answer(&info("AT_END")).status, QueryStatus::Unknown(_)));
    assert!(answer(&info("MAYBE")).failure().is_some());
}

#[test]
fn results_may_be_within_a_resource_and_an_error_anywhere_within_them_counts() {
    let info = |value: &str| format!("<INFO name=\"QUERY_STATUS\" value=\"{value}\"/>");
    let (ok, error) = (info("OK"), info("Error"));
    let table = |behind: &str| format!("<TABLE><FIELD/><DATA/>{behind}</TABLE>");
    let results = |inside: &str| format!("<RESOURCE type=\"results\">{inside}</RESOURCE>");
    let around = |inside: &str| format!("<RESOURCE>{inside}</RESOURCE>");
    let failure = |inside: &str| {
        let answer = read_answer(format!("<VOTABLE>{inside}</VOTABLE>").as_bytes(), None).unwrap();
        answer.failure().map(|flaw| flaw.text)
    };
    let failed = Some("QUERY_STATUS is ERROR");
    let missing = Some("the answer has no QUERY_STATUS");
    for (text, expected) in [
        (around(&results(&format!("{ok}{}", table("")))), None),
        (results(&format!("{ok}{}", table(&error))), failed),
        (results(&format!("{ok}{}", around(&format!("{}{error}", table(""))))), failed),
        // That it went well is said in one place.
        (results(&table(&ok)), missing),
        (results(&around(&format!("{ok}{}", table("")))), missing),
    ] {
        assert_eq!(failure(&text).as_deref(), expected, "{text}");
    }
}

#[test]
fn an_answer_without_a_field_is_none() {
    let answer = |inside: &str| {
        let ok = "<INFO name=\"QUERY_STATUS\" value=\"OK\"/>";
        let text = format!("<VOTABLE><RESOURCE type=\"results\">{ok}{inside}</RESOURCE></VOTABLE>");
        let answer = read_answer(text.as_bytes(), None).unwrap();
        (answer.fields, answer.failure().map_or_else(String::new, |flaw| flaw.text))
    };
    let sound = |count| (Some(count), String::new());
    let no_field = (Some(0), "the answer's TABLE has no FIELD".to_owned());
    for (inside, expected) in [
        ("<TABLE><FIELD/><FIELD/></TABLE>", sound(2)),
        ("<TABLE/>", no_field.clone()),
        ("<TABLE><DATA><TABLEDATA><TR><TD>1</TD></TR></TABLEDATA></DATA></TABLE>", no_field.clone()),
        ("<TABLE><PARAM/><GROUP><FIELD/></GROUP></TABLE>", no_field.clone()),
        ("<TABLE ref=\"t\"/><TABLE ID=\"t\"><FIELD/></TABLE>", sound(1)),
        ("<TABLE ref=\"u\"/><TABLE ID=\"t\"><FIELD/></TABLE>", no_field),
        ("", (None, "the answer has no TABLE".to_owned())),
    ] {
        assert_eq!(answer(inside), expected, "{inside}");
    }
    // Rows that are there, and not read.
    for data in ["<FITS/>", "<BINARY><STREAM href=\"http://127.0.0.1/rows\"/></BINARY>"] {
        let table = format!("<TABLE><FIELD/><DATA>{data}</DATA></TABLE>");
        let text = format!("<VOTABLE><RESOURCE>{table}</RESOURCE></VOTABLE>");
        assert_eq!(read_answer(text.as_bytes(), None).unwrap().rows, RowCount::Some);
    }
}

#[test]
fn a_votable_may_name_its_document_type_and_define_nothing() {
    let with = |definition: &str| {
        let table = "<RESOURCE><INFO name=\"QUERY_STATUS\" value=\"OK\"/><TABLE><FIELD/></TABLE></RESOURCE>";
        let text =
            format!("<?xml version=\"1.0\"?>\n{definition}\n<VOTABLE version=\"1.0\">{table}</VOTABLE>");
        read_answer(text.as_bytes(), None).map(|answer| answer.failure()).map_err(|flaw| flaw.kind)
    };
    for definition in [
        "<!DOCTYPE VOTABLE SYSTEM \"http://us-vo.org/xml/VOTable.dtd\">",
        "<!-- of old --><!DOCTYPE\n\tVOTABLE SYSTEM 'a>b[' >",
        "<!DOCTYPE VOTABLE>",
        "<!DOCTYPE VOTABLE PUBLIC \"-//x//y\" \"http://127.0.0.1/x.dtd\">",
    ] {
        assert_eq!(with(definition), Ok(None), "{definition}");
    }
    for (definition, kind) in [
        ("<!DOCTYPE VOTABLE SYSTEM \"x\" [<!ENTITY a 'b'>]>", ParseErrorKind::UnsafeXml),
        ("<!DOCTYPE VOTABLE [ ]>", ParseErrorKind::UnsafeXml),
        ("<!DOCTYPE VOTABLE SYSTEM \"x\" <!ENTITY a 'b'>>", ParseErrorKind::UnsafeXml),
        ("<!DOCTYPE VOTABLES SYSTEM \"x\">", ParseErrorKind::UnsafeXml),
        ("<!DOCTYPE l SYSTEM \"x\">", ParseErrorKind::UnsafeXml),
        ("<!DOCTYPE html>", ParseErrorKind::NotXml),
        ("<!DOCTYPE VOTABLE><!DOCTYPE VOTABLE>", ParseErrorKind::BadXml),
    ] {
        assert_eq!(with(definition), Err(kind), "{definition}");
    }
    // Nothing is known by a name that no definition gave.
    let text = "<!DOCTYPE VOTABLE SYSTEM 'x'><VOTABLE><INFO name='&a;'/></VOTABLE>";
    assert_eq!(read_answer(text.as_bytes(), None).unwrap_err().kind, ParseErrorKind::BadXml);
    let text = format!("<!DOCTYPE VOTABLE SYSTEM 'x'>{}", document("<a:available>true</a:available>"));
    assert_eq!(flaw(text), ParseErrorKind::UnsafeXml);
    refuse_unsafe("<!DOCTYPE VOTABLE SYSTEM 'x'><VOTABLE>").unwrap();
}

#[test]
fn a_page_instead_of_a_document_is_told_with_its_title() {
    let told = read_availability(data!("nosuch"), None).unwrap_err();
    assert_eq!(told.kind, ParseErrorKind::NotXml);
    assert!(told.text.contains("titled"), "{told}");
    let page = "<!DOCTYPE html><html><head><TITLE>\n Site\tmaintenance </TITLE><br>caf\u{e9}";
    let told = read(page).unwrap_err();
    assert_eq!(told.text, "not XML but a web page titled \"Site maintenance\"");
    assert_eq!(flaw(b"<HTML><title>caf\xe9</title>"), ParseErrorKind::NotXml);
    for text in [
        &b""[..],
        b" \n \n",
        b"true\n",
        b"{\"available\": true}",
        &[0; 1000],
        b"\x89PNG\r\n",
        b"\xff\xd8\xff",
    ] {
        assert_eq!(flaw(text), ParseErrorKind::NotXml, "{text:?}");
    }
}

#[test]
fn values_are_read_as_the_schema_has_them() {
    for yes in ["true", "1", " \n\ttrue ", "<![CDATA[true]]>", "tr<!-- x -->ue", "&#116;rue", "<?x y?>true"] {
        let availability = read(&document(&format!("<a:available>{yes}</a:available>"))).unwrap();
        assert!(availability.available && availability.oddities.is_empty(), "{yes}");
    }
    assert!(!read(&document("<a:available>0</a:available>")).unwrap().available);
    let loud = read(&document("<a:available>FALSE</a:available>")).unwrap();
    assert_eq!((loud.available, &loud.oddities[..]), (false, &[Oddity::NonSchemaBoolean][..]));
    for inside in [
        "",
        "<a:available/>",
        "<a:available>yes</a:available>",
        "<a:available>\u{a0}true</a:available>",
        "<a:available><b>true</b></a:available>",
        "<a:available>true</a:available><a:available>false</a:available>",
        "<a:note><a:available>true</a:available></a:note>",
        "<!-- <a:available>true</a:available> -->",
        "<a:note><![CDATA[<available>true</available>]]></a:note>",
        "<available>true</available>",
    ] {
        assert_eq!(flaw(document(inside)), ParseErrorKind::BadValue, "{inside}");
    }
}

#[test]
fn only_namespaces_of_the_document_are_taken_for_it() {
    let of = |namespace: &str| {
        read(&format!("<availability xmlns=\"{namespace}\"><available>true</available></availability>"))
    };
    assert!(of(NAMESPACE).unwrap().oddities.is_empty());
    for odd in ["http://www.ivoa.net/xml/Availability/v1.0", "http://www.ivoa.net/xml/Availability/v0.4", ""]
    {
        assert_eq!(of(odd).unwrap().oddities, [Oddity::Namespace], "{odd}");
    }
    let bare = read(
        "<availability><available>TRUE</available><upSince>2026-01-02T03:04:05Z</upSince></availability>",
    );
    let bare = bare.unwrap();
    assert_eq!(bare.oddities, [Oddity::Namespace, Oddity::NonSchemaBoolean]);
    assert_eq!(bare.up_since.unwrap().seconds, Some(1_767_323_045));
    for other in [
        "http://www.ivoa.net/xml/Availability/v0.5",
        "http://example.org/foo",
        "http://www.ivoa.net/xml/VOSICapabilities/v1.0",
    ] {
        assert_eq!(of(other).unwrap_err().kind, ParseErrorKind::WrongDocument, "{other}");
    }
    assert_eq!(flaw(data!("capabilities")), ParseErrorKind::WrongDocument);
    assert_eq!(flaw(data!("sync_top1_td")), ParseErrorKind::WrongDocument);
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let sound = document("<a:available>true</a:available>");
    for text in [
        &sound[..60],
        &format!("{sound}<b>PHP Warning</b>"),
        &format!("\n<?xml version=\"1.0\"?>{sound}"),
        &document("<a:available>true</a:available><a:note>\u{1b}[2J</a:note>"),
        &document("<a:available>&t;</a:available>"),
        "<x:availability><x:available>true</x:available></x:availability>",
        &sound.replace("</a:availability>", ""),
        &format!("<?xml version='1.0' encoding='X-KLINGON'?>{sound}"),
        &format!("<?xml version='1.0' encoding='UTF-16'?>{sound}"),
    ] {
        assert_eq!(flaw(text), ParseErrorKind::BadXml, "{text}");
    }
    let latin = document("<a:available>true</a:available><a:note>caf\u{e9}</a:note>");
    let latin: Vec<u8> = latin.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert_eq!(flaw(latin), ParseErrorKind::BadXml);
}

#[test]
fn every_encoding_that_is_known_is_read() {
    let text = |name: &str| {
        format!("<?xml version='1.0' encoding='{name}'?>\n")
            + &document("<a:available>true</a:available><a:note>caf\u{e9}</a:note>")
    };
    let wide = |text: String, bytes: fn(u16) -> [u8; 2], mark: bool| {
        let mark = mark.then_some(0xfeff);
        mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect::<Vec<u8>>()
    };
    let narrow =
        |text: String| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
    let with_mark = [b"\xef\xbb\xbf", text("UTF-8").as_bytes()].concat();
    for (bytes, charset) in [
        (text("utf-8").into_bytes(), None),
        (with_mark, Some("iso-8859-1")),
        (wide(text("UTF-16"), u16::to_le_bytes, true), None),
        (wide(text("UTF-16"), u16::to_be_bytes, true), None),
        (wide(text("UTF-16LE"), u16::to_le_bytes, false), None),
        (wide(text("UTF-16BE"), u16::to_be_bytes, false), None),
        (narrow(text("ISO-8859-1")), None),
        (narrow(text("windows-1252")), None),
        (narrow(document("<a:available>true</a:available><a:note>caf\u{e9}</a:note>")), Some("ISO-8859-1")),
        (narrow(text("utf-8")), Some("latin1")),
        (text("utf-8").into_bytes(), Some("x-unknown")),
    ] {
        let availability = read_availability(&bytes, charset).unwrap();
        assert_eq!(availability.notes, ["caf\u{e9}"], "{charset:?}");
    }
}

#[test]
fn what_asks_for_too_much_is_refused() {
    let with =
        |definition: &str| format!("<?xml version='1.0'?><!DOCTYPE l {definition}>{}", document("&x;"));
    for text in [
        with("[<!ENTITY x 'true'>]"),
        with("SYSTEM 'http://127.0.0.1/x'"),
        document(&{
            let outer: String = (0..250).map(|n| format!(" xmlns:n{n}='{n}'")).collect();
            let inner = "<b xmlns:z='z'/>".repeat(20_000);
            format!("<a {outer}>{inner}</a>")
        }),
        document(&"<a>".repeat(100_000)),
        document(&("<a>".repeat(300) + &"</a>".repeat(300))),
        document(&format!("<a {}/>", (0..20_000).map(|n| format!("b{n}='' ")).collect::<String>())),
    ] {
        assert_eq!(flaw(&text), ParseErrorKind::UnsafeXml, "{}", &text[..80]);
    }
    // A long name and many small elements are nothing but long.
    let long = "n".repeat(200_000);
    read(&document(&format!("<a:available>true</a:available><a:{long}/>"))).unwrap();
    let many =
        read(&document(&("<a:available>true</a:available>".to_owned() + &"<a:note>n</a:note>".repeat(2000))));
    assert_eq!(many.unwrap().notes.len(), 2000);
}

#[test]
fn dates_are_read_as_the_schema_has_them() {
    let sound = [
        ("2026-01-02T03:04:05", 1_767_323_045),
        ("2026-01-02T03:04:05.123456789Z", 1_767_323_045),
        ("2026-01-02T05:04:05+02:00", 1_767_323_045),
        ("2026-01-01T24:00:00Z", 1_767_312_000),
        ("1970-01-01T00:00:00Z", 0),
        ("2000-02-29T00:00:00-14:00", 951_832_800),
        ("-0044-03-15T00:00:00Z", -63_517_824_000),
        ("12026-01-01T00:00:00Z", 317_336_745_600),
    ];
    for (text, seconds) in sound {
        assert_eq!(read_datetime(text), Some(seconds), "{text}");
    }
    assert!(read_datetime("99999999999999999999-01-01T00:00:00Z").unwrap() > 1 << 50);
    assert!(read_datetime(&format!("2026-01-02T03:04:05.{}Z", "0".repeat(5000))).is_some());
    for text in [
        "",
        "yesterday",
        "2026-01-02",
        "2026-01-02 03:04:05",
        "2026-01-02t03:04:05z",
        "1767323045",
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2016-12-31T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "2026-01-02T05:04:05+0200",
        "2026-01-02T24:00:01Z",
        "2026-01-02T03:04:05.Z",
        "02026-01-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-02T03:04:05+15:00",
        "+2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05ZZ",
        "2026-01-02T03:04:05\u{e9}",
        "26-01-02T03:04:05Z",
    ] {
        assert_eq!(read_datetime(text), None, "{text}");
    }
}

/// Every reader, on the same bytes.
fn read_all(bytes: &[u8], charset: Option<&str>) {
    let _ = read_availability(bytes, charset);
    let _ = read_capabilities(bytes, charset);
    let _ = read_tables(bytes, charset);
    let _ = read_answer(bytes, charset).map(|answer| answer.failure());
}

/// Real documents, and pieces that mean something to a parser.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let documents: Vec<&[u8]> = vec![
        data!("availability"),
        data!("maintenance"),
        data!("stopped_capabilities"),
        data!("stopped_sync"),
        data!("tables_detail_min"),
        data!("sync_top1_td"),
        data!("nosuch"),
    ];
    let marks: Vec<&[u8]> = vec![
        b"<",
        b">",
        b"</",
        b"/>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<?",
        b"?>",
        b"<!DOCTYPE",
        b"&",
        b";",
        b"\"",
        b"'",
        b"=",
        b"xmlns:",
        b"\0",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"encoding='",
        b"&#x110000;",
    ];
    let cut = (prop::sample::select(documents), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let cut = cut.prop_map(|(document, one, other)| {
        let (one, other) = (one.index(document.len()), other.index(document.len()));
        document[one.min(other)..one.max(other)].to_vec()
    });
    prop_oneof![
        4 => cut,
        4 => prop::sample::select(marks).prop_map(<[u8]>::to_vec),
        2 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes, None);
    }

    #[test]
    fn no_mixture_of_real_documents_makes_a_reader_panic(
        parts in prop::collection::vec(pieces(), 0..8),
        charset in prop::option::of(prop::sample::select(vec!["utf-8", "latin1", "utf-16", "x"])),
    ) {
        read_all(&parts.concat(), charset);
    }

    #[test]
    fn no_text_makes_the_reader_of_dates_panic(text in "[-+0-9TZ:.é]{0,40}") {
        let _ = read_datetime(&text);
    }

    #[test]
    fn a_day_has_as_many_seconds_in_every_year(year in 1_i64..30_000, month in 1..=12, day in 1..28, hour in 0..24) {
        let read = |day: i32| read_datetime(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:00:00Z")).unwrap();
        prop_assert_eq!(read(day + 1) - read(day), 86_400);
        let first = |year: i64| read_datetime(&format!("{year:04}-01-01T00:00:00Z")).unwrap();
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        prop_assert_eq!(first(year + 1) - first(year), if leap { 366 } else { 365 } * 86_400);
    }
}
