//! What was found, as charts of the sky: from rows to sources, and into files.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::rows::{OWN_COLUMNS, RowColumn};
use crate::sky::{ALADIN, ChartColumns, FinderChart, SkyPage, SkySource, keep_brightest};
use crate::task::{ConeChart, ConeFinding, ConeSource};
use crate::vo::cone::ConeColumns;
use crate::vo::votable::Field;
use crate::whole_file::{OutputFile, is_stdout};

/// Where charts are to go.
#[derive(Clone, Debug, Default)]
pub struct ChartPlaces {
    /// A file for each target.
    pub folder: Option<PathBuf>,
    /// A page with a view of the sky.
    pub page: Option<PathBuf>,
    /// Where that page loads Aladin Lite from.
    pub library: Option<String>,
    /// Which images stand behind its view.
    pub survey: Option<String>,
    /// How wide its view is, in degrees.
    pub field_of_view: Option<f64>,
}

/// What is kept of one target for its chart.
#[derive(Debug, Default)]
pub struct TargetRows {
    /// What the service's columns are.
    columns: Vec<RowColumn>,
    /// Rows as they were written, which have not been looked at: CSV, the own columns first.
    rows: Vec<u8>,
    /// Those before them, as far as they are kept.
    sources: Vec<ConeSource>,
    /// How many of those are not.
    more: u64,
}

impl TargetRows {
    /// None yet, under these columns.
    pub fn new(columns: Vec<RowColumn>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// Takes rows, cut anywhere.
    pub fn put(&mut self, bytes: &[u8]) {
        self.rows.extend_from_slice(bytes);
    }

    /// Keeps of all rows that are whole the `most` brightest sources, if rows take more than so
    /// many bytes; `asked` are the columns of the position, where they are asked for by name.
    pub fn condense(&mut self, bytes: usize, most: usize, asked: Option<(&str, &str)>) {
        if self.rows.len() > bytes {
            let rest = self.rows.split_off(end_of_rows(&self.rows));
            self.look_at_rows(asked);
            self.rows = rest;
            self.more += keep_brightest(&mut self.sources, most);
        }
    }

    /// Makes sources of the rows.
    fn look_at_rows(&mut self, asked: Option<(&str, &str)>) {
        let fields: Vec<Field> = self.columns.iter().map(|column| column.field(&column.name)).collect();
        let places = ConeColumns::of(&fields, asked);
        let ucd = |column: &'_ RowColumn| column.ucd.clone().unwrap_or_default();
        let told: Vec<(&str, String)> =
            self.columns.iter().map(|column| (column.name.as_str(), ucd(column))).collect();
        let looks = ChartColumns::of(told.iter().map(|(name, ucd)| (*name, ucd.as_str())));
        let rows = std::mem::take(&mut self.rows);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&*rows);
        for row in reader.records().map_while(Result::ok) {
            let text = |column: usize| row.get(OWN_COLUMNS.len() + column).filter(|text| !text.is_empty());
            let number = |column: usize| text(column)?.trim().parse().ok().filter(|it: &f64| it.is_finite());
            let place = places.position.and_then(|(ra, dec)| Some((number(ra)?, number(dec)?)));
            let Some((ra, dec)) = place else { continue };
            self.sources.push(ConeSource {
                id: places.id.and_then(text).unwrap_or_default().to_owned(),
                ra,
                dec,
                kind: looks.kind.and_then(text).map(str::to_owned),
                magnitude: looks.magnitude.and_then(number),
            });
        }
    }

    /// The chart of the target; `None` where it is not known where it is.
    pub fn chart(mut self, cone: &ConeFinding, asked: Option<(&str, &str)>) -> Option<ConeChart> {
        self.look_at_rows(asked);
        let title = if cone.target.is_empty() { &cone.id } else { &cone.target };
        let (title, centre, radius) = (title.clone(), cone.position?, cone.radius);
        Some(ConeChart { title, centre, radius, sources: self.sources, more: self.more })
    }
}

/// Where the last row of CSV ends that is whole. A line break between quotes ends none.
fn end_of_rows(csv: &[u8]) -> usize {
    let (mut is_quoted, mut end) = (false, 0);
    for (at, byte) in csv.iter().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' if !is_quoted => end = at + 1,
            _ => {}
        }
    }
    end
}

impl ChartPlaces {
    /// Whether there are to be any.
    pub fn any(&self) -> bool {
        self.folder.is_some() || self.page.is_some()
    }

    /// Checks that there can be files, and makes the folder of the page, before anybody is asked.
    ///
    /// # Errors
    /// When they cannot.
    pub fn check(&self) -> anyhow::Result<()> {
        if let Some(folder) = &self.folder {
            // A temporary there, and gone again.
            drop(create(&folder.join(".parsim-chart"))?);
        }
        if let Some(folder) = self.page.as_deref().filter(|page| !is_stdout(page)).and_then(Path::parent) {
            fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))?;
        }
        Ok(())
    }

    /// Writes them, the page into `file`, which was opened for it.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write<'a>(&self, charts: &'a [ConeChart], file: Option<OutputFile>) -> anyhow::Result<()> {
        let of_chart = |chart: &'a ConeChart| chart.sources.iter().map(SkySource::from).collect();
        let sources: Vec<Vec<SkySource<'a>>> = charts.iter().map(of_chart).collect();
        let drawn: Vec<FinderChart<'_>> = charts
            .iter()
            .zip(&sources)
            .map(|(chart, sources)| FinderChart {
                title: &chart.title,
                centre: chart.centre,
                radius: chart.radius,
                sources,
                more: chart.more,
            })
            .collect();
        if let Some(folder) = &self.folder {
            let mut names = BTreeSet::new();
            for chart in &drawn {
                let path = folder.join(file_name(chart.title, &mut names));
                put(&path, create(&path)?, &chart.svg())?;
            }
        }
        let Some(page) = &self.page else { return Ok(()) };
        let title = match charts {
            [only] => only.title.clone(),
            several => format!("{} cones", several.len()),
        };
        let library = self.library.as_deref().unwrap_or(ALADIN);
        let (survey, field_of_view) = (self.survey.as_deref(), self.field_of_view);
        let sky = SkyPage { title: &title, charts: &drawn, library, survey, field_of_view };
        let file = file.with_context(|| format!("cannot write {}", page.display()))?;
        put(page, file, &sky.html())
    }
}

fn create(path: &Path) -> anyhow::Result<OutputFile> {
    OutputFile::open_with_folders(path).with_context(|| format!("cannot write {}", path.display()))
}

fn put(path: &Path, mut file: OutputFile, text: &str) -> anyhow::Result<()> {
    file.write_all(text.as_bytes())
        .and_then(|()| file.commit())
        .with_context(|| format!("cannot write {}", path.display()))
}

/// A name for the chart of `title` that is not among `names`: letters, digits and signs that
/// every system has.
fn file_name(title: &str, names: &mut BTreeSet<String>) -> String {
    let plain: String = title
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "+-.".contains(c) { c } else { '_' })
        .take(60)
        .collect();
    let plain = plain.trim_matches(['.', '_']);
    let plain = if plain.is_empty() { "target" } else { plain };
    let mut name = format!("{plain}.svg");
    let mut number = 2;
    while !names.insert(name.clone()) {
        name = format!("{plain}_{number}.svg");
        number += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chart_has_a_name_of_its_own_that_any_system_has() {
        let mut names = BTreeSet::new();
        let mut name = |title: &str| file_name(title, &mut names);
        let expected =
            ["NGC_4782.svg", "NGC_4782_2.svg", "193.65_-12.57.svg", "etc_passwd.svg", "target.svg"];
        let titles = ["NGC 4782", "NGC/4782", "193.65,-12.57", "../etc/passwd", "η"];
        assert_eq!(titles.map(&mut name), expected);
    }

    #[test]
    fn rows_become_sources_by_what_their_columns_are() {
        let column = |name: &str, datatype: &str, ucd: &str| RowColumn {
            name: name.to_owned(),
            datatype: datatype.to_owned(),
            ucd: Some(ucd.to_owned()),
            ..RowColumn::default()
        };
        let columns = vec![
            column("who", "char", "meta.id;meta.main"),
            column("a", "double", "pos.eq.ra;meta.main"),
            column("d", "double", "pos.eq.dec;meta.main"),
            column("v", "float", "phot.mag;em.opt.V"),
            column("otype", "char", "src.class"),
        ];
        let rows = b"1,M 31,0.1,\"a,b\nx\",10.5,41.0,3.4,G\n1,M 31,,no place,,,,\n1,M 31,0.2,c,10,41,-999,\n";
        let cone = ConeFinding {
            target: "M 31".to_owned(),
            position: Some((10.6, 41.2)),
            radius: 0.5,
            ..ConeFinding::default()
        };
        let asked = Some(("ra", "dec"));
        let mut found = TargetRows::new(columns.clone());
        found.put(rows);
        let chart = found.chart(&cone, asked).unwrap();
        let told: Vec<_> = chart
            .sources
            .iter()
            .map(|it| (it.id.as_str(), it.ra, it.kind.as_deref(), it.magnitude))
            .collect();
        assert_eq!(told, [("a,b\nx", 10.5, Some("G"), Some(3.4)), ("c", 10.0, None, Some(-999.0))]);

        // However the rows come, of more than fit the brightest are kept, and all are counted.
        for size in 1..rows.len() {
            let mut found = TargetRows::new(columns.clone());
            for piece in rows.repeat(20).chunks(size) {
                found.put(piece);
                found.condense(100, 5, asked);
            }
            let chart = found.chart(&cone, asked).unwrap();
            assert_eq!(chart.sources.len() as u64 + chart.more, 40, "{size}");
            assert!(chart.sources[..5].iter().all(|source| source.magnitude == Some(3.4)), "{chart:?}");
        }
    }
}
