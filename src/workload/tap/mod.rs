//! The third exercise: is each TAP service available, and since when.
//!
//! A task asks one service, over a fresh connection. What it found out is its record's
//! finding, the time of each phase is in its spans; a service that is not up is a
//! failed task. Nothing is printed here.

mod availability;
mod check;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

use self::check::{CheckLevel, CheckQuery};
use super::service::{DemoServer, HttpTransport, Service, TransportOptions, services};
use super::{
    Cx, DefaultModes, Environment, Options, OutputFormat, Portable, Profile, Row, Sharing, Size, Tasks,
    Workload,
};
use crate::study::Parameters;
use crate::task::{Outcome, Task, TaskInput};

/// The most bytes of an answer, unpacked: availability documents have hundreds.
const MOST_BYTES: usize = 1 << 20;

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
    examples: "Examples:\n  parsim tap --demo                       four services inside parsim: needs no network\n  parsim tap --demo --compare             the same one at a time, too, side by side\n  parsim tap http://dc.g-vo.org/tap --query\n  parsim tap --urls FILE --format nagios  for cron: one line, status 0 to 3\n\nA service is up, down, or neither (error). Classes of error: refused,\nreset, closed, timeout, dns, tls, http, redirect, protocol, too-large, not-xml,\nbad-xml, unsafe-xml, wrong-doc, bad-value, proxy; login: a query needs a login;\nprobe: the service says it is up, and a query fails; slow, expiring: it is up,\nand beyond --crit-latency or --crit-expiry.\n\nProxies are taken from http_proxy, https_proxy, all_proxy and no_proxy, also in\ncapitals (HTTP_PROXY is ignored): HTTP proxies only, and never for this machine.",
    formats: &[OutputFormat::JsonLines, OutputFormat::Nagios],
    ..Row::of::<TapOptions>()
};

/// What can be chosen.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapOptions {
    /// The services' URLs (without any: four public ones)
    #[arg(value_name = "URL")]
    pub urls: Vec<String>,
    /// Read URLs from FILE, one a line (- is stdin); blank lines and # comments are ignored
    #[arg(long = "urls", value_name = "FILE")]
    #[serde(default)]
    pub list: Option<PathBuf>,
    /// FILE is CSV whose first line names the columns: url, and name where there is one
    #[arg(long, requires = "list")]
    #[serde(default)]
    pub header: bool,
    /// Check four services inside parsim, which take 0.1 to 0.4 s: needs no network
    #[arg(long, conflicts_with_all = ["urls", "list"])]
    #[serde(default)]
    pub demo: bool,
    /// Send a query, too, and judge by its status (your own: --query=ADQL)
    #[arg(long, value_name = "ADQL", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    #[serde(default)]
    pub query: Option<String>,
    /// Do all that --query does, and check capabilities and tables
    #[arg(long)]
    #[serde(default)]
    pub deep: bool,
    /// Check each service N times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    #[serde(default = "once")]
    pub repeat: u32,
    /// How services are asked
    #[command(flatten)]
    #[serde(flatten)]
    pub transport: TransportOptions,
    /// What to call the services of a saved list, in the order of `urls`
    #[arg(skip)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Option<String>>,
}

fn once() -> u32 {
    1
}

impl Options for TapOptions {
    fn surrounded_by(mut self, look: Environment<'_>) -> Self {
        self.transport.surround(look);
        self
    }

    fn build(self, sharing: Sharing) -> anyhow::Result<Box<dyn Workload>> {
        self.transport.check_sharing(sharing)?;
        if self.demo {
            DemoServer::check_sharing(sharing)?;
        }
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
            demo()?
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
            let label = service.map(Service::label).cloned().unwrap_or_default();
            Ok(Task { spec: TaskInput::Part { item, part }, ..Task::numbered(seq, label) })
        }))
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        let Some(service) = self.service(task) else { return Outcome::Failed("no such service".into()) };
        let url = service.url();
        let found = self.transport.settle(service, cx, |attempt, cx| {
            self.level.check(&url, attempt, cx);
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
            // Who runs a service does not want to be asked twice.
            default_modes: DefaultModes::ParallelFor("each service is asked once"),
            remarks: if self.services.is_empty() { vec![self.names_nothing()] } else { Vec::new() },
            ..Profile::default()
        }
    }

    fn portable(&self) -> Option<&dyn Portable> {
        Some(self)
    }
}

impl Portable for TapCheck {
    fn spec(&self) -> serde_json::Value {
        self.parameters().value()
    }

    /// Without passwords, for it is written into reports.
    fn parameters(&self) -> Parameters {
        let (urls, names) = (Vec::new(), Vec::new());
        let options = TapOptions { urls, names, list: None, header: false, ..self.options.clone() };
        let options = Parameters::from(serde_json::json!(options));
        if self.options.demo {
            return options;
        }
        let urls = self.services.iter().map(|service| Some(service.shown.clone())).collect();
        let options = options.with_list("urls", urls);
        if self.services.iter().all(|service| service.name.is_none()) {
            return options;
        }
        options.with_list("names", self.services.iter().map(|service| service.name.clone()).collect())
    }

    /// The services themselves, wherever they were named: those of --demo are in
    /// this process.
    fn wire_spec(&self) -> serde_json::Value {
        let urls = self.services.iter().map(|service| service.given().to_owned()).collect();
        let names = self.services.iter().map(|service| service.name.as_deref().map(str::to_owned)).collect();
        let options =
            TapOptions { urls, names, list: None, header: false, demo: false, ..self.options.clone() };
        let mut spec = serde_json::json!(options);
        self.options.transport.complete(&mut spec);
        spec
    }
}

/// Name, wait and start of each service of --demo.
const DEMO: [(&str, u64, &str); 4] = [
    ("near", 100, "2025-11-03T08:15:00Z"),
    ("next", 200, "2025-06-21T10:00:00Z"),
    ("far", 300, "2024-12-24T18:30:00Z"),
    ("farthest", 400, "2023-03-14T15:09:26Z"),
];

/// Four services inside parsim, which answer everything that a check can ask for.
fn demo() -> anyhow::Result<(Vec<DemoServer>, Vec<Service>)> {
    let mut servers = Vec::new();
    let mut services = Vec::new();
    for (name, wait, since) in DEMO {
        let server =
            DemoServer::start(Duration::from_millis(wait), move |asked| document(asked.path, since))?;
        let url = format!("{}/tap", server.url());
        services.push(Service::new(&url, Some(format!("{name} ({wait} ms)")), "")?);
        servers.push(server);
    }
    Ok((servers, services))
}

fn document(asked: &str, since: &str) -> Option<String> {
    match asked.split('?').next()? {
        "/tap/availability" => Some(availability(since)),
        "/tap/sync" => Some(ANSWER.to_owned()),
        "/tap/capabilities" => Some(CAPABILITIES.to_owned()),
        "/tap/tables" => Some(TABLES.to_owned()),
        _ => None,
    }
}

fn availability(since: &str) -> String {
    format!(
        "<availability xmlns=\"http://www.ivoa.net/xml/VOSIAvailability/v1.0\"><available>true</available><upSince>{since}</upSince></availability>"
    )
}

const ANSWER: &str = "<VOTABLE version=\"1.4\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\"><RESOURCE type=\"results\"><INFO name=\"QUERY_STATUS\" value=\"OK\"/><TABLE><FIELD name=\"table_name\" datatype=\"char\" arraysize=\"*\"/><DATA><TABLEDATA><TR><TD>tap_schema.tables</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>";

const CAPABILITIES: &str = "<c:capabilities xmlns:c=\"http://www.ivoa.net/xml/VOSICapabilities/v1.0\"><capability standardID=\"ivo://ivoa.net/std/TAP\"><interface version=\"1.1\"><accessURL use=\"base\">/tap</accessURL></interface></capability></c:capabilities>";

const TABLES: &str = "<t:tableset xmlns:t=\"http://www.ivoa.net/xml/VOSITables/v1.0\"><schema><name>tap_schema</name><table><name>tap_schema.tables</name></table></schema></t:tableset>";
