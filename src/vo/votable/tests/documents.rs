//! Real answers, and what documents say in all the places where they may.

use super::*;
use crate::vo::ParseErrorKind::{BadValue, BadXml, NotXml, WrongDocument};

const TWO: &str = "<FIELD name=\"a\" datatype=\"int\"/><FIELD name=\"b\" datatype=\"char\" arraysize=\"*\"/>";

fn row_of(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| (!text.is_empty()).then(|| (*text).to_owned())).collect()
}

#[test]
fn a_real_answer_is_read_to_the_byte() {
    let (fields, rows, summary) = read(data!("tap-td.vot")).unwrap();
    assert_eq!((fields.len(), rows.len(), summary.rows), (13, 35, 35));
    assert_eq!((fields[1].name.as_str(), fields[6].null.as_deref()), ("main_id", Some("-1")));
    assert_eq!(
        (fields[7].arraysize.clone(), fields[11].arraysize.clone()),
        (ArraySize::Fixed(vec![19]), ArraySize::Fixed(vec![3]))
    );
    let ra = ["TS edge-0.04 NGC  4782", "193.6079164712259", "-12.573391125742807", "18.0", "-412.279"];
    assert_eq!(rows[0], row_of(&[&["71"][..], &ra, &["", "", "", "*", "0", "", "★ star"]].concat()));
    assert!(rows.iter().any(|row| row[12].as_deref() == Some("line\nbreak")));
    assert!(rows.iter().any(|row| row[12].as_deref() == Some(" blanks ")));
}

#[test]
fn real_answers_are_the_same_in_every_serialization_and_however_they_come() {
    let (fields, rows, summary) = read(data!("tap-td.vot")).unwrap();
    for other in [data!("tap-td.vot"), data!("tap-binary.vot"), data!("tap-binary2.vot")] {
        for chunk in [1, 7, 100, 4096, usize::MAX] {
            let read = read_from(Trickling(other, chunk), None, TableLimits::default()).unwrap();
            assert_eq!(read.0, fields);
            assert_eq!(read.1, rows);
            assert_eq!(read.2, summary);
        }
    }
}

#[test]
fn real_answers_say_how_the_query_went() {
    let said = |bytes| read(bytes).unwrap().2;
    assert_eq!(
        (said(data!("scs-overflow.vot")).status, said(data!("scs-overflow.vot")).rows),
        (QueryStatus::Overflow, 3)
    );
    assert_eq!(
        (said(data!("tap-overflow.vot")).status, said(data!("tap-overflow.vot")).rows),
        (QueryStatus::Overflow, 3)
    );
    let text = "Field query: Could not locate table 'public.nowhere'";
    assert_eq!(said(data!("tap-error.vot")).status, QueryStatus::Error(text.to_owned()));
    let error = said(data!("scs-error.vot"));
    assert_eq!(error.error.as_deref(), Some("Field RA: 'as3f' is not a valid literal for RA"));
    assert_eq!((error.fields, error.rows), (None, 0));
}

#[test]
fn a_text_whose_length_is_told_wrong_is_no_shorter_table() {
    // Two characters of UTF-16 are counted as one, and what follows is shifted.
    assert_eq!(
        refusal(data!("tap-astral-binary.vot")),
        (Some(BadValue), "the binary data ends within row 3".to_owned())
    );
}

#[test]
fn rows_may_stand_on_lines_of_their_own_however_they_come() {
    let row = "<TR>\n  <TD>1</TD>\n  <TD>a &amp; b</TD>\n</TR>\n";
    let text = table(TWO, &format!("<TABLEDATA>\n{}</TABLEDATA>", row.repeat(2000)));
    for chunk in [1, 10, 61, 1000, usize::MAX] {
        let (_, rows, _) =
            read_from(Trickling(text.as_bytes(), chunk), None, TableLimits::default()).unwrap();
        assert_eq!(rows, vec![row_of(&["1", "a & b"]); 2000]);
    }
}

#[test]
fn cells_are_kept_as_they_are_written() {
    for (written, meant) in [
        ("x", "x"),
        (" x ", " x "),
        ("a &amp; b &lt;i&gt; &#65;&#x42;", "a & b <i> AB"),
        ("<![CDATA[<a href=\"x\">&amp;]]>", "<a href=\"x\">&amp;"),
        ("<!-- no -->a<?no?>b", "ab"),
        ("a\r\nb\rc\n&#13;", "a\nb\nc\n\r"),
        ("星空\u{1f30c}", "星空\u{1f30c}"),
    ] {
        let rows = cells(TWO, &format!("<TABLEDATA>\n<TR>\n<TD>1</TD> <TD>{written}</TD></TR></TABLEDATA>"));
        assert_eq!(rows, [row_of(&["1", meant])], "{written}");
    }
}

#[test]
fn what_stands_for_no_value_is_none() {
    let rows = |datatype: &str, cells_: &[&str]| {
        let field = format!("<FIELD name=\"a\" {datatype}</FIELD>");
        let rows: String = cells_.iter().map(|cell| format!("<TR><TD>{cell}</TD></TR>")).collect();
        let rows = cells(&field, &format!("<TABLEDATA>{rows}</TABLEDATA>"));
        rows.into_iter().map(|mut row| row.remove(0).unwrap_or_default()).collect::<Vec<_>>()
    };
    let int = "datatype=\"int\"><VALUES null=\"-1\"/>";
    assert_eq!(
        rows(int, &["", " ", "-1", " -1 ", "null", "NULL", "N/A", "NaN", "+Inf", "0xFFFFFFFFFFFFFFFF"]),
        [""; 10]
    );
    assert_eq!(rows(int, &["1", "+1", " 2 ", "0x1F", "-2"]), ["1", "+1", " 2 ", "0x1F", "-2"]);
    let double = "datatype=\"double\"><VALUES null=\"-99.9\"/>";
    assert_eq!(rows(double, &["", "NaN", "nan", "+Inf", "-Inf", "Infinity", "-99.90", "NULL"]), [""; 8]);
    assert_eq!(
        rows(double, &["1", "-0.0", "1e5", "-1.5E-3", ".5", "5."]),
        ["1", "-0.0", "1e5", "-1.5E-3", ".5", "5."]
    );
    let array = "datatype=\"float\" arraysize=\"*\">";
    assert_eq!(rows(array, &["NaN  NaN", "NaN 1.0", ""]), ["", "NaN 1.0", ""]);
    assert_eq!(
        rows("datatype=\"boolean\">", &["?", "", "T", "true", "0", "F"]),
        ["", "", "T", "true", "0", "F"]
    );
    assert_eq!(rows("datatype=\"bit\" arraysize=\"*\">", &["0 1", "011", ""]), ["0 1", "011", ""]);
    assert_eq!(
        rows("datatype=\"char\" arraysize=\"*\"><VALUES null=\"-\"/>", &["", "  ", "-", "NULL", "NaN"]),
        ["", "", "", "NULL", "NaN"]
    );
    assert_eq!(rows("datatype=\"doubleComplex\">", &["1 2", "NaN NaN"]), ["1 2", ""]);
}

#[test]
fn a_cell_that_is_no_value_and_a_row_of_another_width_are_told() {
    for (data, told) in [
        ("<TR><TD>1.</TD><TD/></TR>", "row 1: \"1.\" in column \"a\" is not of type int"),
        (
            "<TR><TD>1</TD><TD/></TR><TR><TD>x</TD><TD/></TR>",
            "row 2: \"x\" in column \"a\" is not of type int",
        ),
        ("<TR><TD>1</TD></TR>", "row 1 has 1 cells, and the table has 2 fields"),
        ("<TR><TD>1</TD><TD/><TD/></TR>", "row 1 has at least 3 cells, and the table has 2 fields"),
        ("<TR><TD>1</TD><TD><a href=\"x\">y</a></TD></TR>", "markup within a cell: <a>"),
        ("<TR><TD encoding=\"base64\">1</TD><TD/></TR>", "a TD with an encoding of its own"),
    ] {
        let found = refusal(table(TWO, &format!("<TABLEDATA>{data}</TABLEDATA>")));
        assert_eq!(found, (Some(BadValue), told.to_owned()));
    }
}

#[test]
fn an_empty_row_is_a_row_without_values() {
    let rows = cells(TWO, "<TABLEDATA><TR/><TR></TR>\n<TR> </TR><TR><TD/><TD></TD></TR></TABLEDATA>");
    assert_eq!(rows, vec![row_of(&["", ""]); 4]);
}

#[test]
fn the_result_is_the_first_table_that_is_marked_as_it() {
    let table = |name: &str| {
        format!(
            "<TABLE><FIELD name=\"{name}\"/><DATA><TABLEDATA><TR><TD>{name}</TD></TR></TABLEDATA></DATA></TABLE>"
        )
    };
    let [one, two] = ["one", "two"].map(table);
    let within = |attributes: &str, inside: &str| format!("<RESOURCE {attributes}>{inside}</RESOURCE>");
    for (inside, expected) in [
        (within("", &format!("{one}{two}")), "one"),
        (within("type=\"meta\"", &two) + &within("", &one), "one"),
        (within("", &two) + &within("type=\"results\"", &one), "one"),
        (within("", "") + &within("type=\"Results\"", &one) + &within("type=\"results\"", &two), "one"),
        (within("type=\"results\"", &(within("type=\"meta\"", &two) + &one)), "one"),
        (within("", &within("", &one)), "one"),
        (within("utype=\"x\" foo=\"y\"", &format!("<FOO><TABLE>{two}</TABLE></FOO>{one}")), "one"),
    ] {
        let (fields, rows, summary) = read(document(&inside).as_bytes()).unwrap();
        assert_eq!(fields[0].name, expected, "{inside}");
        assert_eq!((rows, summary.rows), (vec![row_of(&[expected])], 1), "{inside}");
    }
}

#[test]
fn a_table_may_have_the_fields_of_another_and_no_rows_without_any() {
    let data = "<DATA><TABLEDATA><TR><TD>5</TD></TR></TABLEDATA></DATA>";
    let referring = format!(
        "<RESOURCE type=\"meta\"><TABLE ID=\"t\"><FIELD name=\"n\"/></TABLE></RESOURCE>\
         <RESOURCE type=\"results\"><TABLE ref=\"t\">{data}</TABLE></RESOURCE>"
    );
    assert_eq!(read(document(&referring).as_bytes()).unwrap().1, [row_of(&["5"])]);
    let without = document(&format!("<RESOURCE><TABLE>{data}</TABLE></RESOURCE>"));
    let (fields, rows, summary) = read(without.as_bytes()).unwrap();
    assert_eq!((fields.len(), rows.len(), summary.fields), (0, 0, Some(0)));
}

#[test]
fn an_error_counts_wherever_it_stands() {
    let rows = "<TABLE><FIELD/><DATA><TABLEDATA><TR><TD>1</TD></TR></TABLEDATA></DATA></TABLE>";
    let ok = "<INFO name=\"QUERY_STATUS\" value=\"OK\"/>";
    let failed = "<INFO name=\"query_status\" value=\"error\"> it broke\n</INFO>";
    let results = |inside: &str| document(&format!("<RESOURCE type=\"results\">{inside}</RESOURCE>"));
    let broke = QueryStatus::Error("it broke".to_owned());
    for (text, status) in [
        (results(&format!("{ok}{rows}")), QueryStatus::Ok),
        (results(&format!("{ok}{rows}{failed}")), broke.clone()),
        (results(&format!("{ok}{rows}<RESOURCE>{failed}</RESOURCE>")), broke.clone()),
        (results(&format!("{ok}{}", rows.replace("</TABLE>", &format!("{failed}</TABLE>")))), broke.clone()),
        (document(&format!("{failed}<RESOURCE type=\"results\">{ok}</RESOURCE>")), broke.clone()),
        (document(&format!("<RESOURCE>{failed}</RESOURCE>")), broke),
        (
            document(&format!("<RESOURCE type=\"meta\">{failed}</RESOURCE><RESOURCE>{ok}</RESOURCE>")),
            QueryStatus::Ok,
        ),
        (results(&format!("{rows}{}", ok.replace("OK", "OVERFLOW"))), QueryStatus::Overflow),
        (results(rows), QueryStatus::Missing),
    ] {
        assert_eq!(read(text.as_bytes()).unwrap().2.status, status, "{text}");
    }
    for text in [
        "<INFO ID=\"Error\" name=\"Error\" value=\"it broke\"/><RESOURCE/>",
        "<RESOURCE><INFO name=\"error\">it broke</INFO></RESOURCE>",
        "<RESOURCE><PARAM name=\"Error\" datatype=\"char\" arraysize=\"*\" value=\"it broke\"/></RESOURCE>",
        "<DEFINITIONS><PARAM name=\"Error\" value=\"it broke\"/></DEFINITIONS>",
        "<DEFINITIONS><INFO name=\"Error\" value=\"it broke\"/></DEFINITIONS>",
    ] {
        assert_eq!(read(document(text).as_bytes()).unwrap().2.error.as_deref(), Some("it broke"), "{text}");
    }
    let param = "<RESOURCE><TABLE><PARAM name=\"error\" value=\"0.1\"/><FIELD/></TABLE></RESOURCE>";
    assert_eq!(read(document(param).as_bytes()).unwrap().2.error, None);
}

#[test]
fn whatever_a_cell_holds_is_written_so_that_it_reads_back() {
    let texts = ["a & b <i> \"q\"", " two\r\nlines\tand\n", "]]>", "\u{1f30c}", "\u{1}\u{ffff}x"];
    let field =
        Field { name: texts[0].to_owned(), description: Some(texts[1].to_owned()), ..Field::default() };
    let mut writer = TableWriter::begin(Vec::new(), "<&>", &[field]).unwrap();
    for text in texts {
        writer.row([Some(text)]).unwrap();
    }
    writer.row([None]).unwrap();
    let (fields, rows, summary) = read(&writer.end(false).unwrap()).unwrap();
    assert_eq!(
        (fields[0].name.as_str(), fields[0].arraysize.clone()),
        (texts[0], ArraySize::Variable(vec![]))
    );
    assert_eq!(fields[0].description.as_deref(), Some("two\r\nlines\tand"));
    // What XML cannot hold is replaced.
    let expected = [&texts[..4], &["\u{fffd}\u{fffd}x", ""]].concat();
    assert_eq!(rows, expected.iter().map(|text| row_of(&[text])).collect::<Vec<_>>());
    assert_eq!((summary.status, summary.description.as_deref()), (QueryStatus::Overflow, Some("<&>")));
}

#[test]
fn what_fields_say_of_themselves_is_kept() {
    let field = "<FIELD ID=\"c1\" name=\"r&amp;d\" datatype=\"double\" unit=\"deg\" ucd=\"pos.eq.ra;meta.main\" \
                 utype=\"u:t\" xtype=\"x\" ref=\"sys\" arraysize=\"2x3*\"><DESCRIPTION> Right\n</DESCRIPTION>\
                 <VALUES null=\" -1 \"><MIN value=\"0\"/></VALUES><FOO/></FIELD>";
    let (fields, ..) = read(table(field, "").as_bytes()).unwrap();
    let kept = |text: &str| Some(text.to_owned());
    let expected = Field {
        name: "r&d".to_owned(),
        id: kept("c1"),
        datatype: Datatype::Double,
        arraysize: ArraySize::Variable(vec![2]),
        ucd: kept("pos.eq.ra;meta.main"),
        utype: kept("u:t"),
        unit: kept("deg"),
        xtype: kept("x"),
        reference: kept("sys"),
        null: kept("-1"),
        description: kept("Right"),
    };
    assert_eq!(fields, [expected]);
    for (text, expected) in [
        ("3", ArraySize::Fixed(vec![3])),
        ("2x3", ArraySize::Fixed(vec![2, 3])),
        ("*", ArraySize::Variable(vec![])),
        ("16*", ArraySize::Variable(vec![])),
        ("2x*", ArraySize::Variable(vec![2])),
        ("", ArraySize::Unknown(String::new())),
        ("x", ArraySize::Unknown("x".to_owned())),
    ] {
        assert_eq!(ArraySize::read(text), expected, "{text}");
    }
}

#[test]
fn every_encoding_is_read_however_the_bytes_come() {
    let text = |name: &str| {
        let data = "<TABLEDATA><TR><TD>1</TD><TD>caf\u{e9}</TD></TR></TABLEDATA>";
        format!("<?xml version='1.0' encoding='{name}'?>\n") + &table(TWO, data)
    };
    let narrow =
        |text: String| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>();
    let wide = |text: String, bytes: fn(u16) -> [u8; 2]| {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect::<Vec<u8>>()
    };
    for (bytes, charset) in [
        (text("utf-8").into_bytes(), None),
        ([b"\xef\xbb\xbf", text("UTF-8").as_bytes()].concat(), Some("latin1")),
        (narrow(text("ISO-8859-1")), None),
        (narrow(text("windows-1252")), None),
        (narrow(text("utf-8")), Some("iso-8859-1")),
        (wide(text("UTF-16"), u16::to_le_bytes), None),
        (wide(text("UTF-16"), u16::to_be_bytes), None),
    ] {
        for chunk in [1, 3, usize::MAX] {
            let whole = read_from(Trickling(&bytes, chunk), charset, TableLimits::default()).unwrap();
            assert_eq!(whole.1, [row_of(&["1", "caf\u{e9}"])], "{charset:?}");
        }
    }
    let astral = wide(text("UTF-16").replace("caf\u{e9}", "\u{1f30c}"), u16::to_be_bytes);
    let whole = read_from(Trickling(&astral, 1), None, TableLimits::default()).unwrap();
    assert_eq!(whole.1, [row_of(&["1", "\u{1f30c}"])]);
    assert_eq!(refusal(narrow(text("utf-8"))).0, Some(BadXml));
    assert_eq!(refusal(&astral[..astral.len() - 1]).0, Some(BadXml));
}

#[test]
fn what_is_no_votable_is_told_as_what_it_is() {
    for (bytes, kind, told) in [
        (&b""[..], NotXml, "nothing but blanks"),
        (b" \n", NotXml, "nothing but blanks"),
        (b"<!DOCTYPE html><html><head><title>Blacklisted</title>", NotXml, "titled \"Blacklisted\""),
        (b"<html><title>x</title></html>", NotXml, "a web page titled \"x\""),
        (b"Service overloaded", NotXml, "Service overloaded"),
        (b"{\"error\": 1}", NotXml, "error"),
        (b"\x1f\x8b\x08\0\0\0", NotXml, "binary data"),
        (b"SIMPLE  =                    T", NotXml, "SIMPLE"),
        (b"<TAP/>", WrongDocument, "not a document of VOTable but <TAP> of no namespace"),
        (b"<VOTABLE xmlns='http://example.org/'/>", WrongDocument, "<VOTABLE> of http://example.org/"),
        (b"<v:VOTABLE/>", BadXml, "a prefix that is not declared"),
        (b"<VOTABLE/><VOTABLE/>", BadXml, "more than one root element"),
        (b"<VOTABLE/>junk", BadXml, "text behind the root element"),
        (b"<VOTABLE><RESOURCE></VOTABLE>", BadXml, "not well-formed"),
        (b"<VOTABLE><RESOURCE>", BadXml, "it ends within <RESOURCE>"),
        (b"<VOTABLE><RES", BadXml, "not well-formed"),
        (b"<VOTABLE>&nbsp;</VOTABLE>", BadXml, "unknown entity \"nbsp\""),
        (b"<VOTABLE>&#0;</VOTABLE>", BadXml, "not"),
        (b"<VOTABLE>\x1b[2J</VOTABLE>", BadXml, "U+001B"),
        (b"<VOTABLE>\xef\xbf\xbf</VOTABLE>", BadXml, "U+FFFF"),
        (b"<VOTABLE version='1' version='1'/>", BadXml, "not well-formed"),
        (b"<VOTABLE a=b/>", BadXml, "not well-formed"),
        (b"\n<?xml version='1.0'?><VOTABLE/>", BadXml, "not at the beginning"),
        (b"<!-- nothing -->", BadXml, "no root element"),
    ] {
        let (found, text) = refusal(bytes);
        assert!(found == Some(kind) && text.contains(told), "{:?}: {found:?} {text}", bytes.escape_ascii());
    }
}
