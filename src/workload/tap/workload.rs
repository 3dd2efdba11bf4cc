//! The workload: a task for each service and round.

use super::check::{CheckLevel, CheckQuery};
use super::demo;
use super::options::TapOptions;
use crate::task::{Outcome, Task, TaskInput};
use crate::workload::row::{augment, from_matches, from_spec};
use crate::workload::service::{DemoServer, HttpTransport, Service, services};
use crate::workload::{
    Cx, DefaultModes, Environment, Options, OutputFormat, Portable, Profile, Row, Sharing, Size, Tasks,
    Workload,
};

/// The most bytes of an answer, unpacked: availability documents have hundreds.
const MOST_BYTES: usize = 1 << 20;

/// More services than this are checked one way only unless both are asked for.
const FEW: usize = 16;

/// Public services that have been there for years, asked when none is named.
const USUAL: [&str; 4] = [
    "http://dc.g-vo.org/tap",
    "https://vo.astron.nl/tap",
    "http://voparis-tap-planeto.obspm.fr/tap",
    "http://simbad.cds.unistra.fr/simbad/sim-tap",
];

/// The row of the table of workloads.
pub const ROW: Row = Row {
    name: "tap-check",
    alias: Some("tap"),
    about: "The third exercise: is each TAP service available, and since when",
    examples: "Examples:\n  parsim tap --demo                       four services inside parsim: needs no network\n  parsim tap http://dc.g-vo.org/tap --query\n  parsim tap --urls FILE --format nagios  for cron: one line, status 0 to 3\n\nA service is up, down, or neither (error). Classes of error: refused, reset, closed, timeout, dns, tls, http,\nredirect, protocol, too-large, not-xml, bad-xml, unsafe-xml, wrong-doc, bad-value, proxy; login: a query asks for\na login; probe: it says it is up, and a query fails.\n\nProxies are taken from http_proxy, https_proxy, all_proxy and no_proxy, also in capitals (HTTP_PROXY is ignored):\nHTTP proxies only, and never for this machine itself.",
    augment: augment::<TapOptions>,
    from_matches: from_matches::<TapOptions>,
    from_spec: from_spec::<TapOptions>,
    formats: &[OutputFormat::JsonLines, OutputFormat::Nagios],
};

impl Options for TapOptions {
    fn surrounded_by(mut self, look: Environment<'_>) -> Self {
        self.transport.surround(look);
        self
    }

    fn build(self, sharing: Sharing) -> anyhow::Result<Box<dyn Workload>> {
        self.transport.check_sharing(sharing)?;
        Ok(Box::new(TapCheck::new(self)?))
    }
}

/// The workload: task i asks a service.
#[derive(Debug)]
pub struct TapCheck {
    options: TapOptions,
    services: Vec<Service>,
    transport: HttpTransport,
    level: CheckLevel,
    /// The services inside parsim, as long as they are needed.
    _demo: Vec<DemoServer>,
}

impl TapCheck {
    /// Reads and checks the list of services. Nobody is asked yet.
    ///
    /// # Errors
    /// When a URL cannot be asked, a file cannot be read, or an option makes no
    /// sense.
    pub fn new(options: TapOptions) -> anyhow::Result<Self> {
        let user_agent = format!("parsim/{} (IVOA-test)", env!("CARGO_PKG_VERSION"));
        let transport = HttpTransport::new(&options.transport, MOST_BYTES, user_agent)?;
        let (servers, services) = if options.demo {
            demo::start()?
        } else if options.urls.is_empty() && options.list.is_none() {
            (Vec::new(), services(&USUAL.map(str::to_owned), &[], None, false)?)
        } else {
            let list = options.list.as_deref();
            (Vec::new(), services(&options.urls, &options.names, list, options.header)?)
        };
        transport.check(&services)?;
        let query = match options.query.as_deref() {
            Some("") => Some(CheckQuery::Usual),
            Some(adql) => Some(CheckQuery::Own(adql.to_owned())),
            None => options.deep.then_some(CheckQuery::Usual),
        };
        let level = CheckLevel { query, deep: options.deep };
        Ok(Self { options, services, transport, level, _demo: servers })
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
            Ok(Task { spec: TaskInput::Part { item, part }, ..Task::numbered(seq, label) })
        }))
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        let Some(service) = self.service(task) else { return Outcome::Failed("no such service".to_owned()) };
        let found = self.transport.settle(service, cx, |attempt, cx| {
            self.level.check(&service.url, attempt, cx);
        });
        let Some(finding) = found else { return Outcome::Interrupted };
        cx.judged(finding.essence().as_bytes());
        let outcome = finding.outcome();
        cx.found(finding);
        outcome
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
            default_modes: if self.services.len() > FEW {
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
        self.options.transport.complete(&mut spec);
        spec
    }
}
