//! Documents that ask for too much, that are cut, and bytes of every kind.

use proptest::prelude::*;

use super::*;
use crate::vo::ParseErrorKind::{BadValue, BadXml, UnsafeXml};

#[test]
fn nothing_is_defined_or_fetched() {
    for definition in [
        "<!DOCTYPE VOTABLE [<!ENTITY a \"b\">]>",
        "<!DOCTYPE VOTABLE SYSTEM \"x\" [<!ENTITY % p SYSTEM \"file:///etc/passwd\"> %p;]>",
        "<!DOCTYPE VOTABLE [ ]>",
        "<!DOCTYPE OTHER SYSTEM \"x\">",
    ] {
        let text = format!("<?xml version=\"1.0\"?>{definition}{}", document("&a;"));
        assert_eq!(refusal(text).0, Some(UnsafeXml), "{definition}");
    }
    let bare = "<!DOCTYPE VOTABLE SYSTEM \"http://us-vo.org/xml/VOTable.dtd\">\n";
    read(format!("{bare}{}", document("")).as_bytes()).unwrap();
    assert_eq!(refusal(format!("{bare}{}", document("&a;"))).0, Some(BadXml));
    assert_eq!(refusal(document(bare)).0, Some(BadXml));
}

#[test]
fn a_document_that_asks_for_too_much_is_refused() {
    let field = "<FIELD name=\"a\" datatype=\"char\" arraysize=\"*\"/>";
    let limits = TableLimits { bytes: 1 << 20, cell: 1000, fields: 3 };
    let refused = |text: String| match read_from(text.as_bytes(), None, limits) {
        Err(TableError::TooLarge(text)) => text,
        other => panic!("{other:?}"),
    };
    let cell = |text: &str| table(field, &format!("<TABLEDATA><TR><TD>{text}</TD></TR></TABLEDATA>"));
    let long = "x".repeat(1001);
    for text in [
        cell(&long),
        cell(&format!("{0}<!-- -->{0}", "x".repeat(600))),
        cell(&"&lt;".repeat(1001)),
        cell(&format!("<![CDATA[{long}]]>")),
        document(&format!("<!-- {long} -->")),
        document(&format!("<INFO value=\"{long}\"/>")),
        document(&format!("<?x {long}?>")),
        document(&format!("<{long}/>")),
        document(&format!("&{long};")),
    ] {
        assert!(refused(text.clone()).contains("cell"), "{}", &text[..80]);
    }
    assert_eq!(refused(table(&field.repeat(4), "")), "more than 3 fields");
    let rows = "<TR><TD>x</TD></TR>".repeat(100_000);
    assert_eq!(refused(table(field, &format!("<TABLEDATA>{rows}"))), "longer than 1048576 bytes");
    // What fits, fits.
    let (_, rows, _) = read_from(cell(&"x".repeat(1000)).as_bytes(), None, limits).unwrap();
    assert_eq!(rows[0][0].as_ref().map(String::len), Some(1000));

    let deep = document(&("<RESOURCE>".repeat(300) + &"</RESOURCE>".repeat(300)));
    assert_eq!(refusal(deep).0, Some(UnsafeXml));
    let many: String = (0..300).map(|n| format!(" a{n}=\"\"")).collect();
    assert_eq!(refusal(document(&format!("<INFO{many}/>"))).0, Some(UnsafeXml));
}

#[test]
fn binary_rows_of_no_bytes_are_refused_for_they_would_have_no_end() {
    let nothing = "<FIELD datatype=\"int\" arraysize=\"0\"/>";
    let bits = "<FIELD datatype=\"bit\" arraysize=\"3x0\"/>";
    let data = |kind: &str| format!("<{kind}><STREAM encoding=\"base64\">AAAA</STREAM></{kind}>");
    for fields in [nothing.to_owned(), format!("{nothing}{bits}")] {
        let (kind, text) = refusal(table(&fields, &data("BINARY")));
        assert_eq!((kind, text.as_str()), (Some(BadValue), "binary data in rows of no bytes"));
        // There, each row has its flags.
        assert_eq!(cells(&fields, &data("BINARY2")).len(), 3);
    }
    // No data is no row, and no field is no data.
    assert!(cells(nothing, "<BINARY><STREAM/></BINARY>").is_empty());
    for kind in ["BINARY", "BINARY2"] {
        assert!(cells("", &data(kind)).is_empty());
        let mut rows = binary::BinaryRows::new(kind == "BINARY2", 10);
        rows.feed(b"AAAA");
        assert!(rows.advance(&[], &mut row::RowCells::default(), 1).is_err());
    }
}

#[test]
fn a_long_text_for_people_is_cut_and_no_error() {
    let long = "x".repeat(10_000);
    let text = document(&format!(
        "<DESCRIPTION>{long}</DESCRIPTION><INFO name=\"QUERY_STATUS\" value=\"ERROR\">{long}</INFO>"
    ));
    let (.., summary) = read(text.as_bytes()).unwrap();
    assert_eq!(summary.description.map(|text| text.len()), Some(4000));
    assert!(matches!(summary.status, QueryStatus::Error(text) if text.len() == 4000));
}

#[test]
fn an_error_of_the_input_is_handed_on_as_it_is() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "reset by peer"))
        }
    }
    let whole = table("<FIELD/>", "<TABLEDATA><TR><TD>1</TD></TR>");
    let binary = table("<FIELD datatype=\"int\"/>", "<BINARY><STREAM>AAAA");
    for text in ["<VOTABLE>", &whole[..whole.len() - 40], &binary[..binary.len() - 38]] {
        let long = text.to_owned() + &" ".repeat(5000);
        let Err(TableError::Input(error)) =
            read_from(long.as_bytes().chain(Broken), None, TableLimits::default())
        else {
            panic!("{text}")
        };
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (io::ErrorKind::ConnectionReset, "reset by peer")
        );
    }
}

#[test]
fn no_beginning_of_a_document_is_a_whole_one() {
    for whole in [data!("tap-td.vot"), data!("tap-binary.vot"), data!("tap-binary2.vot")] {
        let end = whole.trim_ascii_end().len();
        for cut in (0..end).step_by(37).chain(end - 100..end) {
            assert!(read(&whole[..cut]).is_err(), "{cut} of {end} bytes");
        }
        read(&whole[..end]).unwrap();
    }
}

#[test]
fn nothing_is_read_behind_an_error_and_the_end_stays_the_end() {
    let mut reader = TableReader::new(&b"<VOTABLE><x></VOTABLE>"[..], None, TableLimits::default());
    assert!(reader.next().is_err() && reader.next().is_err());
    let mut reader = TableReader::new(&b"<VOTABLE/>"[..], None, TableLimits::default());
    for _ in 0..3 {
        assert!(matches!(reader.next(), Ok(TableItem::End(_))));
    }
}

/// Real documents in pieces, and pieces that mean something to a parser.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let documents: Vec<&[u8]> = vec![
        data!("tap-td.vot"),
        data!("tap-binary.vot"),
        data!("tap-binary2.vot"),
        data!("scs-overflow.vot"),
    ];
    let marks: Vec<&[u8]> = vec![
        b"<VOTABLE>",
        b"</VOTABLE>",
        b"<RESOURCE type='results'>",
        b"<TABLE>",
        b"<FIELD name='a' datatype='int'/>",
        b"<FIELD name='b' datatype='char' arraysize='*'/>",
        b"<DATA><TABLEDATA>",
        b"<TR><TD>1</TD><TD>x&amp;y</TD></TR>\n",
        b"<TR><TD/><TD><![CDATA[<]]></TD></TR>",
        b"</TABLEDATA></DATA>",
        b"<DATA><BINARY><STREAM>",
        b"<DATA><BINARY2><STREAM>",
        b"AAAAAQAAAAFh",
        b"</STREAM></BINARY></DATA>",
        b"</TABLE></RESOURCE>",
        b"<INFO name='QUERY_STATUS' value='ERROR'>",
        b"<!--",
        b"-->",
        b"]]>",
        b"&#x110000;",
        b"\r\n",
        b"\xff\xfe",
        b"<?xml version='1.0' encoding='UTF-16'?>",
        b"\0",
    ];
    let cut = (prop::sample::select(documents), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let cut = cut.prop_map(|(document, one, other)| {
        let (one, other) = (one.index(document.len()), other.index(document.len()));
        document[one.min(other)..one.max(other)].to_vec()
    });
    prop_oneof![
        2 => cut,
        6 => prop::sample::select(marks).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

/// What reading comes to, in a form that can be compared.
fn outcome(bytes: &[u8], chunk: usize) -> String {
    let limits = TableLimits { cell: 2000, fields: 20, ..TableLimits::default() };
    format!("{:?}", read_from(Trickling(bytes, chunk), None, limits))
}

proptest! {
    #[test]
    fn bytes_mean_the_same_however_they_come(parts in prop::collection::vec(pieces(), 0..12), chunk in 1..200_usize) {
        let bytes = parts.concat();
        let whole = outcome(&bytes, usize::MAX);
        prop_assert_eq!(outcome(&bytes, chunk), whole.clone());
        // One byte at a time: never a whole row, so that all of it is read as markup.
        prop_assert_eq!(outcome(&bytes, 1), whole);
    }

    #[test]
    fn a_changed_byte_makes_no_reader_panic(
        whole in prop::sample::select(vec![data!("tap-td.vot"), data!("tap-binary.vot"), data!("tap-binary2.vot")]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = whole.to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        prop_assert_eq!(outcome(&bytes, 100), outcome(&bytes, usize::MAX));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = outcome(&bytes, 7);
    }
}
