//! Tables of every type, written by an encoder of these tests in every serialization, come
//! back the same.

use proptest::prelude::*;

use super::*;
use crate::vo::ParseErrorKind::BadValue;

/// What a cell holds.
#[derive(Clone, Debug)]
enum Held {
    Text(String),
    Wide(String),
    Booleans(Vec<Option<bool>>),
    Bits(Vec<bool>),
    Bytes(Vec<u8>),
    Shorts(Vec<i16>),
    Ints(Vec<i32>),
    Longs(Vec<i64>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
    /// Pairs.
    Complex(Vec<f32>),
    DoubleComplex(Vec<f64>),
}

impl Held {
    /// The text that stands in `TABLEDATA`.
    fn text(&self) -> String {
        fn join<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
            items.iter().map(text).collect::<Vec<String>>().join(" ")
        }
        match self {
            Self::Text(text) | Self::Wide(text) => text.clone(),
            Self::Booleans(items) => {
                join(items, |item| item.map_or("?", |item| if item { "T" } else { "F" }).to_owned())
            }
            Self::Bits(items) => join(items, |item| u8::from(*item).to_string()),
            Self::Bytes(items) => join(items, u8::to_string),
            Self::Shorts(items) => join(items, i16::to_string),
            Self::Ints(items) => join(items, i32::to_string),
            Self::Longs(items) => join(items, i64::to_string),
            Self::Floats(items) | Self::Complex(items) => join(items, |item| format!("{item:?}")),
            Self::Doubles(items) | Self::DoubleComplex(items) => join(items, |item| format!("{item:?}")),
        }
    }

    /// The number of values, and their bytes.
    fn bytes(&self) -> (usize, Vec<u8>) {
        fn all<T: Copy, const N: usize>(items: &[T], bytes: fn(T) -> [u8; N]) -> (usize, Vec<u8>) {
            (items.len(), items.iter().flat_map(|item| bytes(*item)).collect())
        }
        match self {
            Self::Text(text) => (text.len(), text.as_bytes().to_vec()),
            Self::Wide(text) => all(&text.encode_utf16().collect::<Vec<u16>>(), u16::to_be_bytes),
            Self::Booleans(items) => {
                all(items, |item| [item.map_or(b'?', |item| if item { b'T' } else { b'F' })])
            }
            Self::Bits(items) => {
                let byte = |bits: &[bool]| {
                    bits.iter().rev().fold(0, |byte, bit| (byte >> 1) | (u8::from(*bit) << 7))
                };
                (items.len(), items.chunks(8).map(byte).collect())
            }
            Self::Bytes(items) => all(items, |item| [item]),
            Self::Shorts(items) => all(items, i16::to_be_bytes),
            Self::Ints(items) => all(items, i32::to_be_bytes),
            Self::Longs(items) => all(items, i64::to_be_bytes),
            Self::Floats(items) => all(items, f32::to_be_bytes),
            Self::Doubles(items) => all(items, f64::to_be_bytes),
            Self::Complex(items) => (items.len() / 2, all(items, f32::to_be_bytes).1),
            Self::DoubleComplex(items) => (items.len() / 2, all(items, f64::to_be_bytes).1),
        }
    }

    fn is_nothing(&self) -> bool {
        match self {
            Self::Text(text) | Self::Wide(text) => text.trim_ascii().is_empty(),
            Self::Booleans(items) => items.iter().all(Option::is_none),
            Self::Floats(items) | Self::Complex(items) => items.iter().all(|item| !item.is_finite()),
            Self::Doubles(items) | Self::DoubleComplex(items) => items.iter().all(|item| !item.is_finite()),
            _ => self.bytes().0 == 0,
        }
    }
}

/// How many values: one, a fixed number, or as many as there are.
#[derive(Clone, Copy, Debug)]
enum Many {
    One,
    Fixed(usize),
    Any,
}

/// A column: what stands in its `FIELD`, whether its cells have their length in front, and them.
#[derive(Clone, Debug)]
struct Column {
    attributes: String,
    is_variable: bool,
    cells: Vec<Held>,
}

fn column(n_rows: usize) -> impl Strategy<Value = Column> {
    let many = prop_oneof![Just(Many::One), (1_usize..9).prop_map(Many::Fixed), Just(Many::Any)];
    (0..12_usize, many).prop_flat_map(move |(kind, many)| {
        let is_text = kind < 2;
        let many = if is_text { Many::Any } else { many };
        let sizes = match many {
            Many::One => 1..=1,
            Many::Fixed(size) => size..=size,
            Many::Any => 0..=5,
        };
        let of = |cell: BoxedStrategy<Held>| prop::collection::vec(cell, n_rows);
        macro_rules! of {
            ($held:ident, $items:expr) => {
                prop::collection::vec($items, sizes).prop_map(Held::$held).boxed()
            };
            ($held:ident, pairs $items:expr) => {
                prop::collection::vec($items, sizes)
                    .prop_map(|pairs| Held::$held(pairs.into_iter().flatten().collect()))
                    .boxed()
            };
        }
        let text = "[a-zA-Z0-9 <>&\"'é星\u{1f30c},.-]{0,12}";
        let (name, cell) = match kind {
            0 => ("char", text.prop_map(Held::Text).boxed()),
            1 => ("unicodeChar", text.prop_map(Held::Wide).boxed()),
            2 => ("boolean", of!(Booleans, any::<Option<bool>>())),
            3 => ("bit", of!(Bits, any::<bool>())),
            4 => ("unsignedByte", of!(Bytes, any::<u8>())),
            5 => ("short", of!(Shorts, any::<i16>())),
            6 => ("int", of!(Ints, any::<i32>())),
            7 => ("long", of!(Longs, any::<i64>())),
            8 => ("float", of!(Floats, any::<f32>())),
            9 => ("double", of!(Doubles, any::<f64>())),
            10 => ("floatComplex", of!(Complex, pairs any::<[f32; 2]>())),
            _ => ("doubleComplex", of!(DoubleComplex, pairs any::<[f64; 2]>())),
        };
        let arraysize = match many {
            Many::One => String::new(),
            Many::Fixed(size) => format!(" arraysize=\"{size}\""),
            Many::Any => " arraysize=\"*\"".to_owned(),
        };
        let attributes = format!("datatype=\"{name}\"{arraysize}");
        let is_variable = matches!(many, Many::Any);
        of(cell).prop_map(move |cells| Column { attributes: attributes.clone(), is_variable, cells })
    })
}

fn columns() -> impl Strategy<Value = Vec<Column>> {
    (0..6_usize).prop_flat_map(|n_rows| prop::collection::vec(column(n_rows), 1..10))
}

fn base64(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let quad = |bytes: &[u8]| {
        let bits = bytes.iter().chain([&0; 3]).take(3).fold(0, |bits, byte| (bits << 8) | usize::from(*byte));
        let character = |at: usize| {
            if at > bytes.len() { '=' } else { char::from(alphabet[(bits >> (18 - 6 * at)) & 63]) }
        };
        (0..4).map(character).collect::<String>()
    };
    bytes.chunks(3).map(quad).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The document of `columns` in each serialization.
fn documents(columns: &[Column]) -> [String; 3] {
    let fields: String =
        columns.iter().map(|column| format!("<FIELD name=\"c\" {}/>", column.attributes)).collect();
    let n_rows = columns[0].cells.len();
    let (mut texts, mut binary, mut binary2) = (String::new(), Vec::new(), Vec::new());
    for row in 0..n_rows {
        texts += "<TR>";
        let mut flags = vec![0_u8; columns.len().div_ceil(8)];
        let mut bytes = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let held = &column.cells[row];
            texts += &format!("<TD>{}</TD>", escaped(&held.text()));
            if held.is_nothing() {
                flags[at / 8] |= 0x80 >> (at % 8);
            }
            let (count, of_cell) = held.bytes();
            if column.is_variable {
                bytes.extend(u32::try_from(count).unwrap().to_be_bytes());
            }
            bytes.extend(of_cell);
        }
        texts += "</TR>\n";
        binary2.extend(flags);
        binary.extend(&bytes);
        binary2.extend(bytes);
    }
    let stream = |name: &str, bytes: &[u8]| {
        let base64 = base64(bytes);
        let lines: Vec<&str> =
            base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("<{name}><STREAM encoding=\"base64\">\n{}\n</STREAM></{name}>", lines.join("\n"))
    };
    let texts = format!("<TABLEDATA>{texts}</TABLEDATA>");
    [texts, stream("BINARY", &binary), stream("BINARY2", &binary2)].map(|data| table(&fields, &data))
}

/// Whether all numbers read back from their text.
fn read_back<T: std::str::FromStr + PartialEq + Copy>(
    found: &str,
    items: &[T],
    is_nan: fn(T) -> bool,
) -> bool {
    let read: Vec<Option<T>> = found.split(' ').map(|text| text.parse().ok()).collect();
    let is_same = |(read, item): (&Option<T>, &T)| {
        read.is_some_and(|read| read == *item || is_nan(read) && is_nan(*item))
    };
    read.len() == items.len() && read.iter().zip(items).all(is_same)
}

/// Whether a cell's text is that of what it holds: of numbers, whether it reads back as them.
fn is_same(held: &Held, found: Option<&str>) -> bool {
    if held.is_nothing() {
        return found.is_none();
    }
    let Some(found) = found else { return false };
    match held {
        Held::Floats(items) | Held::Complex(items) => read_back(found, items, f32::is_nan),
        Held::Doubles(items) | Held::DoubleComplex(items) => read_back(found, items, f64::is_nan),
        other => found == other.text(),
    }
}

proptest! {
    #[test]
    fn tables_come_back_from_every_serialization(columns in columns(), chunk in 1..300_usize) {
        for document in documents(&columns) {
            let (fields, rows, summary) =
                read_from(Trickling(document.as_bytes(), chunk), None, TableLimits::default())
                    .unwrap_or_else(|error| panic!("{error}\n{document}"));
            prop_assert_eq!(fields.len(), columns.len());
            prop_assert_eq!((rows.len(), summary.rows), (columns[0].cells.len(), rows.len() as u64));
            for (at, row) in rows.iter().enumerate() {
                for (column, found) in columns.iter().zip(row) {
                    let held = &column.cells[at];
                    prop_assert!(is_same(held, found.as_deref()), "{:?} is {:?}\n{}", held, found, document);
                }
            }
        }
    }

    #[test]
    fn what_was_written_is_read_as_the_same(columns in columns()) {
        for document in documents(&columns) {
            let (fields, rows, _) = read(document.as_bytes()).unwrap();
            let mut writer = TableWriter::begin(Vec::new(), "a & b", &fields).unwrap();
            for row in &rows {
                writer.row(row.iter().map(Option::as_deref)).unwrap();
            }
            let written = writer.end(true).unwrap();
            let (again, same_rows, summary) = read(&written).unwrap();
            prop_assert_eq!(again, fields);
            prop_assert_eq!(same_rows, rows);
            prop_assert_eq!(summary.status, QueryStatus::Ok);
        }
    }
}

/// The only row of a binary table of one field.
fn only_cell(field: &str, bytes: &[u8]) -> Option<String> {
    let data = format!("<BINARY><STREAM>{}</STREAM></BINARY>", base64(bytes));
    let mut rows = cells(&format!("<FIELD name=\"a\" {field}</FIELD>"), &data);
    assert_eq!(rows.len(), 1);
    rows.remove(0).remove(0)
}

#[test]
fn numbers_are_written_as_most_services_write_them() {
    for (number, text) in [
        (18.0, "18.0"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (1e-4, "0.0001"),
        (1e-5, "1e-05"),
        (-1.5e-7, "-1.5e-07"),
        (123_456_789_012_345.6, "123456789012345.6"),
        (1e16, "1e+16"),
        (1.25e100, "1.25e+100"),
        (5e-324, "5e-324"),
    ] {
        assert_eq!(only_cell("datatype=\"double\">", &f64::to_be_bytes(number)).as_deref(), Some(text));
    }
    assert_eq!(only_cell("datatype=\"float\">", &18.72_f32.to_be_bytes()).as_deref(), Some("18.72"));
    let some = [f32::NAN, 1.0, f32::INFINITY].map(f32::to_be_bytes).concat();
    assert_eq!(only_cell("datatype=\"float\" arraysize=\"3\">", &some).as_deref(), Some("NaN 1.0 +Inf"));
}

#[test]
fn binary_cells_without_a_value_are_none() {
    let none: [(&str, &[u8]); 11] = [
        ("datatype=\"float\">", &f32::NAN.to_be_bytes()),
        ("datatype=\"double\">", &f64::INFINITY.to_be_bytes()),
        ("datatype=\"double\" arraysize=\"2\">", &[f64::NAN.to_be_bytes(), f64::NAN.to_be_bytes()].concat()),
        ("datatype=\"int\"><VALUES null=\"-1\"/>", &(-1_i32).to_be_bytes()),
        ("datatype=\"unsignedByte\"><VALUES null=\"0xFF\"/>", &[255]),
        ("datatype=\"long\"><VALUES null=\"-9223372036854775808\"/>", &i64::MIN.to_be_bytes()),
        ("datatype=\"boolean\">", b"?"),
        ("datatype=\"boolean\">", b"\0"),
        ("datatype=\"char\">", b" "),
        ("datatype=\"char\" arraysize=\"4\">", b"\0abc"),
        ("datatype=\"char\" arraysize=\"*\">", &0_u32.to_be_bytes()),
    ];
    for (field, bytes) in none {
        assert_eq!(only_cell(field, bytes), None, "{field}");
    }
    let some: [(&str, &[u8], &str); 7] = [
        ("datatype=\"int\">", &(-1_i32).to_be_bytes(), "-1"),
        ("datatype=\"boolean\">", b"1", "1"),
        ("datatype=\"char\" arraysize=\"6\">", b"abc \0x", "abc "),
        // One byte a character, as of old; and a character that the array's end cuts.
        ("datatype=\"char\" arraysize=\"4\">", b"caf\xe9", "caf"),
        ("datatype=\"char\" arraysize=\"5\">", b"caf\xe9s", "caf\u{e9}s"),
        ("datatype=\"bit\" arraysize=\"10\">", &[0b1010_0000, 0b0100_0000], "1 0 1 0 0 0 0 0 0 1"),
        ("datatype=\"short\" arraysize=\"2x2\">", &[0, 1, 0, 2, 0, 3, 0, 4], "1 2 3 4"),
    ];
    for (field, bytes, text) in some {
        assert_eq!(only_cell(field, bytes).as_deref(), Some(text), "{field}");
    }
}

#[test]
fn a_stream_may_be_broken_by_whatever_markup_may_break_text() {
    let field = "<FIELD name=\"a\" datatype=\"char\" arraysize=\"9\"/>";
    // ABCDEFGHI, and the same behind a byte of flags.
    for (name, stream) in [
        ("BINARY", "QUJDREVGR0hJ"),
        ("BINARY", " QUJD\r\n REVG\tR0hJ "),
        ("BINARY", "Q<!-- x -->UJDREVG<![CDATA[R0h]]>J"),
        ("BINARY", "QUJD&#13;&#10;REVGR0hJ&#32;"),
        ("BINARY", "QUJD<?x y?>REVGR0hJ"),
        ("BINARY2", "AEFCQ0RFRkdISQ=="),
        ("BINARY2", "AEFCQ0RFRkdISQ=\n=\n"),
        ("BINARY2", "AEFCQ0RFRkdISQ="),
        // Without the padding that should be there.
        ("BINARY2", "AEFCQ0RFRkdISQ"),
    ] {
        let data = format!("<{name}><STREAM encoding=\"base64\">{stream}</STREAM></{name}>");
        assert_eq!(cells(field, &data), [[Some("ABCDEFGHI".to_owned())]], "{stream}");
    }
    let empty = "<BINARY><STREAM/></BINARY>";
    assert_eq!(cells(field, empty), [[None::<String>; 1]; 0]);
}

#[test]
fn binary_data_that_is_wrong_is_told() {
    let refused = |field: &str, stream: &str| {
        let data = format!("<BINARY><STREAM encoding=\"base64\">{stream}</STREAM></BINARY>");
        refusal(table(&format!("<FIELD name=\"a\" {field}/>"), &data))
    };
    for (field, stream, told) in [
        ("datatype=\"int\"", "AAAA", "the binary data ends within row 1"),
        ("datatype=\"int\"", "AAAAAAAA", "the binary data ends within row 2"),
        ("datatype=\"int\"", "!!!!", "the binary data is not base64"),
        ("datatype=\"int\"", "AA==AAAA", "the binary data is not base64"),
        ("datatype=\"int\"", "A", "the binary data is not base64"),
        ("datatype=\"int\"", "=", "the binary data is not base64"),
        ("datatype=\"int\"", "AAAAAA===", "the binary data is not base64"),
        ("datatype=\"boolean\"", "eHh4", "row 1: column \"a\" is neither true nor false"),
        ("datatype=\"unicodeChar\" arraysize=\"1\"", "2AAA", "row 1: column \"a\" is not UTF-16"),
        ("datatype=\"char\" arraysize=\"*\"", "/////w==", "row 1: column \"a\" has less than no values"),
        (
            "datatype=\"int\" arraysize=\"x\"",
            "AAAA",
            "row 1: column \"a\" has an arraysize that cannot be read",
        ),
        ("datatype=\"string\"", "AAAA", "row 1: column \"a\" has a datatype that no binary table can have"),
        ("name2=\"x\"", "AAAA", "row 1: column \"a\" has a datatype that no binary table can have"),
    ] {
        assert_eq!(refused(field, stream), (Some(BadValue), told.to_owned()), "{field} {stream}");
    }
    let told = "row 1: column \"a\" has more than 1048576 bytes".to_owned();
    assert_eq!(refused("datatype=\"double\" arraysize=\"*\"", "f////w=="), (None, told.clone()));
    assert_eq!(refused("datatype=\"double\" arraysize=\"9999999999x9999999999\"", "AAAA"), (None, told));
    for unread in [
        "<FITS><STREAM/></FITS>",
        "<BINARY><STREAM href=\"x\"/></BINARY>",
        "<BINARY2><STREAM encoding=\"gzip\">x</STREAM></BINARY2>",
    ] {
        let (_, rows, summary) = read(table("<FIELD/>", unread).as_bytes()).unwrap();
        assert!(rows.is_empty() && summary.unread.is_some(), "{unread}");
    }
}
