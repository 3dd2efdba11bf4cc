//! One service, asked as far as the level goes: where it says whether it is
//! available, whether it answers a query, what it says it can do.

use super::finding::{Class, Finding, Verdict, Warning};
use super::judge::{
    self, Unread, asks_for_login, failed, is_success, judge, kept_by_proxy, status_line, told, travelled,
};
use super::services::Service;
use crate::http::{
    Client, Deadline, Fetched, HttpErrorKind, Phase, Phases, Request, Response, RetryAfter, Url,
};
use crate::text::printable;
use crate::vo::{self, Rows};

/// How the reason begins where there is no such resource.
const NO_RESOURCE: &str = "no availability resource";

/// How far a service is asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Level {
    /// A query, and whether its answer must have rows.
    pub(super) query: Option<Query>,
    /// Whether capabilities and tables are looked at.
    pub(super) deep: bool,
}

/// What a service is asked for.
#[derive(Clone, Debug)]
pub(super) enum Query {
    /// A query that has an answer everywhere.
    Usual,
    /// Of the user's own.
    Own(String),
}

/// Asks one service.
pub(super) struct Check<'a> {
    pub(super) client: &'a Client,
    pub(super) level: &'a Level,
    pub(super) budget: Deadline,
    /// Seconds since 1970.
    pub(super) now: i64,
    /// The time there is, in words.
    pub(super) limit: &'a str,
}

/// Whether a failure may pass by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passing {
    /// There is none, or it stays.
    No,
    /// It may.
    Soon,
    /// It may, and the service says when.
    Then(RetryAfter),
}

/// What asking came to.
pub(super) struct Checked {
    pub(super) finding: Finding,
    /// Times of the requests for the availability.
    pub(super) phases: Phases,
    /// Whether asking again may help, and when.
    pub(super) passing: Passing,
    /// Whether the interrupt ended it.
    pub(super) interrupted: bool,
}

impl Check<'_> {
    /// Asks for the availability.
    pub(super) fn availability(&self, service: &Service) -> Checked {
        let base = base(&service.url);
        let mut checked = Checked {
            finding: Finding {
                url: printable(&service.shown),
                name: service.name.as_deref().map(printable),
                attempts: 1,
                ..Finding::default()
            },
            phases: Phases::default(),
            passing: Passing::No,
            interrupted: false,
        };
        let first = below(&base, "availability");
        let mut fetched = self.ask(&first, &mut checked);
        let mut asked = first;
        if is_missing(&fetched)
            && let Some((elsewhere, found)) = self.elsewhere(&base, &mut checked)
        {
            checked.finding.warn(Warning::Location);
            (asked, fetched) = (elsewhere, found);
        }
        checked.finding.asked = Some(asked.to_string());
        judge(&fetched, self.now, self.limit, &mut checked.finding);
        // A document that says "down" is one, whatever its status.
        if is_missing(&fetched) && checked.finding.available.is_none() {
            let reason = format!("{NO_RESOURCE}: {}", checked.finding.reason);
            failed(&mut checked.finding, Class::Http, &reason);
        }
        checked.passing = passing(&fetched);
        checked
    }

    /// The places where else it can be: beside the service, as some have it, or
    /// where the capabilities say.
    fn elsewhere(&self, base: &Url, checked: &mut Checked) -> Option<(Url, Fetched)> {
        if let Some((folder, _)) = base.path.trim_end_matches('/').rsplit_once('/') {
            let sibling = base.with_path(&format!("{folder}/availability"));
            let fetched = self.ask(&sibling, checked);
            if fetched.answer.as_ref().is_ok_and(is_success) {
                return Some((sibling, fetched));
            }
        }
        let listed = self.ask(&below(base, "capabilities"), checked);
        let answer = listed.answer.as_ref().ok().filter(|answer| is_success(answer))?;
        let capabilities = judge::read(answer, vo::read_capabilities).ok()?;
        let place = capabilities.of(vo::STANDARD_AVAILABILITY)?.urls.first()?.clone();
        let place = answer.url.join(&place).ok()?;
        let fetched = self.ask(&place, checked);
        Some((place, fetched))
    }

    fn ask(&self, url: &Url, checked: &mut Checked) -> Fetched {
        let request =
            Request { url: url.clone(), accept: "text/xml, application/xml;q=0.9, */*;q=0.1", form: None };
        let fetched = self.client.fetch(&request, &self.budget);
        checked.phases.add_all(&fetched.phases);
        checked.interrupted |= is_interrupted(&fetched);
        fetched
    }

    /// Asks a query, if the level has one, and takes the verdict back if it fails.
    pub(super) fn query(&self, service: &Service, checked: &mut Checked) {
        let Some(query) = &self.level.query else { return };
        let finding = &mut checked.finding;
        let is_missing = finding.available.is_none() && finding.reason.starts_with(NO_RESOURCE);
        if finding.verdict != Verdict::Up.name() && !is_missing {
            return;
        }
        let adql = match query {
            Query::Usual => vo::QUERY,
            Query::Own(adql) => adql,
        };
        let form = vo::query_form(adql, 1);
        let url = below(&base(&service.url), "sync");
        let request =
            Request { url, accept: "application/x-votable+xml, text/xml, */*;q=0.1", form: Some(&form) };
        let fetched = self.client.fetch(&request, &self.budget);
        checked.interrupted |= is_interrupted(&fetched);
        travelled(&fetched, self.now, finding);
        let says = if is_missing { "no availability resource, and" } else { "says it is up, but" };
        match self.answered(&fetched, query, finding) {
            Ok(()) if is_missing => {
                Verdict::Up.name().clone_into(&mut finding.verdict);
                finding.class.clear();
                format!("{NO_RESOURCE}; a query is answered").clone_into(&mut finding.reason);
                finding.warn(Warning::NoAvailability);
            }
            Ok(()) => {}
            Err(Unanswered::Login(line)) => failed(finding, Class::Login, &format!("{says} a query {line}")),
            Err(Unanswered::Proxy(why)) => {
                failed(finding, Class::Proxy, &format!("{says} a query fails: {why}"));
            }
            Err(Unanswered::Otherwise(why)) => {
                let class = if is_missing { Class::Http } else { Class::Probe };
                failed(finding, class, &format!("{says} a query fails: {why}"));
            }
        }
        let is_up = checked.finding.verdict == Verdict::Up.name();
        checked.passing = if is_up { Passing::No } else { passing(&fetched) };
    }

    /// Whether the query was answered; why not, in words.
    fn answered(&self, fetched: &Fetched, query: &Query, finding: &mut Finding) -> Result<(), Unanswered> {
        if let Ok(answer) = &fetched.answer
            && asks_for_login(answer)
        {
            return Err(Unanswered::Login(status_line(answer)));
        }
        if let Some(why) = kept_by_proxy(fetched) {
            return Err(Unanswered::Proxy(why));
        }
        self.counted(fetched, query, finding).map_err(Unanswered::Otherwise)
    }

    /// The same where nobody asks for a login; the rows are noted.
    fn counted(&self, fetched: &Fetched, query: &Query, finding: &mut Finding) -> Result<(), String> {
        let answer = fetched.answer.as_ref().map_err(|trouble| told(trouble, self.limit))?;
        let read = match judge::read(answer, vo::read_answer) {
            Ok(read) => read,
            Err(_) if !is_success(answer) => return Err(status_line(answer)),
            Err(Unread::HttpError(trouble)) => return Err(told(&trouble, self.limit)),
            Err(Unread::ParseError(flaw)) => return Err(flaw.text),
        };
        if let Some(flaw) = read.failure() {
            return Err(flaw.text);
        }
        if !is_success(answer) {
            return Err(status_line(answer));
        }
        finding.rows = Some(match read.rows {
            Rows::Counted(count) => count.to_string(),
            Rows::Some => "some".to_owned(),
        });
        match (query, read.rows) {
            (Query::Usual, Rows::Counted(0)) => {
                Err("the answer has no row, and a service has at least the table that was asked".to_owned())
            }
            (Query::Usual | Query::Own(_), _) => Ok(()),
        }
    }

    /// Looks at capabilities and tables, if the level goes so far.
    pub(super) fn deep(&self, service: &Service, checked: &mut Checked) {
        if !self.level.deep || checked.finding.verdict != Verdict::Up.name() {
            return;
        }
        let base = base(&service.url);
        if let Err((class, why)) = self.capable(&base, checked) {
            // Without the resource it was a query that spoke for it.
            let says = match checked.finding.available {
                Some(_) => "says it is up",
                None => "no availability resource; a query is answered",
            };
            return failed(&mut checked.finding, class, &format!("{says}, but its capabilities {why}"));
        }
        // The list of tables may be anywhere or missing: TAP only recommends it.
        let fetched = self.document(&below(&base, "tables").with_query("detail=min"), checked);
        match self.read(&fetched, vo::read_tables) {
            Ok(tables) => checked.finding.tables = Some(tables.names.len()),
            Err(_) => checked.finding.warn(Warning::Tables),
        }
    }

    /// Whether its capabilities have it that it is a TAP service; if not, what is the
    /// matter with them.
    fn capable(&self, base: &Url, checked: &mut Checked) -> Result<(), (Class, String)> {
        let fetched = self.document(&below(base, "capabilities"), checked);
        if let Some(why) = kept_by_proxy(&fetched) {
            checked.passing = passing(&fetched);
            return Err((Class::Proxy, format!("cannot be read: {why}")));
        }
        let capabilities = match self.read(&fetched, vo::read_capabilities) {
            Ok(capabilities) => capabilities,
            Err(why) => {
                checked.passing = passing(&fetched);
                let is_login = fetched.answer.as_ref().is_ok_and(asks_for_login);
                let class = if is_login { Class::Login } else { Class::Probe };
                return Err((class, format!("cannot be read: {why}")));
            }
        };
        let tap = capabilities.of(vo::STANDARD_TAP);
        tap.map(drop).ok_or_else(|| (Class::Probe, format!("do not name {}", vo::STANDARD_TAP)))
    }

    fn document(&self, url: &Url, checked: &mut Checked) -> Fetched {
        let request = Request { url: url.clone(), accept: "text/xml, */*;q=0.1", form: None };
        let fetched = self.client.fetch(&request, &self.budget);
        checked.interrupted |= is_interrupted(&fetched);
        travelled(&fetched, self.now, &mut checked.finding);
        fetched
    }

    /// What a document says; why it says nothing, in words.
    fn read<T>(
        &self,
        fetched: &Fetched,
        reader: impl FnOnce(&[u8], Option<&str>) -> Result<T, vo::ParseError>,
    ) -> Result<T, String> {
        let answer = fetched.answer.as_ref().map_err(|trouble| told(trouble, self.limit))?;
        if !is_success(answer) {
            return Err(status_line(answer));
        }
        judge::read(answer, reader).map_err(|unread| match unread {
            Unread::HttpError(trouble) => told(&trouble, self.limit),
            Unread::ParseError(flaw) => flaw.text,
        })
    }
}

/// Why a query was not answered.
enum Unanswered {
    /// Only who logs in is; the status in words.
    Login(String),
    /// A proxy let nothing through; why, in words.
    Proxy(String),
    /// For another reason.
    Otherwise(String),
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

/// Whether there is no such resource, as far as statuses go.
fn is_missing(fetched: &Fetched) -> bool {
    fetched.answer.as_ref().is_ok_and(|answer| matches!(answer.status, 404 | 405 | 410 | 501))
}

fn is_interrupted(fetched: &Fetched) -> bool {
    let is_it = |kind| kind == HttpErrorKind::Interrupted;
    match &fetched.answer {
        Ok(Response { body: Err(trouble), .. }) | Err(trouble) => is_it(trouble.kind),
        Ok(_) => false,
    }
}

/// Whether a failure may pass by itself, and when the service says so.
fn passing(fetched: &Fetched) -> Passing {
    match &fetched.answer {
        Ok(answer) if matches!(answer.status, 429 | 500 | 502..=504) => {
            answer.retry_after.map_or(Passing::Soon, Passing::Then)
        }
        Err(trouble)
            if matches!(
                trouble.kind,
                HttpErrorKind::Refused | HttpErrorKind::Reset | HttpErrorKind::Closed | HttpErrorKind::Proxy
            ) =>
        {
            Passing::Soon
        }
        Ok(_) | Err(_) => Passing::No,
    }
}

/// All phases as spans of the record.
pub(super) fn spans(phases: &Phases) -> impl Iterator<Item = (&'static str, std::time::Duration)> + '_ {
    Phase::ALL.into_iter().map(|phase| (phase.name(), phases.of(phase))).filter(|(_, time)| !time.is_zero())
}
