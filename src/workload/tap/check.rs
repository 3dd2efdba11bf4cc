//! One service, asked as far as the level goes: where it says whether it is
//! available, whether it answers a query, what it says it can do.

use super::availability::judge;
use crate::http::{Fetched, Phase, Phases, RequestBody, Url};
use crate::task::{ErrorClass, ServiceVerdict, SharedText, Warning};
use crate::vo::{self, Capabilities, RowCount};
use crate::workload::Cx;
use crate::workload::service::{
    Attempt, asks_for_login, fail, in_words, is_missing, is_success, kept_by_proxy, read, short, status_line,
};

/// How the reason begins where there is no such resource.
const NO_RESOURCE: &str = "no availability resource";

const ACCEPT_AVAILABILITY: &str = "text/xml, application/xml;q=0.9, */*;q=0.1";
const ACCEPT_TABLE: &str = "application/x-votable+xml, text/xml, */*;q=0.1";
const ACCEPT_DOCUMENT: &str = "text/xml, */*;q=0.1";

/// How far a service is asked.
#[derive(Clone, Debug, Default)]
pub(super) struct CheckLevel {
    /// A query, and whether its answer must have rows.
    pub(super) query: Option<CheckQuery>,
    /// Whether capabilities and tables are looked at.
    pub(super) deep: bool,
}

/// What a service is asked for.
#[derive(Clone, Debug)]
pub(super) enum CheckQuery {
    /// A query that has an answer everywhere.
    Usual,
    /// Of the user's own.
    Own(String),
}

impl CheckLevel {
    /// Asks the service at `url` as far as this goes.
    pub(super) fn check(&self, url: &Url, attempt: &mut Attempt<'_>, cx: &mut Cx<'_>) {
        let base = base(url);
        let phases = availability(&base, attempt);
        for phase in Phase::ALL {
            let time = phases.of(phase);
            if !time.is_zero() {
                cx.spent(phase.name(), time);
            }
        }
        if let Some(query) = &self.query
            && !attempt.is_interrupted()
        {
            cx.timed("query", |_| query.ask(&base, attempt));
        }
        if self.deep && !attempt.is_interrupted() {
            cx.timed("deep", |_| deep(&base, attempt));
        }
    }
}

/// Asks for the availability; how long that took.
fn availability(base: &Url, attempt: &mut Attempt<'_>) -> Phases {
    let mut phases = Phases::default();
    let mut ask = |url: &Url, attempt: &mut Attempt<'_>| {
        let fetched = attempt.ask(url.clone(), ACCEPT_AVAILABILITY, None);
        phases.add_all(&fetched.phases);
        fetched
    };
    let limit = attempt.limit();
    let mut asked = below(base, "availability");
    let mut fetched = ask(&asked, attempt);
    if is_missing(&fetched)
        && let Some(found) = elsewhere(base, limit, &mut |url| ask(url, attempt))
    {
        attempt.finding.warn(Warning::Location);
        (asked, fetched) = found;
    }
    attempt.finding.asked = Some(asked.to_string().into());
    judge(&fetched, attempt);
    let finding = &mut attempt.finding;
    // A document that says "down" is one, whatever its status.
    if is_missing(&fetched) && finding.says.is_none() {
        let reason = format!("{NO_RESOURCE}: {}", finding.reason);
        fail(finding, ErrorClass::Http, &reason);
    }
    attempt.hangs_on(&fetched);
    phases
}

/// The places where else it can be: beside the service, as some have it, or where the
/// capabilities say.
fn elsewhere(base: &Url, limit: &str, ask: &mut dyn FnMut(&Url) -> Fetched) -> Option<(Url, Fetched)> {
    if let Some((folder, _)) = base.path.trim_end_matches('/').rsplit_once('/') {
        let sibling = base.with_path(&format!("{folder}/availability"));
        let fetched = ask(&sibling);
        if fetched.answer.as_ref().is_ok_and(is_success) {
            return Some((sibling, fetched));
        }
    }
    let listed = ask(&below(base, "capabilities"));
    let answer = listed.answer.as_ref().ok().filter(|answer| is_success(answer))?;
    let capabilities = read(answer, limit, vo::read_capabilities).ok()?;
    let place = capabilities.of(vo::STANDARD_AVAILABILITY)?.urls.first()?.clone();
    let place = answer.url.join(&place).ok()?;
    let fetched = ask(&place);
    Some((place, fetched))
}

impl CheckQuery {
    /// Asks it, and takes the verdict back if that fails.
    fn ask(&self, base: &Url, attempt: &mut Attempt<'_>) {
        let finding = &attempt.finding;
        let has_none = finding.says.is_none() && finding.reason.starts_with(NO_RESOURCE);
        if !finding.verdict.is_up() && !has_none {
            return;
        }
        let adql = match self {
            Self::Usual => vo::QUERY,
            Self::Own(adql) => adql,
        };
        let form = vo::query_form(adql, 1);
        let fetched = attempt.ask(below(base, "sync"), ACCEPT_TABLE, Some(RequestBody::Form(&form)));
        attempt.note_travel(&fetched);
        let says = if has_none { "no availability resource, and" } else { "says it is up, but" };
        let answered = self.answered(&fetched, attempt);
        let finding = &mut attempt.finding;
        match answered {
            Ok(()) if has_none => {
                finding.verdict = ServiceVerdict::Up;
                finding.class = None;
                finding.reason = format!("{NO_RESOURCE}; a query is answered").into();
                finding.warn(Warning::NoAvailability);
            }
            Ok(()) => {}
            Err((class, why)) => {
                let class = if has_none && class == ErrorClass::Probe { ErrorClass::Http } else { class };
                fail(finding, class, &format!("{says} a query {why}"));
            }
        }
        if attempt.finding.verdict.is_up() {
            attempt.is_settled();
        } else {
            attempt.hangs_on(&fetched);
        }
    }

    /// Whether it was answered; why not, by its class and in words.
    fn answered(&self, fetched: &Fetched, attempt: &mut Attempt<'_>) -> Result<(), (ErrorClass, String)> {
        if let Ok(answer) = &fetched.answer
            && asks_for_login(answer)
        {
            return Err((ErrorClass::Login, status_line(answer)));
        }
        let fails = |class, why: &str| (class, format!("fails: {why}"));
        if let Some(why) = kept_by_proxy(fetched) {
            return Err(fails(ErrorClass::Proxy, &why));
        }
        let rows = counted(fetched, attempt.limit()).map_err(|why| fails(ErrorClass::Probe, &why))?;
        attempt.finding.rows = Some(rows);
        if matches!((self, rows), (Self::Usual, RowCount::Counted(0))) {
            let why = "the answer has no row, and a service has at least the table that was asked";
            return Err(fails(ErrorClass::Probe, why));
        }
        Ok(())
    }
}

/// The rows that a query brought; why none were, in words.
fn counted(fetched: &Fetched, limit: &str) -> Result<RowCount, String> {
    let answer = fetched.answer.as_ref().map_err(|error| in_words(error, limit))?;
    let read = match read(answer, limit, vo::read_answer) {
        Ok(read) => read,
        Err(_) if !is_success(answer) => return Err(status_line(answer)),
        Err((_, why)) => return Err(why),
    };
    if let Some(error) = read.failure() {
        return Err(error.text);
    }
    if !is_success(answer) {
        return Err(status_line(answer));
    }
    Ok(read.rows)
}

/// Looks at capabilities and tables.
fn deep(base: &Url, attempt: &mut Attempt<'_>) {
    if !attempt.finding.verdict.is_up() {
        return;
    }
    if let Err((class, why)) = capable(base, attempt) {
        // Without the resource it was a query that spoke for it.
        let says = match attempt.finding.says {
            Some(_) => "says it is up",
            None => "no availability resource; a query is answered",
        };
        return fail(&mut attempt.finding, class, &format!("{says}, but its capabilities {why}"));
    }
    // The list of tables may be anywhere or missing: TAP only recommends it.
    let fetched = document(&below(base, "tables").with_query("detail=min"), attempt);
    match document_of(&fetched, attempt.limit(), vo::read_tables) {
        Ok(tables) => attempt.finding.tables = Some(tables.names.len()),
        Err(_) => attempt.finding.warn(Warning::Tables),
    }
}

/// Whether its capabilities have it that it is a TAP service; if not, what is the
/// matter with them.
fn capable(base: &Url, attempt: &mut Attempt<'_>) -> Result<(), (ErrorClass, String)> {
    let fetched = document(&below(base, "capabilities"), attempt);
    if let Some(why) = kept_by_proxy(&fetched) {
        attempt.hangs_on(&fetched);
        return Err((ErrorClass::Proxy, format!("cannot be read: {why}")));
    }
    let capabilities = match document_of(&fetched, attempt.limit(), vo::read_capabilities) {
        Ok(capabilities) => capabilities,
        Err(why) => {
            attempt.hangs_on(&fetched);
            let is_login = fetched.answer.as_ref().is_ok_and(asks_for_login);
            let class = if is_login { ErrorClass::Login } else { ErrorClass::Probe };
            return Err((class, format!("cannot be read: {why}")));
        }
    };
    attempt.finding.capabilities = standards(&capabilities);
    let tap = capabilities.of(vo::STANDARD_TAP);
    tap.map(drop).ok_or_else(|| (ErrorClass::Probe, format!("do not name {}", vo::STANDARD_TAP)))
}

/// So many standards of a service are kept.
const STANDARDS: usize = 40;

/// The standards that a service says it follows, each with its version.
fn standards(capabilities: &Capabilities) -> Box<[SharedText]> {
    let named = capabilities.list.iter().filter(|it| !it.standard.is_empty());
    let told = named.map(|it| match &it.version {
        Some(version) => short(&format!("{} {version}", it.standard)),
        None => short(&it.standard),
    });
    told.take(STANDARDS).map(SharedText::from).collect()
}

fn document(url: &Url, attempt: &mut Attempt<'_>) -> Fetched {
    let fetched = attempt.ask(url.clone(), ACCEPT_DOCUMENT, None);
    attempt.note_travel(&fetched);
    fetched
}

/// What a document says; why it says nothing, in words.
fn document_of<T>(
    fetched: &Fetched,
    limit: &str,
    reader: impl FnOnce(&[u8], Option<&str>) -> Result<T, vo::ParseError>,
) -> Result<T, String> {
    let answer = fetched.answer.as_ref().map_err(|error| in_words(error, limit))?;
    if !is_success(answer) {
        return Err(status_line(answer));
    }
    read(answer, limit, reader).map_err(|(_, why)| why)
}

/// The service's own place, where the user may have given that of its
/// availability; without a query, as other clients of TAP have it.
fn base(url: &Url) -> Url {
    let path = url.path.trim_end_matches('/');
    url.with_path(path.strip_suffix("/availability").unwrap_or(path))
}

fn below(base: &Url, name: &str) -> Url {
    base.with_path(&format!("{}/{name}", base.path.trim_end_matches('/')))
}
