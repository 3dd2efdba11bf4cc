//! The targets of cone searches: from the command line, from a table in a file or on
//! stdin. What is wrong with one target is that target's failure, by its line; what is
//! wrong with the list is an error before anybody is asked.

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::task::ErrorClass;
use crate::vo::position::{self, SkyPosition};
use crate::workload::service::{ListTable, one_line, read_list};

/// Names of the columns, in lower case; the first one of each that a table has counts.
const IDS: &[&str] = &["id"];
const NAMES: &[&str] = &["target", "name", "object"];
const RAS: &[&str] = &["ra", "raj2000", "_raj2000", "ra_icrs", "ra_j2000", "_ra"];
const DECS: &[&str] =
    &["dec", "de", "dej2000", "_dej2000", "decj2000", "de_icrs", "dec_icrs", "dec_j2000", "de_j2000", "_de"];
const RADII: &[&str] = &["radius", "sr"];

/// Something to search around.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// What its rows are told by.
    pub id: String,
    /// What was given: a name, a position.
    pub text: String,
    /// Where it is, as far as that is known.
    pub place: TargetPlace,
    /// The radius of its own, in degrees.
    pub radius: Option<f64>,
}

/// Where a target is.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetPlace {
    /// At a position that was given.
    Given(SkyPosition),
    /// Where the resolver says that the name is.
    Named(Resolution),
    /// Nowhere: what is wrong with it.
    Wrong(TargetFault),
}

/// What became of a name.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolution {
    /// Nobody was asked yet.
    Pending,
    /// It is at this right ascension and declination, in degrees.
    Found((f64, f64)),
    /// It is not found, or the resolver could not be asked.
    Failed(TargetFault),
}

/// Why a target cannot be searched around.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetFault {
    /// The class of the failure.
    pub class: ErrorClass,
    /// In words, with the line where it stands.
    pub why: String,
}

impl TargetFault {
    fn bad_position(place: &str, why: impl std::fmt::Display) -> TargetPlace {
        TargetPlace::Wrong(Self { class: ErrorClass::BadPosition, why: format!("{place}{why}") })
    }
}

impl Target {
    /// What a person calls it.
    pub fn label(&self) -> &str {
        if self.text.is_empty() { &self.id } else { &self.text }
    }

    /// What kind of text was given.
    pub fn kind(&self) -> &'static str {
        match &self.place {
            TargetPlace::Named(_) => "name",
            TargetPlace::Wrong(_) if self.text.is_empty() => "blank",
            TargetPlace::Given(_) | TargetPlace::Wrong(_) => "position",
        }
    }

    /// The name that the resolver is to be asked for.
    pub fn name_to_resolve(&self) -> Option<String> {
        matches!(self.place, TargetPlace::Named(Resolution::Pending)).then(|| plain_name(&self.text))
    }

    /// Whether its position is good to a minute only.
    pub fn is_coarse(&self) -> bool {
        matches!(&self.place, TargetPlace::Given(position) if position.is_coarse)
    }

    /// Right ascension and declination in degrees; what is wrong with it.
    pub fn position(&self) -> Result<(f64, f64), TargetFault> {
        match &self.place {
            TargetPlace::Given(position) => Ok((position.ra, position.dec)),
            TargetPlace::Named(Resolution::Found(position)) => Ok(*position),
            TargetPlace::Named(Resolution::Failed(fault)) | TargetPlace::Wrong(fault) => Err(fault.clone()),
            TargetPlace::Named(Resolution::Pending) => Err(TargetFault {
                class: ErrorClass::UnknownName,
                why: "its name was not looked up".to_owned(),
            }),
        }
    }

    /// One that is given as a text alone; `place` is where it stands.
    fn of_text(id: String, text: &str, radius: Option<f64>, place: &str) -> Self {
        let text = one_line(text);
        let at = if text.is_empty() {
            TargetFault::bad_position(place, "the target is blank")
        } else {
            match position::read(&text) {
                Ok(position) => TargetPlace::Given(position),
                Err(bad) if position::looks_like_position(&text) => TargetFault::bad_position(place, bad),
                Err(_) => TargetPlace::Named(Resolution::Pending),
            }
        };
        Self { id, text, place: at, radius }
    }
}

/// A name with one blank between words, so that the same one is looked up once.
fn plain_name(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The targets of the command line, and those in the file `list`.
///
/// # Errors
/// When the list cannot be read, or its columns say of no target where it is.
pub fn targets(words: &[String], list: Option<&Path>) -> anyhow::Result<Vec<Target>> {
    let mut targets = Vec::new();
    for word in words {
        let id = (targets.len() + 1).to_string();
        targets.push(Target::of_text(id, word, None, ""));
    }
    if let Some(path) = list {
        let text = read_list(path, "targets")
            .with_context(|| format!("cannot read targets from {}", path.display()))?;
        from_table(&text, &format!("{}:", path.display()), &mut targets)?;
    }
    Ok(targets)
}

/// Those of a table.
fn from_table(text: &str, file: &str, targets: &mut Vec<Target>) -> anyhow::Result<()> {
    let text = text.trim_start_matches('\u{feff}');
    let head =
        text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    let table = ListTable::parse(text, file, if head.contains('\t') { b'\t' } else { b',' })?;
    let column = |wanted: &[&str]| wanted.iter().find_map(|name| table.column(&[name]));
    let (id, name, radius) = (column(IDS), column(NAMES), column(RADII));
    let place = column(RAS).zip(column(DECS));
    if name.is_none() && place.is_none() {
        let found: Vec<String> = table.names.iter().map(|name| format!("{:.40}", one_line(name))).collect();
        bail!(
            "{file}{}: no column is named target, name or object, nor are there ra and dec; found: {}",
            table.head_line,
            found.join(", ")
        );
    }
    for (line, row) in &table.rows {
        let at = format!("{file}{line}: ");
        let cell = |column: usize| row.get(column).unwrap_or_default().trim();
        let filled = |column: Option<usize>| column.map(cell).filter(|text| !text.is_empty());
        let number = targets.len() + 1;
        let id = filled(id).map_or_else(|| number.to_string(), one_line);
        let radius = filled(radius).map(position::read_radius);
        let coordinates = place.map(|(ra, dec)| [cell(ra), cell(dec)]).filter(|pair| pair.concat() != "");
        let mut target = match coordinates {
            None => Target::of_text(id, name.map(cell).unwrap_or_default(), None, &at),
            Some([ra, dec]) => {
                let text = format!("{ra} {dec}");
                let place = match position::read(&text) {
                    Ok(position) => TargetPlace::Given(position),
                    Err(bad) => TargetFault::bad_position(&at, bad),
                };
                let text = one_line(filled(name).unwrap_or(&text));
                Target { id, text, place, radius: None }
            }
        };
        match radius.transpose() {
            Ok(radius) => target.radius = radius,
            Err(why) => target.place = TargetFault::bad_position(&at, format!("radius: {why}")),
        }
        targets.push(target);
    }
    Ok(())
}
