//! A service that is asked about cones: what is sent for one, and what its answer comes to.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rows::RowColumn;
use crate::http::{BodyReader, Fetched, HttpError, HttpErrorKind, Phase, RequestBody, Response, Url};
use crate::task::{ErrorClass, Finding, ServiceVerdict, Warning};
use crate::text::without_passwords;
use crate::vo::cone::{
    ConeAnswer, ConeProtocol, SkyCone, SkyTable, UPLOAD_NAME, scs_url, tap_form, upload, upload_parameter,
};
use crate::vo::votable::{Field, TableError, TableItem, TableLimits, TableReader, TableRow};
use crate::vo::{ParseError, ParseErrorKind};
use crate::workload::service::{
    Attempt, Reception, Service, bare_status_line, class_of, fail, in_words, is_success, no_document,
    status_line,
};

const ACCEPT: &str = "application/x-votable+xml, text/xml, */*;q=0.1";

/// So many bytes of an answer are looked at for the title of a page.
const HEAD: usize = 8 << 10;

/// Asks a cone search service for `TABLEDATA`: in what is binary, characters get lost.
const AS_TABLEDATA: &str = "&RESPONSEFORMAT=votabletd";

/// A query for all cones is to have all their rows: more than the service sends unasked.
const MOST_ROWS: u64 = 10_000_000;

/// How a service is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Table Access Protocol
    Tap,
    /// Simple Cone Search
    Scs,
}

impl From<Protocol> for ConeProtocol {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Tap => Self::Tap,
            Protocol::Scs => Self::Scs,
        }
    }
}

/// A service, and what is asked of it.
#[derive(Debug)]
pub struct ConeService {
    /// Who is asked.
    pub service: Service,
    /// How.
    pub protocol: Protocol,
    /// Which table, over TAP.
    pub table: SkyTable,
    /// How many columns, over Simple Cone Search.
    pub verbosity: Option<u8>,
    /// At most so many rows of each cone.
    pub most_rows: Option<u64>,
    /// The most bytes of an answer.
    pub most_bytes: usize,
    /// Whether a cone search service has refused to be asked for a format.
    pub knows_no_formats: AtomicBool,
}

/// Takes the rows of an answer.
pub trait RowTaker {
    /// The columns are these; rows that came before do not count.
    fn begin(&mut self, fields: &[Field]);

    /// The next row.
    ///
    /// # Errors
    /// When it makes no sense.
    fn row(&mut self, row: &TableRow<'_>) -> Result<(), ParseError>;
}

/// An answer with rows, which may be none.
#[derive(Debug)]
pub struct Answered {
    /// What its columns are.
    pub columns: Vec<RowColumn>,
    /// Whether these are all rows that there are.
    pub is_whole: bool,
}

impl ConeService {
    /// Asks for one cone. `None` where there is no answer, and the finding says why.
    pub fn ask(
        &self,
        cone: &SkyCone,
        attempt: &mut Attempt<'_>,
        spent: &mut dyn FnMut(&'static str, Duration),
        rows: &mut dyn RowTaker,
    ) -> Option<Answered> {
        match self.protocol {
            Protocol::Tap => {
                let form = tap_form(&self.table.cone_adql(cone), self.most_rows);
                self.exchange(self.sync(), Some(RequestBody::Form(&form)), attempt, spent, rows)
            }
            Protocol::Scs => {
                let plain = scs_url(self.service.given(), cone, self.verbosity, self.most_rows);
                let url = |text: &str| Url::parse(text).expect("a URL stays one with parameters behind it");
                if self.knows_no_formats.load(Ordering::Relaxed) {
                    return self.exchange(url(&plain), None, attempt, spent, rows);
                }
                let asked = url(&format!("{plain}{AS_TABLEDATA}"));
                let answered = self.exchange(asked, None, attempt, spent, rows);
                if answered.is_some() || !complains_of_format(&attempt.finding) {
                    return answered;
                }
                // What the standard does not have, some services refuse: whether it was that, the
                // plain request shows.
                attempt.begin_again();
                let answered = self.exchange(url(&plain), None, attempt, spent, rows);
                if answered.is_some() {
                    self.knows_no_formats.store(true, Ordering::Relaxed);
                }
                answered
            }
        }
    }

    /// Asks for all cones in one query, each by the number of its target.
    pub fn ask_all(
        &self,
        cones: &[(u64, SkyCone)],
        attempt: &mut Attempt<'_>,
        spent: &mut dyn FnMut(&'static str, Duration),
        rows: &mut dyn RowTaker,
    ) -> Option<Answered> {
        let first = cones.first()?.1.radius;
        let radius = cones.iter().all(|(_, cone)| cone.radius.to_bits() == first.to_bits()).then_some(first);
        let mut form = tap_form(&self.table.upload_adql(radius), Some(MOST_ROWS));
        form.push(upload_parameter());
        let table = upload(cones.iter().copied());
        let body = RequestBody::Upload(&form, UPLOAD_NAME, &table);
        self.exchange(self.sync(), Some(body), attempt, spent, rows)
    }

    /// Where queries are sent over TAP.
    pub fn sync(&self) -> Url {
        self.below("sync")
    }

    /// Where the resource `name` of a TAP service is.
    pub fn below(&self, name: &str) -> Url {
        let url = self.service.url();
        let path = url.path.trim_end_matches('/');
        url.with_path(&format!("{}/{name}", path.strip_suffix("/sync").unwrap_or(path)))
    }

    /// Sends a request, and reads what comes.
    pub fn exchange(
        &self,
        url: Url,
        body: Option<RequestBody<'_>>,
        attempt: &mut Attempt<'_>,
        spent: &mut dyn FnMut(&'static str, Duration),
        rows: &mut dyn RowTaker,
    ) -> Option<Answered> {
        let opened = attempt.open(url, ACCEPT, body);
        attempt.note_travel(&opened);
        attempt.hangs_on(&opened);
        let Fetched { mut phases, answer, proxy, .. } = opened;
        let came = match answer {
            Ok(answer) => {
                attempt.finding.status = Some(answer.status);
                attempt.finding.asked = Some(without_passwords(&answer.url.to_string()).as_str().into());
                let mut came = AnswerBody::of(answer);
                let read = came.read(self, rows);
                phases.add(Phase::Body, came.reader.took());
                Ok((came, read))
            }
            Err(error) => Err(error),
        };
        for phase in Phase::ALL {
            let time = phases.of(phase);
            if !time.is_zero() {
                spent(phase.name(), time);
            }
        }
        match came {
            Ok((came, read)) => Self::judge(came, read, proxy.is_some(), attempt),
            Err(error) => {
                Self::lost(&error, attempt);
                None
            }
        }
    }

    /// There is no answer.
    fn lost(error: &HttpError, attempt: &mut Attempt<'_>) {
        let is_gone =
            matches!(error.kind, HttpErrorKind::Refused | HttpErrorKind::Reset | HttpErrorKind::Closed);
        let refuses = is_gone && attempt.was_taken(Reception::Broken);
        let class = if refuses { ErrorClass::Rate } else { class_of(error) };
        let words = in_words(error, attempt.limit());
        let reason = if refuses { format!("{words}, though it had answered before") } else { words };
        fail(&mut attempt.finding, class, &reason);
    }

    /// What an answer comes to that was read as far as it could be.
    fn judge(
        came: AnswerBody,
        read: Result<(ConeAnswer, Vec<RowColumn>), TableError>,
        by_proxy: bool,
        attempt: &mut Attempt<'_>,
    ) -> Option<Answered> {
        let AnswerBody { head, reader, answer } = came;
        let (answer, ()) = answer.with_body(Ok(head));
        let is_page = matches!(&read, Err(TableError::Document(error)) if error.kind == ParseErrorKind::NotXml)
            && answer.body.as_ref().is_ok_and(|head| looks_like_page(head));
        let reception = match answer.status {
            403 | 429 => Reception::Denied(attempt.retry_after(&answer)),
            _ if is_page && is_success(&answer) => Reception::Broken,
            _ => Reception::Answered,
        };
        let fails = |attempt: &mut Attempt<'_>, class, reason: &str| {
            fail(&mut attempt.finding, class, reason);
            None
        };
        if answer.status == 407 && by_proxy {
            return fails(attempt, ErrorClass::Proxy, &format!("the proxy {}", status_line(&answer)));
        }
        if let Some(error) = reader.into_failure() {
            attempt.broke_off(&error);
            return fails(attempt, class_of(&error), &in_words(&error, attempt.limit()));
        }
        if attempt.was_taken(reception) {
            let reason = match &read {
                Err(error) if is_page && is_success(&answer) => {
                    format!("{error}, though it had answered before")
                }
                _ => bare_status_line(&answer),
            };
            return fails(attempt, ErrorClass::Rate, &reason);
        }
        let (said, columns) = match read {
            Ok((ConeAnswer::Failed(text), _)) if is_success(&answer) || !text.is_empty() => {
                let text = if text.is_empty() { "it gives no reason" } else { &text };
                return fails(attempt, ErrorClass::Query, text);
            }
            _ if !is_success(&answer) => return fails(attempt, ErrorClass::Http, &status_line(&answer)),
            Ok((ConeAnswer::NoTable(error), _)) | Err(TableError::Document(error)) => {
                let (class, why) = no_document(error);
                return fails(attempt, class, &why);
            }
            Err(TableError::TooLarge(why)) => return fails(attempt, ErrorClass::TooLarge, &why),
            Err(TableError::Input(error)) => return fails(attempt, ErrorClass::Closed, &error.to_string()),
            Ok(read) => read,
        };
        attempt.finding.verdict = ServiceVerdict::Up;
        match said {
            ConeAnswer::NoStatus => attempt.finding.warn(Warning::NoStatus),
            ConeAnswer::Overflow => attempt.finding.warn(Warning::Overflow),
            _ => {}
        }
        Some(Answered { columns, is_whole: said != ConeAnswer::Overflow })
    }
}

/// An answer's body, and its beginning.
struct AnswerBody {
    answer: Response<()>,
    reader: BodyReader,
    head: Vec<u8>,
}

impl AnswerBody {
    fn of(answer: Response<BodyReader>) -> Self {
        let (answer, reader) = answer.with_body(());
        Self { answer, reader, head: Vec::new() }
    }

    /// Reads it as a table.
    fn read(
        &mut self,
        asked: &ConeService,
        rows: &mut dyn RowTaker,
    ) -> Result<(ConeAnswer, Vec<RowColumn>), TableError> {
        let charset = self.answer.charset.clone();
        let limits = TableLimits { bytes: asked.most_bytes as u64, ..TableLimits::default() };
        let protocol = asked.protocol.into();
        let mut reader = TableReader::new(self, charset.as_deref(), limits);
        let mut columns = Vec::new();
        // A row of no cells may stand for one of very many.
        let mut n_cells = 0;
        loop {
            match reader.next()? {
                TableItem::Table(fields) => {
                    columns = fields.iter().map(RowColumn::of).collect();
                    n_cells = 0;
                    rows.begin(fields);
                }
                TableItem::Row(row) => {
                    n_cells += columns.len();
                    if n_cells > asked.most_bytes {
                        let most = asked.most_bytes;
                        return Err(TableError::TooLarge(format!("more than {most} cells")));
                    }
                    rows.row(&row)?;
                }
                TableItem::End(summary) => return Ok((ConeAnswer::of(summary, protocol), columns)),
            }
        }
    }
}

impl Read for AnswerBody {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(bytes)?;
        let kept = count.min(HEAD - self.head.len().min(HEAD));
        self.head.extend_from_slice(&bytes[..kept]);
        Ok(count)
    }
}

/// Whether the service found fault with the format that it was asked for.
fn complains_of_format(finding: &Finding) -> bool {
    let is_complaint = matches!(finding.class, Some(ErrorClass::Query | ErrorClass::Http));
    is_complaint && (finding.reason.to_ascii_lowercase().contains("format") || finding.status == Some(400))
}

/// Whether it is a page for people.
fn looks_like_page(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with("<!doctype html") || text.starts_with("<html")
}
