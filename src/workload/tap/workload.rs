//! The workload: a task for each service and round.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::ensure;

use super::check::{Check, Checked, Level, Passing, Query, spans};
use super::demo::Demo;
use super::finding::{Finding, Verdict, Warning};
use super::options::TapOptions;
use super::per_host::PerHostLimit;
use super::services::{Service, services};
use crate::http::{Client, Deadline, Proxies, RetryAfter, Roots, Trust};
use crate::task::{Outcome, Task, TaskInput};
use crate::workload::{
    Cx, DefaultModes, Environment, Options, Portable, Profile, Row, Sharing, Size, Tasks, Workload, augment,
    from_matches, from_spec, paths,
};

/// The most bytes of an answer, unpacked: availability documents have hundreds.
const LIMIT: usize = 1 << 20;

/// More services than this are checked one way only unless both are asked for.
const FEW: usize = 16;

/// The first wait before asking again, doubled each time, where the service does
/// not say how long.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The row of the table of workloads.
pub const ROW: Row = Row {
    name: "tap-check",
    alias: Some("tap"),
    about: "The third exercise: is each TAP service available, and since when",
    examples: "Examples:\n  parsim tap --demo                       four services inside parsim: needs no network\n  parsim tap http://dc.g-vo.org/tap --query\n  parsim tap --urls FILE --format nagios  for cron: one line, status 0 to 3\n\nA service is up, down, or neither (error). Classes of error: refused, reset, closed, timeout, dns, tls, http,\nredirect, protocol, too-large, not-xml, bad-xml, unsafe-xml, wrong-doc, bad-value, proxy; login: a query asks for\na login; probe: it says it is up, and a query fails.\n\nProxies are taken from http_proxy, https_proxy, all_proxy and no_proxy, also in capitals (HTTP_PROXY is ignored):\nHTTP proxies only, and never for this machine itself.",
    augment: augment::<TapOptions>,
    from_matches: from_matches::<TapOptions>,
    from_spec: from_spec::<TapOptions>,
};

impl Options for TapOptions {
    fn surrounded_by(self, look: Environment<'_>) -> Self {
        Self { proxies: Proxies::from_environment(look), ..self }
    }

    fn build(self, sharing: Sharing) -> anyhow::Result<Box<dyn Workload>> {
        ensure!(
            sharing == Sharing::Memory || self.per_host.is_none(),
            "--per-host counts requests in one process: leave it out, or --workers"
        );
        Ok(Box::new(TapCheck::new(self)?))
    }
}

/// The workload: task i asks a service.
#[derive(Debug)]
pub struct TapCheck {
    options: TapOptions,
    services: Vec<Service>,
    client: Client,
    level: Level,
    timeout: Duration,
    /// The timeout in words.
    limit: String,
    per_host: PerHostLimit,
    /// The services inside parsim, as long as they are needed.
    _demo: Option<Demo>,
}

impl TapCheck {
    /// Reads and checks the list of services. Nobody is asked yet.
    ///
    /// # Errors
    /// When a URL cannot be asked, a file cannot be read, or an option makes no
    /// sense.
    pub fn new(options: TapOptions) -> anyhow::Result<Self> {
        let seconds = options.timeout;
        ensure!(
            seconds > 0.0 && seconds <= 86_400.0,
            "--timeout {seconds}: give more than 0 seconds and at most a day"
        );
        let timeout = Duration::from_secs_f64(seconds);
        let (demo, services) = if options.demo {
            let (demo, services) = Demo::start()?;
            (Some(demo), services)
        } else {
            (None, services(&options)?)
        };
        let roots = if options.system_roots { Roots::System } else { Roots::Bundled };
        let client = Client {
            trust: Trust::new(roots, options.cacert.as_deref())?,
            user_agent: format!("parsim/{} (IVOA-test)", env!("CARGO_PKG_VERSION")),
            limit: LIMIT,
            proxies: options.proxies.clone(),
        };
        // A proxy that cannot be asked is told before anybody is.
        for service in &services {
            client.proxies.check(&service.url).map_err(|trouble| anyhow::anyhow!("{trouble}"))?;
        }
        let query = match options.query.as_deref() {
            Some("") => Some(Query::Usual),
            Some(adql) => Some(Query::Own(adql.to_owned())),
            None => options.deep.then_some(Query::Usual),
        };
        let level = Level { query, deep: options.deep };
        let per_host = PerHostLimit::new(options.per_host);
        Ok(Self {
            services,
            client,
            level,
            timeout,
            limit: format!("{seconds} s"),
            per_host,
            _demo: demo,
            options,
        })
    }

    fn names_nothing(&self) -> String {
        let place = self.options.list.as_deref().map_or_else(String::new, |list| match list.to_str() {
            Some("-") => " on standard input".to_owned(),
            _ => format!(" into {}", list.display()),
        });
        format!("the list names no service: write URLs{place}, one a line")
    }

    fn service(&self, task: &Task) -> Option<&Service> {
        let TaskInput::Part { item, .. } = task.spec else { return None };
        self.services.get(usize::try_from(item).ok()?)
    }

    /// Asks, and asks again as long as that is wanted and may help.
    fn ask(&self, service: &Service, cx: &mut Cx<'_>) -> Option<Finding> {
        let interrupt = cx.interrupt().clone();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let check = Check {
            client: &self.client,
            level: &self.level,
            budget: Deadline::lasting(self.timeout, interrupt.clone()),
            now: i64::try_from(now).unwrap_or(i64::MAX),
            limit: &self.limit,
        };
        for attempt in 1.. {
            let mut checked = check.availability(service);
            for (name, time) in spans(&checked.phases) {
                cx.spent(name, time);
            }
            if self.level.query.is_some() && !checked.interrupted {
                cx.timed("query", |_| check.query(service, &mut checked));
            }
            if self.level.deep && !checked.interrupted {
                cx.timed("deep", |_| check.deep(service, &mut checked));
            }
            let Checked { mut finding, passing, interrupted, .. } = checked;
            if interrupted {
                return None;
            }
            finding.attempts = attempt;
            if attempt > 1 {
                finding.warn(Warning::Retried);
            }
            let wait = match passing {
                _ if attempt > self.options.retries => None,
                Passing::No => None,
                Passing::Soon => Some(FIRST_WAIT * 2_u32.saturating_pow(attempt - 1)),
                Passing::Then(RetryAfter::In(time)) => Some(time),
                Passing::Then(RetryAfter::At(date)) => {
                    Some(Duration::from_secs(u64::try_from(date - check.now).unwrap_or(0)))
                }
            };
            // What cannot come about in time is not waited for.
            let Some(wait) = wait.filter(|wait| *wait < check.budget.left()) else { return Some(finding) };
            if !cx.timed("retry_wait", |_| interrupt.sleep(wait)) {
                return None;
            }
        }
        None
    }
}

impl Workload for TapCheck {
    fn name(&self) -> &str {
        ROW.name
    }

    fn tasks(&self) -> Tasks<'_> {
        let n_services = self.services.len() as u64;
        let rounds = u64::from(self.options.repeat);
        Box::new((0..rounds * n_services).map(move |seq| {
            let (part, item) = (seq / n_services, seq % n_services);
            let service = usize::try_from(item).ok().and_then(|item| self.services.get(item));
            let label = service.map(Service::label).unwrap_or_default().to_owned();
            Ok(Task { spec: TaskInput::Part { item, part }, ..Task::new(seq, label) })
        }))
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        let Some(service) = self.service(task) else { return Outcome::Failed("no such service".to_owned()) };
        let interrupt = cx.interrupt().clone();
        let entered = cx.timed("host_wait", |_| self.per_host.enter(&service.url.host, &interrupt));
        let Some(inside) = entered else { return Outcome::Interrupted };
        let finding = self.ask(service, cx);
        drop(inside);
        let Some(finding) = finding else { return Outcome::Interrupted };
        cx.judged(finding.essence().as_bytes());
        for (name, value) in finding.facts() {
            cx.fact(name, value);
        }
        if finding.verdict == Verdict::Up.name() {
            return Outcome::Success;
        }
        let class = if finding.class.is_empty() { &finding.verdict } else { &finding.class };
        Outcome::Failed(format!("{class}: {}", finding.reason))
    }

    fn profile(&self) -> Profile {
        let tasks = self.services.len() as u64 * u64::from(self.options.repeat);
        Profile {
            unit: "service",
            size: Size { tasks: Some(tasks), bytes: None },
            waits: true,
            // A connection, and its other end where the service is parsim's own; and what
            // looks its name up meanwhile.
            opens: 4,
            external: true,
            default_modes: if self.options.format != "text" {
                DefaultModes::ParallelFor("a machine reads it")
            } else if self.services.len() > FEW {
                DefaultModes::ParallelFor("more than 16 services")
            } else {
                DefaultModes::Both
            },
            remarks: if self.services.is_empty() { vec![self.names_nothing()] } else { Vec::new() },
            ..Profile::default()
        }
    }

    fn portable(&self) -> Option<&dyn Portable> {
        Some(self)
    }
}

impl Portable for TapCheck {
    /// Without passwords, for it is written into reports.
    fn spec(&self) -> serde_json::Value {
        let (urls, names) = if self.options.demo {
            Default::default()
        } else {
            self.services.iter().map(|service| (service.shown.clone(), service.name.clone())).unzip()
        };
        let names: Vec<Option<String>> = names;
        let names = if names.iter().all(Option::is_none) { Vec::new() } else { names };
        serde_json::json!(TapOptions { urls, names, list: None, header: false, ..self.options.clone() })
    }

    /// The services themselves, wherever they were named: those of --demo are in
    /// this process.
    fn wire_spec(&self) -> serde_json::Value {
        let urls = self.services.iter().map(|service| service.given.clone()).collect();
        let names = self.services.iter().map(|service| service.name.clone()).collect();
        let options =
            TapOptions { urls, names, list: None, header: false, demo: false, ..self.options.clone() };
        let mut spec = serde_json::json!(options);
        if let Some(path) = &self.options.cacert {
            spec["cacert"] = paths::exact(path);
        }
        spec["proxies"] = serde_json::json!(self.options.proxies);
        spec
    }
}
