//! A small sky inside parsim, so that the lesson works without a network: eight targets with
//! made-up sources around them, asked over TAP.

use std::time::Duration;

use super::targets::{Resolution, Target, TargetPlace};
use crate::sky::separation;
use crate::vo::cone::UPLOAD_ID;
use crate::vo::votable::{ArraySize, Datatype, Field, TableItem, TableLimits, TableReader, TableWriter};
use crate::workload::service::{DemoRequest, DemoServer};

/// The way there and back.
const WAIT: Duration = Duration::from_millis(100);

/// The radius of the cones unless another one is given, in degrees.
pub const RADIUS: &str = "0.04";

/// What is searched around.
const TARGETS: [(&str, f64, f64); 8] = [
    ("NGC 4782", 193.648_583_3, -12.568_444_4),
    ("NGC 4792", 193.765_416_7, -12.497_222_2),
    ("M 1", 83.6287, 22.0147),
    ("M 31", 10.684_708_33, 41.268_75),
    ("Sirius", 101.287_155_33, -16.716_115_86),
    ("Vega", 279.234_734_79, 38.783_688_96),
    ("Barnard's star", 269.452_076_96, 4.693_364_97),
    ("Sgr A*", 266.416_816_63, -29.007_824_97),
];

/// Name, right ascension, declination, type and magnitude of each source.
const SOURCES: &str = include_str!("demo.csv");

/// The targets.
pub fn targets() -> Vec<Target> {
    let target = |(number, (name, ra, dec)): (usize, (&str, f64, f64))| Target {
        id: number.to_string(),
        text: name.to_owned(),
        place: TargetPlace::Named(Resolution::Found((ra, dec))),
        radius: None,
    };
    (1..).zip(TARGETS).map(target).collect()
}

/// Starts the service; where it is asked.
///
/// # Errors
/// When it cannot be started.
pub fn start() -> anyhow::Result<(DemoServer, String)> {
    let server = DemoServer::start(WAIT, answer)?;
    let url = format!("{}/tap", server.url());
    Ok((server, url))
}

/// The document that answers a query for one cone, or for those of an uploaded table.
fn answer(asked: &DemoRequest<'_>) -> Option<String> {
    if asked.path.split('?').next()? != "/tap/sync" {
        return None;
    }
    let upload = asked.body.windows(8).position(|at| at == b"<VOTABLE");
    let cones = match upload {
        Some(start) => uploaded(&asked.body[start..])?,
        None => vec![(None, circle(&String::from_utf8_lossy(asked.body))?)],
    };
    table(&cones).ok()
}

/// Right ascension, declination and radius.
type Circle = [f64; 3];

/// The circle in the query of a form: `CIRCLE('ICRS',1,2,0.5)`, in percent form.
fn circle(form: &str) -> Option<Circle> {
    let (_, rest) = form.split_once("CIRCLE")?;
    let plain = rest.replace("%28", "(").replace("%29", ")").replace("%27", "'").replace("%2C", ",");
    let mut numbers = plain.split([',', ')']).skip(1).map(str::parse);
    Some([numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?])
}

/// The cones of an uploaded table, which stands before other parts of the form, if any.
fn uploaded(bytes: &[u8]) -> Option<Vec<(Option<String>, Circle)>> {
    let end = bytes.windows(10).position(|at| at == b"</VOTABLE>")? + 10;
    let mut reader = TableReader::new(&bytes[..end], None, TableLimits::default());
    let mut cones = Vec::new();
    loop {
        match reader.next().ok()? {
            TableItem::Table(_) => {}
            TableItem::Row(row) => {
                let circle = [row.number(1)?, row.number(2)?, row.number(3)?];
                cones.push((row.text(0).map(str::to_owned), circle));
            }
            TableItem::End(_) => return Some(cones),
        }
    }
}

fn table(cones: &[(Option<String>, Circle)]) -> std::io::Result<String> {
    let field = |name: &str, datatype: Datatype, ucd: &str| Field {
        name: name.to_owned(),
        arraysize: if datatype.is_text() { ArraySize::Variable(Vec::new()) } else { ArraySize::One },
        datatype,
        ucd: Some(ucd.to_owned()).filter(|ucd| !ucd.is_empty()),
        ..Field::default()
    };
    let mut fields = vec![
        field("main_id", Datatype::UnicodeChar, "meta.id;meta.main"),
        field("ra", Datatype::Double, "pos.eq.ra;meta.main"),
        field("dec", Datatype::Double, "pos.eq.dec;meta.main"),
        field("otype", Datatype::Char, "src.class"),
        field("vmag", Datatype::Float, "phot.mag;em.opt.V"),
    ];
    if cones.iter().any(|(number, _)| number.is_some()) {
        fields.insert(0, field(UPLOAD_ID, Datatype::Long, ""));
    }
    let mut writer = TableWriter::begin(Vec::new(), "A made-up sky", &fields)?;
    for (number, [ra, dec, radius]) in cones {
        let mut sources = csv::ReaderBuilder::new().has_headers(false).from_reader(SOURCES.as_bytes());
        for source in sources.records().map_while(Result::ok) {
            let place = |at: usize| source[at].parse().unwrap_or(f64::NAN);
            if separation((*ra, *dec), (place(1), place(2))) <= *radius {
                let cells = number.as_deref().into_iter().chain(source.iter());
                writer.row(cells.map(Some))?;
            }
        }
    }
    Ok(String::from_utf8_lossy(&writer.end(true)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_circle_of_a_form_is_found() {
        let form = "QUERY=SELECT+%2A+WHERE+1%3DCONTAINS%28POINT%28%27ICRS%27%2Cra%2Cdec%29%2CCIRCLE%28%27ICRS%27%2C1.5%2C-2%2C0.04%29%29";
        assert_eq!(circle(form), Some([1.5, -2.0, 0.04]));
        assert_eq!(circle("QUERY=SELECT"), None);
    }
}
