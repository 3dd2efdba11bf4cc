//! All cones in one query: the targets are uploaded as a table, and the service joins it
//! with its own. The first task of a chunk asks; each then has its own rows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::rows::{ConeRows, Find, RowColumn};
use super::search::{ConeService, RowTaker};
use super::task::Found;
use crate::sync::Mutex;
use crate::task::Finding;
use crate::vo::cone::{ConeColumns, SkyCone, UPLOAD_ID};
use crate::vo::votable::{Field, TableRow};
use crate::vo::{self, ParseError, ParseErrorKind, UploadLimit};
use crate::workload::Cx;
use crate::workload::service::{HttpTransport, is_success, read};

const ACCEPT: &str = "text/xml, application/xml;q=0.9, */*;q=0.1";

/// So many targets are uploaded at a time, unless the service says how many it takes.
const TOGETHER: usize = 10_000;

/// Every service takes so many: it is not asked.
const FEW: usize = 1000;

/// Of what comes of so many, nobody's memory is filled.
const MOST: usize = 100_000;

/// The bytes of a row at most, and of what stands around all rows.
const ROW_BYTES: u64 = 200;
const FRAME_BYTES: u64 = 2000;

/// What the queries of one run have found.
#[derive(Debug, Default)]
pub struct UploadAnswers {
    state: Mutex<UploadState>,
}

#[derive(Debug, Default)]
struct UploadState {
    /// How many targets are uploaded at a time, once that is known.
    together: Option<usize>,
    by_chunk: HashMap<usize, ChunkAnswer>,
}

/// What one query found.
#[derive(Debug)]
struct ChunkAnswer {
    finding: Finding,
    /// `None`: it failed, and the finding says why.
    found: Option<ChunkRows>,
}

#[derive(Debug)]
struct ChunkRows {
    columns: Vec<RowColumn>,
    has_position: bool,
    is_whole: bool,
    /// By the number of the target.
    rows: HashMap<u64, ConeRows>,
}

/// What is uploaded, and how it is asked about.
pub struct UploadQuery<'a> {
    /// Who is asked.
    pub service: &'a ConeService,
    /// How.
    pub transport: &'a HttpTransport,
    /// Which rows are kept.
    pub find: Find,
    /// The columns of the position, where they are asked for by name.
    pub asked: Option<(&'a str, &'a str)>,
    /// All cones by the numbers of their targets, in their order.
    pub cones: &'a [(u64, SkyCone)],
}

impl UploadAnswers {
    /// Another run begins.
    pub fn clear(&mut self) {
        *self.state.get_mut() = UploadState::default();
    }

    /// What the query that `number` is in found of it; `None` when the interrupt ended it.
    pub fn of(
        &self,
        number: u64,
        query: &UploadQuery<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<(Finding, Option<Found>)> {
        let place = query.cones.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        let mut state = self.state.lock();
        let together = match state.together {
            Some(together) => together,
            None => *state.together.insert(query.together(cx)?),
        };
        let chunk = place / together;
        let answer = match state.by_chunk.entry(chunk) {
            Entry::Occupied(answer) => answer.into_mut(),
            Entry::Vacant(place) => {
                let cones = query.cones.chunks(together).nth(chunk)?;
                place.insert(query.ask(cones, cx)?)
            }
        };
        let found = answer.found.as_mut().map(|found| Found {
            columns: found.columns.clone(),
            has_position: found.has_position,
            is_whole: found.is_whole,
            rows: found.rows.remove(&number).unwrap_or_else(|| query.no_rows(&query.cones[place].1)),
        });
        Some((answer.finding.clone(), found))
    }
}

impl UploadQuery<'_> {
    fn no_rows(&self, cone: &SkyCone) -> ConeRows {
        ConeRows::new((cone.ra, cone.dec), cone.radius, self.find)
    }

    /// How many targets can be uploaded at a time; `None` when interrupted. Where the service
    /// does not say, the query is not worse off for it.
    fn together(&self, cx: &mut Cx<'_>) -> Option<usize> {
        if self.cones.len() <= FEW {
            return Some(FEW);
        }
        let mut limit = None;
        let service = &self.service.service;
        self.transport.settle(service, cx, |attempt, _| {
            let fetched = attempt.ask(self.service.below("capabilities"), ACCEPT, None);
            let answer = fetched.answer.as_ref().ok().filter(|answer| is_success(answer));
            let read = answer.and_then(|answer| read(answer, attempt.limit(), vo::read_capabilities).ok());
            limit = read.and_then(|read| read.of(vo::STANDARD_TAP)?.upload_limit);
        })?;
        let rows = match limit.unwrap_or(UploadLimit::Rows(TOGETHER as u64)) {
            UploadLimit::Rows(rows) => rows,
            UploadLimit::Bytes(bytes) => bytes.saturating_sub(FRAME_BYTES) / ROW_BYTES,
        };
        Some(usize::try_from(rows).unwrap_or(MOST).clamp(1, MOST))
    }

    fn ask(&self, cones: &[(u64, SkyCone)], cx: &mut Cx<'_>) -> Option<ChunkAnswer> {
        let mut found = None;
        let finding = self.transport.settle(&self.service.service, cx, |attempt, cx| {
            let mut taker = ManyCones {
                empty: cones.iter().map(|(number, cone)| (*number, self.no_rows(cone))).collect(),
                rows: HashMap::new(),
                columns: ConeColumns::default(),
                asked: self.asked,
            };
            let mut spent = |name, time| cx.spent(name, time);
            let answered = self.service.ask_all(cones, attempt, &mut spent, &mut taker);
            found = answered.map(|answered| ChunkRows {
                columns: answered.columns.into_iter().skip(1).collect(),
                has_position: taker.columns.position.is_some(),
                is_whole: answered.is_whole,
                rows: taker.rows,
            });
        })?;
        Some(ChunkAnswer { finding, found })
    }
}

/// Takes the rows of all, each to its target.
struct ManyCones<'a> {
    /// By the number of the target, before any row came.
    empty: HashMap<u64, ConeRows>,
    rows: HashMap<u64, ConeRows>,
    columns: ConeColumns,
    asked: Option<(&'a str, &'a str)>,
}

impl RowTaker for ManyCones<'_> {
    fn begin(&mut self, fields: &[Field]) {
        self.rows = self.empty.clone();
        self.columns = ConeColumns::of(fields, self.asked);
    }

    fn row(&mut self, row: &TableRow<'_>) -> Result<(), ParseError> {
        let number = row.text(0).and_then(|text| text.trim().parse().ok());
        let rows = number.and_then(|number: u64| self.rows.get_mut(&number));
        let Some(rows) = rows else {
            let text = format!("a row of no target: {:.40?} as its {UPLOAD_ID}", row.text(0));
            return Err(ParseError { kind: ParseErrorKind::BadValue, text });
        };
        rows.add(row, &self.columns, 1);
        Ok(())
    }
}
