//! Real answers, answers that are not what they should be, and tables in every
//! serialization.

use super::*;

macro_rules! data {
    ($name:literal) => {
        &include_bytes!(concat!("../../../tests/data/vo/", $name))[..]
    };
}

/// A table as it was read: its fields, its cells, and what is said of it.
type Whole = (Vec<Field>, Vec<Vec<Option<String>>>, TableSummary);

fn read(bytes: &[u8]) -> Result<Whole, TableError> {
    let mut reader = TableReader::new(bytes, None, TableLimits::default());
    let (mut fields, mut rows) = (Vec::new(), Vec::new());
    loop {
        match reader.next()? {
            TableItem::Table(found) => {
                fields = found.to_vec();
                rows.clear();
            }
            TableItem::Row(row) => rows.push(row.texts().map(|text| text.map(str::to_owned)).collect()),
            TableItem::End(summary) => return Ok((fields, rows, summary.clone())),
        }
    }
}

#[test]
fn a_real_answer_is_read_to_the_byte() {
    let (fields, rows, summary) = read(data!("tap-td.vot")).unwrap();
    assert_eq!((fields.len(), rows.len(), summary.rows), (13, 35, 35));
    assert_eq!(fields[1].name, "main_id");
    assert_eq!(fields[6].null.as_deref(), Some("-1"));
    let first: Vec<Option<&str>> = rows[0].iter().map(Option::as_deref).collect();
    let expected = [
        Some("71"),
        Some("TS edge-0.04 NGC  4782"),
        Some("193.6079164712259"),
        Some("-12.573391125742807"),
        Some("18.0"),
        Some("-412.279"),
        None,
        None,
        None,
        Some("*"),
        Some("0"),
        None,
        Some("★ star"),
    ];
    assert_eq!(first, expected);
}

#[test]
fn real_answers_are_the_same_in_every_serialization() {
    let (fields, rows, summary) = read(data!("tap-td.vot")).unwrap();
    for other in [data!("tap-binary.vot"), data!("tap-binary2.vot")] {
        let (other_fields, other_rows, other_summary) = read(other).unwrap();
        assert_eq!(other_fields, fields);
        assert_eq!(other_rows, rows);
        assert_eq!(other_summary, summary);
    }
}
