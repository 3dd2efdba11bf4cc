//! A made-up sky that is asked as services are: a name resolver, TAP with upload, Simple
//! Cone Search; and what can be the matter with an answer, by `/f/FAULT` before the path.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use crate::support::{Asked, Reply, Stub};

/// A file of the golden data.
pub(crate) fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/sky").join(name)
}

/// The rows of a file of the golden data, by the names of its columns.
pub(crate) fn golden_rows(name: &str) -> Vec<BTreeMap<String, String>> {
    table(&std::fs::read_to_string(golden(name)).unwrap())
}

/// The rows of CSV, by the names of its columns.
pub(crate) fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

struct CatalogueRow {
    oid: String,
    main_id: String,
    ra: f64,
    dec: f64,
    otype: String,
    vmag: String,
}

static CATALOGUE: LazyLock<Vec<CatalogueRow>> = LazyLock::new(|| {
    let row = |row: BTreeMap<String, String>| CatalogueRow {
        oid: row["oid"].clone(),
        main_id: row["main_id"].clone(),
        ra: row["ra"].parse().unwrap(),
        dec: row["dec"].parse().unwrap(),
        otype: row["otype"].clone(),
        vmag: row["vmag"].clone(),
    };
    golden_rows("catalogue.csv").into_iter().map(row).collect()
});

/// The angle between two places, in degrees, by another formula than parsim's.
fn angle(one: (f64, f64), other: (f64, f64)) -> f64 {
    let [(a, b), (c, d)] = [one, other].map(|(ra, dec)| (ra.to_radians(), dec.to_radians()));
    let across = (d.cos() * (c - a).sin()).hypot(b.cos() * d.sin() - b.sin() * d.cos() * (c - a).cos());
    across.atan2(b.sin() * d.sin() + b.cos() * d.cos() * (c - a).cos()).to_degrees()
}

fn within(ra: f64, dec: f64, radius: f64) -> impl Iterator<Item = &'static CatalogueRow> {
    CATALOGUE.iter().filter(move |row| angle((ra, dec), (row.ra, row.dec)) <= radius)
}

/// The whole sky as a server.
pub(crate) fn sky() -> Stub {
    Stub::start(answer)
}

/// What it says to one request.
pub(crate) fn answer(asked: &Asked) -> Reply {
    let (fault, path) = match asked.path.strip_prefix("/f/").and_then(|rest| rest.split_once('/')) {
        Some((fault, rest)) => (fault, format!("/{rest}")),
        None => ("", asked.path.clone()),
    };
    let query = asked.head.split(' ').nth(1).unwrap().split_once('?').map_or("", |(_, query)| query);
    let page = "<!DOCTYPE html><html><head><title>back soon</title></head></html>";
    match fault {
        "http403" => return Reply::with("403 Forbidden", &[], page),
        "http429" => return Reply::with("429 Too Many Requests", &["Retry-After: 0"], page),
        "closed" => return Reply::with("429 Too Many Requests", &["Retry-After: 3600"], page),
        "http500" => return Reply::with("500 Internal Server Error", &[], page),
        "html" => return Reply::with("200 OK", &["Content-Type: text/html"], page),
        "redirect302" => {
            let tail = if query.is_empty() { String::new() } else { format!("?{query}") };
            return Reply::with("302 Found", &[&format!("Location: {path}{tail}")], "");
        }
        _ => {}
    }
    match path.as_str() {
        "/cgi-bin/nph-sesame/-oxp/SNV" => Reply::xml(sesame(query)),
        "/scs" => {
            let form = form(query);
            let number = |name: &str| form[name].parse::<f64>().unwrap();
            Reply::xml(document(within(number("RA"), number("DEC"), number("SR")).map(cells), &[], fault))
        }
        "/tap/sync" if asked.body.contains("name=\"t\"; filename=") => Reply::xml(joined(&asked.body, fault)),
        "/tap/sync" => {
            let form = form(&asked.body);
            let Some(query) = form.get("QUERY").filter(|_| form["LANG"] == "ADQL") else {
                return Reply::with("400 Bad Request", &[], failure("The parameter LANG is missing!"));
            };
            let circle = query.split_once("CIRCLE('ICRS',").unwrap().1;
            let numbers: Vec<f64> =
                circle.split([',', ')']).map_while(|number| number.parse().ok()).collect();
            let found = within(numbers[0], numbers[1], numbers[2]);
            let most = form.get("MAXREC").map_or(usize::MAX, |most| most.parse().unwrap());
            let all: Vec<_> = found.map(cells).collect();
            let after = if all.len() > most { OVERFLOW } else { "" };
            Reply::xml(document(all.into_iter().take(most), &[after], fault))
        }
        _ => Reply::with("404 Not Found", &[], page),
    }
}

const OVERFLOW: &str = "<INFO name=\"QUERY_STATUS\" value=\"OVERFLOW\"/>";

fn cells(row: &CatalogueRow) -> Vec<String> {
    vec![
        row.main_id.clone(),
        row.ra.to_string(),
        row.dec.to_string(),
        row.otype.clone(),
        row.vmag.clone(),
        row.oid.clone(),
    ]
}

/// The fields of a form, decoded.
fn form(text: &str) -> BTreeMap<String, String> {
    let plain = |text: &str| {
        let bytes = text.replace('+', " ").into_bytes();
        let mut out = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            if bytes[at] == b'%' {
                let digits = std::str::from_utf8(&bytes[at + 1..at + 3]).unwrap();
                out.push(u8::from_str_radix(digits, 16).unwrap());
                at += 3;
            } else {
                out.push(bytes[at]);
                at += 1;
            }
        }
        String::from_utf8(out).unwrap()
    };
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (plain(k), plain(v))).collect()
}

/// The uploaded table joined with the catalogue.
fn joined(body: &str, fault: &str) -> String {
    let rows = body.split("<TR>").skip(1).map(|row| {
        let cells = row.split("<TD>").skip(1).map(|cell| cell.split('<').next().unwrap());
        cells.map(str::to_owned).collect::<Vec<String>>()
    });
    let number = |text: &str| text.parse::<f64>().unwrap();
    let mut all: Vec<Vec<String>> = rows
        .flat_map(|target| {
            let found = within(number(&target[1]), number(&target[2]), number(&target[3]));
            found.map(move |row| [vec![target[0].clone()], cells(row)].concat()).collect::<Vec<_>>()
        })
        .collect();
    // A database promises no order.
    all.reverse();
    let field = "<FIELD name=\"target_id\" datatype=\"long\"/>";
    document(all.into_iter(), &[], fault).replacen("<FIELD", &format!("{field}<FIELD"), 1)
}

fn failure(text: &str) -> String {
    format!(
        "<VOTABLE><RESOURCE type=\"results\"><INFO name=\"QUERY_STATUS\" value=\"ERROR\">{text}</INFO></RESOURCE></VOTABLE>"
    )
}

/// A table of results with these rows, and what is said after it.
fn document(rows: impl Iterator<Item = Vec<String>>, after: &[&str], fault: &str) -> String {
    if fault == "error" {
        return failure("the database is away");
    }
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let mut text = String::new();
    for row in rows {
        text += "<TR>";
        for cell in row {
            let _ = write!(text, "<TD>{}</TD>", escaped(&cell));
        }
        text += "</TR>\n";
    }
    let mut after = after.concat();
    match fault {
        "error-after" => after = "<INFO name=\"QUERY_STATUS\" value=\"ERROR\">it went away</INFO>".to_owned(),
        "overflow" => after = OVERFLOW.to_owned(),
        "far" => text += "<TR><TD>far</TD><TD>1</TD><TD>1</TD><TD/><TD/><TD>9</TD></TR>",
        "odd" => {
            text += "<TR><TD>a,\"b\"\nc &lt;</TD><TD>193.66</TD><TD>-12.5684444</TD><TD/><TD>NaN</TD><TD>9</TD></TR>";
        }
        "short" => text += "<TR><TD>one cell</TD></TR>",
        _ => {}
    }
    let status = if fault == "nostatus" { "" } else { "<INFO name=\"QUERY_STATUS\" value=\"OK\"/>" };
    let (ra, dec) = if fault == "nopos" {
        ("\"a\"", "\"b\"")
    } else {
        ("\"ra\" ucd=\"pos.eq.ra;meta.main\"", "\"dec\" ucd=\"pos.eq.dec;meta.main\"")
    };
    let whole = format!(
        "<VOTABLE version=\"1.4\"><RESOURCE type=\"results\">{status}<TABLE>\
         <FIELD name=\"main_id\" datatype=\"char\" arraysize=\"*\" ucd=\"meta.id;meta.main\"/>\
         <FIELD name={ra} datatype=\"double\" unit=\"deg\"/><FIELD name={dec} datatype=\"double\" unit=\"deg\"/>\
         <FIELD name=\"otype\" datatype=\"char\" arraysize=\"*\" ucd=\"src.class\"/>\
         <FIELD name=\"vmag\" datatype=\"float\" ucd=\"phot.mag;em.opt.V\"/>\
         <FIELD name=\"oid\" datatype=\"long\"/>\
         <DATA><TABLEDATA>\n{text}</TABLEDATA></DATA></TABLE>{after}</RESOURCE></VOTABLE>\n"
    );
    match fault {
        "truncated" => whole[..whole.rfind("<TD>").unwrap()].to_owned(),
        _ => whole,
    }
}

fn sesame(query: &str) -> String {
    let names = golden_rows("names.csv");
    let mut text = "<Sesame>".to_owned();
    for name in query.split('&') {
        let name = form(&format!("name={name}"))["name"].clone();
        let known = names.iter().find(|known| known["name"].eq_ignore_ascii_case(&name));
        let _ = write!(text, "<Target option=\"SNV\"><name>{name}</name>");
        match known {
            Some(known) => {
                let (ra, dec, oname) = (&known["ra"], &known["dec"], &known["oname"]);
                let _ = write!(
                    text,
                    "<Resolver name=\"S=Simbad\"><jradeg>{ra}</jradeg><jdedeg>{dec}</jdedeg><oname>{oname}</oname></Resolver>"
                );
            }
            None => text += "<INFO>*** Nothing found ***</INFO>",
        }
        text += "</Target>";
    }
    text + "</Sesame>"
}

/// A table of results with these fields, `name type ucd`, and these rows, blanks between cells.
pub(crate) fn results(fields: &[&str], rows: &[&str]) -> Reply {
    let field = |field: &&str| {
        let words: Vec<&str> = field.split(' ').collect();
        let size = if words[1] == "char" { "arraysize=\"*\"" } else { "" };
        let ucd = words.get(2).unwrap_or(&"");
        format!("<FIELD name=\"{}\" datatype=\"{}\" {size} ucd=\"{ucd}\"/>", words[0], words[1])
    };
    let row = |row: &&str| format!("<TR><TD>{}</TD></TR>", row.replace(' ', "</TD><TD>"));
    let (fields, rows): (String, String) =
        (fields.iter().map(field).collect(), rows.iter().map(row).collect());
    Reply::xml(format!(
        "<VOTABLE><RESOURCE type=\"results\"><INFO name=\"QUERY_STATUS\" value=\"OK\"/><TABLE>{fields}\
         <DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    ))
}
