//! How services are asked: within a time, again after failures that may pass, not too
//! many at a time of one host, through proxies.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::judge::note_travel;
use super::limit::PerHostLimit;
use super::pace::{HostPace, Reception, TaskPacer};
use super::{Service, Thresholds};
use crate::http::{
    BodyReader, Client, ConnectionPool, Deadline, Fetched, HttpError, HttpErrorKind, Pacer, Proxies, Request,
    RequestBody, Response, RetryAfter, Roots, Trust, Url,
};
use crate::moment::Moment;
use crate::process::Interrupt;
use crate::task::{Finding, Warning};
use crate::text::printable;
use crate::workload::row::paths;
use crate::workload::{Cx, Environment, Sharing};

/// The first wait before asking again, doubled each time, where the service does
/// not say how long.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// What can be chosen of that.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransportOptions {
    /// Time limit per service in seconds, retries included
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, allow_hyphen_values = true)]
    pub timeout: f64,
    /// Try again up to N times after a failure that may pass, within the timeout (parsim parallel --retries N: N tries in all)
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[serde(default)]
    pub retries: u32,
    /// Send at most K requests at a time to one host
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    #[serde(default)]
    pub per_host: Option<u32>,
    /// Trust the certificate authorities in FILE (PEM), too
    #[arg(long, value_name = "FILE")]
    #[serde(default, with = "paths")]
    pub cacert: Option<PathBuf>,
    /// Trust this system's certificate authorities instead of those that parsim brings
    #[arg(long)]
    #[serde(default)]
    pub system_roots: bool,
    /// When a service is too slow.
    #[command(flatten)]
    #[serde(flatten)]
    pub thresholds: Thresholds,
    /// Through whom services are asked, as the environment has it: where a run was
    /// made is no part of what was asked.
    #[arg(skip)]
    #[serde(default, skip_serializing)]
    pub proxies: Proxies,
}

impl TransportOptions {
    /// Takes in what the environment says.
    pub fn surround(&mut self, look: Environment<'_>) {
        self.proxies = Proxies::from_environment(look);
    }

    /// Adds what only another process on this machine is to know.
    pub fn complete(&self, spec: &mut Value) {
        if let Some(path) = &self.cacert {
            spec["cacert"] = paths::exact(path);
        }
        spec["proxies"] = json!(self.proxies);
    }

    /// Refuses what tasks cannot keep to that share nothing.
    ///
    /// # Errors
    /// When a limit was asked for that counts what all tasks do.
    pub fn check_sharing(&self, sharing: Sharing) -> anyhow::Result<()> {
        ensure!(
            sharing == Sharing::Memory || self.per_host.is_none(),
            "--per-host counts requests in one process: leave it out, or --workers and -S"
        );
        Ok(())
    }
}

/// Asks services.
#[derive(Debug)]
pub struct HttpTransport {
    client: Client,
    timeout: Duration,
    /// The timeout in words.
    limit: String,
    retries: u32,
    per_host: PerHostLimit,
    thresholds: Thresholds,
    /// How often a host is asked, where that is limited.
    pace: Option<HostPace>,
}

impl HttpTransport {
    /// Asks as `options` say, for answers of at most `most_bytes`, unpacked. Nobody is
    /// asked yet.
    ///
    /// # Errors
    /// When an option makes no sense.
    pub fn new(options: &TransportOptions, most_bytes: usize, user_agent: String) -> anyhow::Result<Self> {
        let seconds = options.timeout;
        ensure!(
            seconds > 0.0 && seconds <= 86_400.0,
            "--timeout {seconds}: give more than 0 seconds and at most a day"
        );
        let roots = if options.system_roots { Roots::System } else { Roots::Bundled };
        Ok(Self {
            client: Client {
                trust: Trust::new(roots, options.cacert.as_deref())?,
                user_agent,
                limit: most_bytes,
                proxies: options.proxies.clone(),
                pool: None,
            },
            timeout: Duration::from_secs_f64(seconds),
            limit: format!("{seconds} s"),
            retries: options.retries,
            per_host: PerHostLimit::new(options.per_host),
            thresholds: options.thresholds.clone(),
            pace: None,
        })
    }

    /// The same, and every host is asked as often as `pace` lets it.
    pub fn paced(self, pace: HostPace) -> Self {
        Self { pace: Some(pace), ..self }
    }

    /// The same, and connections are kept for further requests: for who is asked many times.
    pub fn with_connection_pool(mut self) -> Self {
        self.client.pool = Some(ConnectionPool::default());
        self
    }

    /// Closes the connections that are kept: a run begins as every other one does.
    pub fn close_idle(&self) {
        if let Some(pool) = &self.client.pool {
            pool.clear();
        }
    }

    /// Answers what its tasks ask of the process that began the run.
    pub fn answer(&self, question: Value) -> Value {
        self.pace.as_ref().map_or(Value::Null, |pace| pace.answer(question))
    }

    /// Refuses services behind a proxy that cannot be asked, before anybody is.
    ///
    /// # Errors
    /// When there is such a one; the text names its proxy.
    pub fn check(&self, services: &[Service]) -> anyhow::Result<()> {
        for service in services {
            self.client.proxies.check(&service.url()).map_err(|error| anyhow::anyhow!("{error}"))?;
        }
        Ok(())
    }

    /// Has `ask` find out what there is to know of `service`, and again as long as that
    /// is wanted and may help; `None` when the interrupt ended it.
    pub fn settle(
        &self,
        service: &Service,
        cx: &mut Cx<'_>,
        mut ask: impl FnMut(&mut Attempt<'_>, &mut Cx<'_>),
    ) -> Option<Finding> {
        let interrupt = cx.interrupt().clone();
        let host = service.url().host;
        let _permit = cx.timed("host_wait", |_| self.per_host.enter(&host, &interrupt))?;
        let consultant = cx.consultant();
        let from_client = |question| consultant.ask(question);
        self.ask_until_settled(service, &interrupt, &from_client, &mut |happening| match happening {
            Happening::Attempt(attempt) => ask(attempt, cx),
            Happening::Spent(name, time) => cx.spent(name, time),
            Happening::Settled(finding, total) => {
                self.thresholds.judge(finding, &|phase| cx.span(phase), total);
            }
        })
    }

    /// The same outside of a task, where this process is the one that began the run.
    pub fn settle_here(
        &self,
        service: &Service,
        interrupt: &Interrupt,
        mut ask: impl FnMut(&mut Attempt<'_>),
    ) -> Option<Finding> {
        let here = |question| Some(self.answer(question));
        self.ask_until_settled(service, interrupt, &here, &mut |happening| {
            if let Happening::Attempt(attempt) = happening {
                ask(attempt);
            }
        })
    }

    fn ask_until_settled(
        &self,
        service: &Service,
        interrupt: &Interrupt,
        client: &dyn Fn(Value) -> Option<Value>,
        happens: &mut dyn FnMut(Happening<'_, '_>),
    ) -> Option<Finding> {
        let time = Moment::now();
        let now = time.seconds();
        let pacer = self.pace.as_ref().map(|pace| TaskPacer::new(pace, client, interrupt));
        let mut deadline = Deadline::lasting(self.timeout, interrupt.clone());
        let mut before: Option<Finding> = None;
        for number in 1.. {
            let mut attempt = Attempt {
                transport: self,
                pacer: pacer.as_ref(),
                deadline,
                now,
                paced: Duration::ZERO,
                finding: Finding {
                    url: service.shown.made(printable),
                    name: service.name.as_ref().map(|name| name.made(printable)),
                    time: Some(time),
                    attempts: number,
                    ..Finding::default()
                },
                passing: Passing::No,
                is_interrupted: false,
                is_left_alone: false,
            };
            happens(Happening::Attempt(&mut attempt));
            let Attempt { mut finding, passing, is_interrupted, is_left_alone, paced, .. } = attempt;
            deadline = attempt.deadline;
            if !paced.is_zero() {
                happens(Happening::Spent("rate_wait", paced));
            }
            if is_interrupted {
                return None;
            }
            if is_left_alone {
                // What it said when it was asked says more.
                return Some(before.unwrap_or(Finding { attempts: 0, ..finding }));
            }
            if number > 1 {
                finding.warn(Warning::Retried);
            }
            let wait = if number > self.retries { None } else { passing.wait(number, now) };
            // What cannot come about in time is not waited for.
            let Some(wait) = wait.filter(|wait| *wait < deadline.left()) else {
                let total = self.timeout.saturating_sub(deadline.left());
                happens(Happening::Settled(&mut finding, total));
                return Some(finding);
            };
            before = Some(finding);
            let begun = Instant::now();
            let has_slept = interrupt.sleep(wait);
            happens(Happening::Spent("retry_wait", begun.elapsed()));
            if !has_slept {
                return None;
            }
        }
        None
    }
}

/// What happens until there is a finding.
enum Happening<'h, 'a> {
    /// It is asked.
    Attempt(&'h mut Attempt<'a>),
    /// That was waited.
    Spent(&'static str, Duration),
    /// This was found out in the end, and took so long.
    Settled(&'h mut Finding, Duration),
}

/// One attempt to find out what there is to know of a service, over as many requests as
/// that takes.
pub struct Attempt<'a> {
    transport: &'a HttpTransport,
    pacer: Option<&'a TaskPacer<'a>>,
    deadline: Deadline,
    /// How long requests waited until they might leave.
    paced: Duration,
    /// When services began to be asked, in seconds since 1970.
    pub now: i64,
    /// What was found out so far.
    pub finding: Finding,
    /// Whether asking again may help.
    passing: Passing,
    is_interrupted: bool,
    /// Whether a request was not sent, for its host is to be left alone.
    is_left_alone: bool,
}

impl<'a> Attempt<'a> {
    /// Asks for what is at `url`; `body` is sent where there is one.
    pub fn ask(&mut self, url: Url, accept: &str, body: Option<RequestBody<'_>>) -> Fetched {
        let fetched = self.transport.client.fetch(&self.request(url, accept, body), &self.deadline);
        self.note_pacing(&fetched);
        match &fetched.answer {
            Ok(Response { body: Err(error), .. }) | Err(error) => self.note_interrupt(error),
            Ok(_) => {}
        }
        fetched
    }

    /// The same, but the body of the answer is yet to be read: that it cannot be is to be
    /// [told](Self::broke_off).
    pub fn open(
        &mut self,
        url: Url,
        accept: &str,
        body: Option<RequestBody<'_>>,
    ) -> Fetched<Response<BodyReader>> {
        let opened = self.transport.client.open(&self.request(url, accept, body), &self.deadline);
        self.note_pacing(&opened);
        if let Err(error) = &opened.answer {
            self.note_interrupt(error);
        }
        opened
    }

    fn request<'r>(&self, url: Url, accept: &'r str, body: Option<RequestBody<'r>>) -> Request<'r>
    where
        'a: 'r,
    {
        let pacer: Option<&'r dyn Pacer> = self.pacer.map(|pacer| pacer as _);
        Request { url, accept, body, pacer }
    }

    fn note_pacing<A>(&mut self, fetched: &Fetched<A>) {
        self.paced += fetched.paced;
        self.deadline.at += fetched.paced;
    }

    /// There is no answer, which ends the task where the interrupt did it.
    fn note_interrupt(&mut self, error: &HttpError) {
        self.is_interrupted |= error.kind == HttpErrorKind::Interrupted;
        self.is_left_alone |= error.kind == HttpErrorKind::NotAsked;
    }

    /// What was found out hangs on an answer that was broken off like this.
    pub fn broke_off(&mut self, error: &HttpError) {
        self.note_interrupt(error);
        self.passing = Passing::of::<()>(Err(error));
    }

    /// The host took the last request so; whether it is left alone for a while because of
    /// that: then asking again may help, and waits for it.
    pub fn was_taken(&mut self, reception: Reception) -> bool {
        let is_refusal = self.pacer.is_some_and(|pacer| pacer.came(reception));
        if is_refusal {
            self.passing = Passing::Paced;
        }
        is_refusal
    }

    /// In how long to come back, if the answer says so.
    pub fn retry_after<B>(&self, answer: &Response<B>) -> Option<Duration> {
        answer.retry_after.map(|when| when.after(self.now))
    }

    /// What was found out so far counts no more: it is asked in another way.
    pub fn begin_again(&mut self) {
        self.passing = Passing::No;
        let Finding { url, name, attempts, .. } = std::mem::take(&mut self.finding);
        self.finding = Finding { url, name, attempts, ..Finding::default() };
    }

    /// Whether to go on.
    pub fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }

    /// The time there is, in words.
    pub fn limit(&self) -> &'a str {
        &self.transport.limit
    }

    /// Notes how an answer came here.
    pub fn note_travel<B>(&mut self, fetched: &Fetched<Response<B>>) {
        note_travel(fetched, &mut self.finding);
    }

    /// What was found out hangs on this answer: asking again may help if its failure
    /// may pass.
    pub fn hangs_on<B>(&mut self, fetched: &Fetched<Response<B>>) {
        self.passing = Passing::of(fetched.answer.as_ref());
    }

    /// Asking again helps nothing.
    pub fn is_settled(&mut self) {
        self.passing = Passing::No;
    }
}

/// Whether a failure may pass by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passing {
    /// There is none, or it stays.
    No,
    /// It may.
    Soon,
    /// It may, and the service says when.
    Then(RetryAfter),
    /// It may, and whoever paces requests says when.
    Paced,
}

impl Passing {
    fn of<B>(answer: Result<&Response<B>, &HttpError>) -> Self {
        match answer {
            Ok(answer) if matches!(answer.status, 429 | 500 | 502..=504) => {
                answer.retry_after.map_or(Self::Soon, Self::Then)
            }
            Err(error)
                if matches!(
                    error.kind,
                    HttpErrorKind::Refused
                        | HttpErrorKind::Reset
                        | HttpErrorKind::Closed
                        | HttpErrorKind::Proxy
                ) =>
            {
                Self::Soon
            }
            Ok(_) | Err(_) => Self::No,
        }
    }

    /// How long to wait after the attempt of this number.
    fn wait(self, number: u32, now: i64) -> Option<Duration> {
        match self {
            Self::No => None,
            Self::Soon => Some(FIRST_WAIT * 2_u32.saturating_pow(number - 1)),
            Self::Then(when) => Some(when.after(now)),
            Self::Paced => Some(Duration::ZERO),
        }
    }
}
