//! Reading a `VOTable` that is ready in memory: rows that are plain, and rows that the reader
//! of markup has to take because there is a comment in each.

use anyhow::ensure;
use criterion::{Criterion, Throughput};
use parsim::vo::votable::{ArraySize, Datatype, Field, TableItem, TableLimits, TableReader, TableWriter};

const ROWS: u64 = 10_000;

/// A document of 13 columns, as cone searches bring them.
fn document() -> anyhow::Result<Vec<u8>> {
    let field = |datatype: Datatype, arraysize: ArraySize| Field { datatype, arraysize, ..Field::default() };
    let text = || field(Datatype::Char, ArraySize::Variable(Vec::new()));
    let mut fields = vec![field(Datatype::Float, ArraySize::Fixed(vec![3]))];
    fields.extend((0..3).map(|_| field(Datatype::Long, ArraySize::One)));
    fields.extend((0..5).map(|_| field(Datatype::Double, ArraySize::One)));
    fields.extend((0..4).map(|_| text()));
    let mut writer = TableWriter::begin(Vec::new(), "", &fields)?;
    for row in 0..ROWS {
        let (long, real) = ((row * 7_919_317).to_string(), (row as f64 / 7.0).to_string());
        let cells: [&[Option<&str>]; 3] = [
            &[Some("3.961 3.747 49.0"), Some(&long), Some("-1"), Some("42")],
            &[Some(&real), Some(&real), Some("-12.5684444"), Some("18.72"), None],
            &[Some("TS NGC4782-38"), Some("2020A&A...392A..15Z"), Some("QSO"), None],
        ];
        writer.row(cells.concat())?;
    }
    Ok(writer.end(true)?)
}

/// Reads `document` and counts its rows and the texts in them.
fn read(document: &[u8]) -> anyhow::Result<(u64, usize)> {
    let mut reader = TableReader::new(document, None, TableLimits::default());
    let mut n_texts = 0;
    loop {
        match reader.next()? {
            TableItem::Table(_) => {}
            TableItem::Row(row) => n_texts += row.texts().flatten().count(),
            TableItem::End(summary) => return Ok((summary.rows, n_texts)),
        }
    }
}

/// Rows a second.
pub(crate) fn rows(criterion: &mut Criterion) -> anyhow::Result<()> {
    let plain = document()?;
    let commented = String::from_utf8(plain.clone())?.replace("<TR>", "<TR><!-- -->").into_bytes();
    let mut group = criterion.benchmark_group("votable");
    group.throughput(Throughput::Elements(ROWS));
    for (name, document) in [("plain", plain), ("markup", commented)] {
        let found = read(&document)?;
        ensure!(found == (ROWS, 11 * 10_000), "{name}: {found:?}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| read(&document).expect("the same document was tried before"));
        });
    }
    group.finish();
    Ok(())
}
