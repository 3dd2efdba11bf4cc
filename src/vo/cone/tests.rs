//! What is asked, and what answers come to.

use super::*;
use crate::vo::votable::{TableItem, TableLimits, TableReader};

const NGC: SkyCone = SkyCone { ra: 193.648_583_3, dec: -12.568_444_4, radius: 0.04 };

#[test]
fn numbers_have_no_exponent_and_every_digit_that_counts() {
    for (number, text) in [
        (193.648_583_3, "193.6485833"),
        (1e-7, "0.0000001"),
        (4e-2, "0.04"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (180.0, "180"),
    ] {
        assert_eq!(decimal(number), text);
    }
}

#[test]
fn a_cone_search_is_asked_by_the_end_of_the_url() {
    let asked = |base: &str| scs_url(base, &NGC, None, None);
    let cone = "RA=193.6485833&DEC=-12.5684444&SR=0.04";
    for (base, url) in [
        ("http://a/scs", format!("http://a/scs?{cone}")),
        ("http://a/scs?", format!("http://a/scs?{cone}")),
        ("http://a/scs?cat=2MASS", format!("http://a/scs?cat=2MASS&{cone}")),
        ("http://a/scs?cat=2MASS&", format!("http://a/scs?cat=2MASS&{cone}")),
        ("http://a/scs?-source=I/355&#top", format!("http://a/scs?-source=I/355&{cone}")),
    ] {
        assert_eq!(asked(base), url);
    }
    let with = |ra: f64| scs_url("http://a/?", &SkyCone { ra, dec: 0.0, radius: 1.0 }, Some(3), Some(10));
    assert_eq!(with(-0.5), "http://a/?RA=359.5&DEC=0&SR=1&VERB=3&MAXREC=10");
    assert_eq!(with(360.0), with(0.0));
    // Less than nothing, and not more than 360 for that.
    assert_eq!(with(-1e-300), with(0.0));
}

#[test]
fn a_query_names_the_circle_and_the_columns() {
    let table = |columns: &[&str]| SkyTable {
        name: "\"my\".t".to_owned(),
        ra: "\"RA2\"".to_owned(),
        dec: "dec".to_owned(),
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
    };
    assert_eq!(
        table(&["main_id", "\"RA2\""]).cone_adql(&NGC),
        "SELECT main_id, \"RA2\" FROM \"my\".t WHERE 1=CONTAINS(POINT('ICRS',\"RA2\",dec),\
         CIRCLE('ICRS',193.6485833,-12.5684444,0.04))"
    );
    assert!(table(&[]).cone_adql(&NGC).starts_with("SELECT * FROM"));
    assert_eq!(
        table(&["main_id"]).upload_adql(Some(0.04)),
        "SELECT t.target_id, o.main_id FROM TAP_UPLOAD.t AS t JOIN \"my\".t AS o ON \
         1=CONTAINS(POINT('ICRS',o.\"RA2\",o.dec),CIRCLE('ICRS',t.target_ra,t.target_dec,0.04))"
    );
    let by_column = table(&[]).upload_adql(None);
    assert!(by_column.contains("SELECT t.target_id, o.* FROM") && by_column.contains(",t.target_radius))"));
    let form = tap_form("SELECT 1", Some(5));
    let names: Vec<&str> = form.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["REQUEST", "LANG", "FORMAT", "MAXREC", "QUERY"]);
    assert!(tap_form("SELECT 1", None).iter().all(|(name, _)| *name != "MAXREC"));
    assert_eq!(upload_parameter(), ("UPLOAD", "t,param:t".to_owned()));
}

#[test]
fn an_uploaded_table_is_a_votable_of_targets() {
    let document = upload([(7, NGC), (9, SkyCone { ra: 0.0, dec: 90.0, radius: 1e-5 })]);
    let mut reader = TableReader::new(&document[..], None, TableLimits::default());
    let mut rows = Vec::new();
    loop {
        match reader.next().unwrap() {
            TableItem::Table(fields) => {
                let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
                assert_eq!(names, ["target_id", "target_ra", "target_dec", "target_radius"]);
            }
            TableItem::Row(row) => rows.push(row.texts().flatten().collect::<Vec<_>>().join(" ")),
            TableItem::End(_) => break,
        }
    }
    assert_eq!(rows, ["7 193.6485833 -12.5684444 0.04", "9 0 90 0.00001"]);
}

/// A field: name, datatype, unit and UCD, where they are.
fn field(described: &str) -> Field {
    let mut parts = described.split('|');
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let name = next().unwrap_or_default().to_owned();
    let datatype = if next() == Some("char") { Datatype::Char } else { Datatype::Double };
    let (unit, ucd) = (next().map(str::to_owned), next().map(str::to_owned));
    Field { name, datatype, ucd, unit, ..Field::default() }
}

#[test]
fn columns_are_found_by_what_they_mean() {
    let found = |fields: &[&str], asked: Option<(&str, &str)>| {
        let fields: Vec<Field> = fields.iter().map(|described| field(described)).collect();
        let ConeColumns { id, position } = ConeColumns::of(&fields, asked);
        (id, position)
    };
    let main = ["r|||pos.eq.ra;meta.main", "d||deg|pos.eq.dec;meta.main", "n|char||meta.id;meta.main"];
    assert_eq!(found(&main, None), (Some(2), Some((0, 1))));
    let of_old = ["x|||ID_MAIN", "a||deg|POS_EQ_RA_MAIN", "b||deg|POS_EQ_DEC_MAIN"];
    assert_eq!(found(&of_old, None), (Some(0), Some((1, 2))));
    // Sexagesimal texts, proper motions and radians are no position.
    let many = [
        "RAJ2000|char|\"h:m:s\"|pos.eq.ra",
        "DEJ2000|char|\"d:m:s\"|pos.eq.dec",
        "pmra||mas/yr|pos.pm;pos.eq.ra",
        "r||rad|pos.eq.ra;meta.main",
        "_RAJ2000||deg|pos.eq.ra",
        "_DEJ2000||degree|pos.eq.dec",
        "MAIN_ID|char",
    ];
    assert_eq!(found(&many, None), (Some(6), Some((4, 5))));
    assert_eq!(found(&["RA", "Dec"], None), (None, Some((0, 1))));
    assert_eq!(found(&["RA|char", "Dec|char"], None), (None, None));
    // What was asked for comes before what is marked; of two that are called the same,
    // neither was.
    let two = ["ra2", "dec2", "ra|||pos.eq.ra;meta.main", "dec|||pos.eq.dec;meta.main"];
    assert_eq!(found(&two, Some(("\"ra2\"", "DEC2"))).1, Some((0, 1)));
    assert_eq!(found(&two, None).1, Some((2, 3)));
    let twice = ["ra|||pos.eq.ra;meta.main", "ra|||pos.eq.dec;meta.main"];
    assert_eq!(found(&twice, Some(("ra", "dec"))).1, Some((0, 1)));
    assert_eq!(found(&["ra", "ra"], None), (None, None));
    assert_eq!(found(&["l", "b"], None), (None, None));
}

#[test]
fn an_answer_comes_to_what_its_protocol_makes_of_it() {
    let answer = |inside: &str, protocol| {
        let document = format!("<VOTABLE>{inside}</VOTABLE>");
        let mut reader = TableReader::new(document.as_bytes(), None, TableLimits::default());
        loop {
            if let TableItem::End(summary) = reader.next().unwrap() {
                return ConeAnswer::of(summary, protocol);
            }
        }
    };
    let status = |word: &str| format!("<INFO name=\"QUERY_STATUS\" value=\"{word}\">it says</INFO>");
    let resource = |inside: &str| format!("<RESOURCE type=\"results\">{inside}</RESOURCE>");
    let rows = "<TABLE><FIELD name=\"a\"/><DATA><TABLEDATA><TR><TD>1</TD></TR></TABLEDATA></DATA></TABLE>";
    let error = "<INFO name=\"Error\" value=\"no such place\"/>";
    let failed = |text: &str| ConeAnswer::Failed(text.to_owned());
    let wrong = |text: &str| ConeAnswer::NoTable(ParseError::new(ParseErrorKind::WrongDocument, text));
    let bad = |text: &str| ConeAnswer::NoTable(ParseError::bad_value(text));
    let (tap, scs) = (ConeProtocol::Tap, ConeProtocol::Scs);
    let no_table = "the answer has no TABLE, and says: away";
    let means_nothing = "QUERY_STATUS is \"MAYBE\", which means nothing";
    for (inside, of_tap, of_scs) in [
        (resource(&(status("OK") + rows)), ConeAnswer::Complete, ConeAnswer::Complete),
        (resource(rows), ConeAnswer::NoStatus, ConeAnswer::Complete),
        (resource(&(rows.to_owned() + &status("OVERFLOW"))), ConeAnswer::Overflow, ConeAnswer::Overflow),
        (resource(&(status("OK") + rows + &status("ERROR"))), failed("it says"), failed("it says")),
        (resource(&(status("OK") + error + rows)), ConeAnswer::Complete, failed("no such place")),
        (resource(error), failed("no such place"), failed("no such place")),
        (resource(&(status("MAYBE") + rows)), bad(means_nothing), ConeAnswer::Complete),
        ("<DESCRIPTION>away</DESCRIPTION><RESOURCE/>".to_owned(), wrong(no_table), wrong(no_table)),
        (
            resource(&(status("OK") + "<TABLE/>")),
            wrong("the answer's TABLE has no FIELD"),
            wrong("the answer's TABLE has no FIELD"),
        ),
        (
            resource(&(status("OK") + "<TABLE><FIELD/><DATA><FITS/></DATA></TABLE>")),
            bad("its rows are FITS, which is not read"),
            bad("its rows are FITS, which is not read"),
        ),
    ] {
        assert_eq!((answer(&inside, tap), answer(&inside, scs)), (of_tap, of_scs), "{inside}");
    }
}
