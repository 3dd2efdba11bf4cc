//! The notebook's last part: what lies around each of many targets, one cone search a
//! task, and all of them in one query beside it.
//!
//! A task asks a service for one cone and writes its rows; what came of it is its record's
//! finding. Names are looked up before, together. Rows go where `outlet` takes them. The
//! process that began the run paces the requests of all tasks, wherever they run.

mod charts;
mod columns;
mod demo;
mod options;
mod outlet;
mod resolver;
mod rows;
mod rows_writer;
mod search;
mod targets;
mod task;
mod upload;
mod votable_out;

use anyhow::{Context as _, ensure};
use clap::Args as _;
use serde::Deserialize as _;
use serde_json::{Value, json};

use self::charts::ChartPlaces;
use self::options::ConeOptions;
use self::outlet::RowsOutlet;
use self::rows::ConeRows;
use self::search::ConeService;
use self::targets::{Target, TargetFault, targets};
use self::task::{ConeTask, Found, OneCone};
use self::upload::{UploadAnswers, UploadQuery};
use super::service::{DemoServer, HostPace, HttpTransport, Service, fail};
use super::{
    Cx, DefaultModes, Environment, Options, Outlet, OutputFormat, Portable, Profile, Row, RunProcess,
    Sharing, Size, Tasks, Workload,
};
use crate::task::{ErrorClass, Finding, Mode, Outcome, Task, TaskInput};
use crate::text::{printable, without_login, without_logins};
use crate::vo::cone::{ConeColumns, SkyCone};
use crate::vo::position;

/// More targets than this are searched one way only unless both are asked for: two ways are
/// twice the requests.
const FEW: usize = 16;

/// So many requests at a time a host is sent that is not this machine.
const PER_HOST: usize = 5;

/// The row of the table of workloads.
pub const ROW: Row = Row {
    name: "cone",
    about: "The notebook's sky: search around many targets, in SIMBAD or any other service",
    examples: EXAMPLES,
    augment: |command| {
        let command = ConeOptions::augment_args(command);
        let command = command.mut_arg("timeout", |arg| {
            arg.default_value("60")
                .help("Time limit per cone in seconds, retries included; waiting for --rate is not")
        });
        let command = command.mut_arg("retries", |arg| arg.default_value("2"));
        [
            ("per_host", "Send at most K requests at a time to one host [default: 5, no limit on this machine's own services]"),
            ("warn_latency", "Warn when a cone takes longer, or a phase of it (2s, connect=500ms) [default: never]"),
            ("crit_latency", "Count a cone as failed when it takes longer, or a phase of it; its rows are kept [default: never]"),
            ("warn_expiry", "Warn when the service's certificate expires within so many days, or a time such as 36h"),
            ("crit_expiry", "Count a cone as failed when the service's certificate expires within so many days [default: never]"),
        ]
        .into_iter()
        .fold(command, |command, (id, help)| command.mut_arg(id, |arg| arg.help(help)))
    },
    from_spec: |spec| Ok(Box::new(ConeSearch::of_worker(serde_json::from_value(spec)?)?)),
    formats: &[OutputFormat::JsonLines],
    ..Row::of::<ConeOptions>()
};

const EXAMPLES: &str = "\
Examples:
  parsim cone NGC4782 --radius 0.04     what SIMBAD has within 0.04 degrees
  parsim cone --targets list.csv --radius 2m --out rows.csv --status status.csv
  parsim cone M31 --radius 6m \\
      --service 'https://dc.g-vo.org/arihip/q/cone/scs.xml?'
  parsim cone --targets list.csv --radius 2m --upload   all in one query, too

Each target is one request. No host gets more than --rate requests a second,
whatever -j says, so searching in parallel may gain nothing; one query for all
targets (--upload) does. Searching both ways doubles the requests: with more
than 16 targets the serial way runs only if --compare is given.

Each target succeeds or fails by itself. It fails as unknown-name, bad-position,
query (the service reports an error), rate (the service refuses more requests),
timeout, or another class of parsim tap. An empty cone is a success. A cone cut
by a limit of the service fails, unless you gave --maxrec. Rows outside of the
radius are left out, with a warning.";

impl Options for ConeOptions {
    fn surrounded_by(mut self, look: Environment<'_>) -> Self {
        self.transport.surround(look);
        self
    }

    fn build(self, sharing: Sharing) -> anyhow::Result<Box<dyn Workload>> {
        if self.demo {
            DemoServer::check_sharing(sharing)?;
        }
        Ok(Box::new(ConeSearch::new(self)?))
    }
}

/// The workload: task i searches around target i.
#[derive(Debug)]
pub struct ConeSearch {
    options: ConeOptions,
    targets: Vec<Target>,
    /// In degrees, where it is that of all targets without one of their own.
    radius: Option<f64>,
    service: ConeService,
    resolvers: Vec<Service>,
    transport: HttpTransport,
    outlet: RowsOutlet,
    /// All cones, by the numbers of their targets, for one query; none where none is wanted.
    cones: Vec<(u64, SkyCone)>,
    /// What that has found, as far as it has been asked in this run.
    upload: UploadAnswers,
    /// The service inside parsim, as long as it is needed.
    _demo: Option<DemoServer>,
}

impl ConeSearch {
    /// Reads and checks targets and places. Nobody is asked yet.
    ///
    /// # Errors
    /// When a list cannot be read, a file cannot be written, or an option makes no sense.
    pub fn new(options: ConeOptions) -> anyhow::Result<Self> {
        ensure!(
            options.demo || options.list.is_some() || !options.words.is_empty(),
            "no target: parsim cone NGC4782 --radius 0.04, or --targets FILE"
        );
        let usual = options.demo.then_some(demo::RADIUS);
        let radius = options.radius.as_deref().or(usual).map(|text| {
            let radius =
                position::read_radius(text).map_err(|why| anyhow::anyhow!("--radius {text}: {why}"))?;
            options.check_radius(radius).map_err(|why| anyhow::anyhow!("--radius {why}"))?;
            anyhow::Ok(radius)
        });
        let radius = radius.transpose()?;
        let targets =
            if options.demo { demo::targets() } else { targets(&options.words, options.list.as_deref())? };
        ensure!(
            radius.is_some() || targets.iter().all(|target| target.radius.is_some()),
            "how far around the targets? --radius 0.04 (degrees), 2.4m or 144s"
        );
        options.check_field_of_view()?;
        let charts = ChartPlaces {
            folder: options.chart.clone(),
            page: options.sky.clone(),
            library: options.aladin.clone(),
            survey: options.survey.clone(),
            field_of_view: options.fov,
        };
        let asked = options.position_columns(options.service()?.protocol);
        let asked = asked.map(|(ra, dec)| (ra.to_owned(), dec.to_owned()));
        let outlet = RowsOutlet::new(options.out.as_deref(), options.status.as_deref(), charts, asked)?;
        let (server, service) = options.demo.then(demo::start).transpose()?.unzip();
        let given = options.service.clone();
        let asked = ConeOptions { service: service.unwrap_or(given), ..options.clone() };
        Ok(Self { options, targets, radius, outlet, _demo: server, ..Self::of_worker(asked)? })
    }

    /// One that does tasks and has none.
    fn of_worker(options: ConeOptions) -> anyhow::Result<Self> {
        options.check_contact()?;
        let service = options.service()?;
        let resolvers = options.resolvers(&service)?;
        let transport = HttpTransport::new(&options.transport, service.most_bytes, options.user_agent())?;
        let transport =
            transport.paced(HostPace::new(&options.pace, options.transport.retries)?).with_connection_pool();
        transport.check(std::slice::from_ref(&service.service))?;
        transport.check(&resolvers)?;
        Ok(Self {
            options,
            targets: Vec::new(),
            radius: None,
            service,
            resolvers,
            transport,
            outlet: RowsOutlet::default(),
            cones: Vec::new(),
            upload: UploadAnswers::default(),
            _demo: None,
        })
    }

    fn task(&self, target: &Target) -> ConeTask {
        let (position, fault) = match target.position() {
            Ok(position) => (Some(position), None),
            Err(TargetFault { class, why }) => (None, Some((class, why))),
        };
        let radius = target.radius.or(self.radius).unwrap_or_default();
        let too_wide = self.options.check_radius(radius).err().map(|why| (ErrorClass::BadPosition, why));
        ConeTask {
            id: target.id.clone(),
            target: target.text.clone(),
            kind: target.kind().to_owned(),
            position,
            radius,
            is_coarse: target.is_coarse(),
            fault: fault.or(too_wide),
        }
    }

    /// Searches around one place; `None` when the interrupt ended it.
    fn search(&self, centre: (f64, f64), radius: f64, cx: &mut Cx<'_>) -> Option<(Finding, Option<Found>)> {
        let cone = SkyCone { ra: centre.0, dec: centre.1, radius };
        let asked = self.asked();
        let mut found = None;
        let finding = self.transport.settle(&self.service.service, cx, |attempt, cx| {
            let mut rows = OneCone {
                rows: ConeRows::new(centre, radius, self.options.find),
                columns: ConeColumns::default(),
                asked,
            };
            let mut spent = |name, time| cx.spent(name, time);
            let answered = self.service.ask(&cone, attempt, &mut spent, &mut rows);
            found = answered.map(|answered| Found {
                columns: answered.columns,
                has_position: rows.columns.position.is_some(),
                rows: rows.rows,
                is_whole: answered.is_whole,
            });
        })?;
        Some((finding, found))
    }

    /// The same of target `number`, among all of them in one query.
    fn search_together(&self, number: u64, cx: &mut Cx<'_>) -> Option<(Finding, Option<Found>)> {
        let query = UploadQuery {
            service: &self.service,
            transport: &self.transport,
            find: self.options.find,
            asked: self.asked(),
            cones: &self.cones,
        };
        self.upload.of(number, &query, cx)
    }

    /// The columns of the position, where they are asked for by name.
    fn asked(&self) -> Option<(&str, &str)> {
        self.options.position_columns(self.service.protocol)
    }
}

impl Workload for ConeSearch {
    fn name(&self) -> &str {
        ROW.name
    }

    fn tasks(&self) -> Tasks<'_> {
        Box::new((0..).zip(&self.targets).map(|(seq, target)| {
            let spec = TaskInput::Json(json!(self.task(target)));
            Ok(Task { spec, ..Task::numbered(seq, target.label()) })
        }))
    }

    fn begin(&mut self, process: RunProcess<'_>) -> anyhow::Result<()> {
        if let RunProcess::Client(interrupt) = process {
            resolver::resolve(&mut self.targets, &self.resolvers, &self.transport, interrupt);
        }
        self.upload.clear();
        self.transport.close_idle();
        let cone = |(number, target): (u64, &Target)| {
            let task = self.task(target);
            let (ra, dec) = task.position.filter(|_| task.fault.is_none())?;
            Some((number, SkyCone { ra, dec, radius: task.radius }))
        };
        let targets = self.targets.iter().filter(|_| self.options.upload);
        self.cones = (0..).zip(targets).filter_map(cone).collect();
        Ok(())
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        let TaskInput::Json(spec) = &task.spec else { return Outcome::Failed("no target".into()) };
        let number = task.seq;
        let Ok(task) = ConeTask::deserialize(spec) else { return Outcome::Failed("no target".into()) };
        let (finding, found) = match (&task.fault, task.position) {
            (None, Some(centre)) => {
                let searched = match cx.column().mode {
                    Mode::Whole => self.search_together(number, cx),
                    Mode::Serial | Mode::Parallel => self.search(centre, task.radius, cx),
                };
                match searched {
                    Some(searched) => searched,
                    None => return Outcome::Interrupted,
                }
            }
            (fault, _) => {
                let mut finding =
                    Finding { url: self.service.service.shown.made(printable), ..Finding::default() };
                let (class, why) = fault.clone().unwrap_or((ErrorClass::BadPosition, String::new()));
                fail(&mut finding, class, &why);
                (finding, None)
            }
        };
        let cure = match (cx.column().mode, self.options.upload) {
            (Mode::Whole, _) => "search fewer targets at a time, or leave out --upload",
            (_, true) => "--maxrec asks for more, without --upload",
            (_, false) => "--maxrec asks for more",
        };
        task.settle(finding, found, Some(cure).filter(|_| self.options.maxrec.is_none()), cx)
    }

    fn profile(&self) -> Profile {
        let is_here = self.service.service.url().host.is_loopback();
        let per_host =
            self.options.transport.per_host.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        Profile {
            unit: "cone",
            size: Size { tasks: Some(self.targets.len() as u64), bytes: None },
            waits: true,
            // A connection, and what looks its name up meanwhile.
            opens: 3,
            external: true,
            default_modes: if self.targets.len() > FEW && !is_here {
                DefaultModes::ParallelFor("there are more than 16 targets")
            } else {
                DefaultModes::Both
            },
            at_once: per_host.or((!is_here).then_some(PER_HOST)),
            rate: self.options.pace.rate_of(&self.service.service.url().host),
            in_one_go: self.options.upload.then_some("one-query"),
            ..Profile::default()
        }
    }

    fn outlet(&self) -> Option<&dyn Outlet> {
        Some(&self.outlet)
    }

    fn finish(&self) -> anyhow::Result<()> {
        self.outlet.finish().context("cannot keep what was found")
    }

    fn portable(&self) -> Option<&dyn Portable> {
        Some(self)
    }
}

impl Portable for ConeSearch {
    fn answer(&self, question: Value) -> Value {
        self.transport.answer(question)
    }

    /// Without passwords, for it is written into reports: whatever may be a URL has none.
    fn spec(&self) -> Value {
        let options = self.options.clone();
        let plain = |url: Option<String>| url.map(|url| without_login(&url));
        json!(ConeOptions {
            words: options.words.iter().map(|word| without_login(word)).collect(),
            service: without_login(&options.service),
            resolver: plain(options.resolver),
            aladin: plain(options.aladin),
            survey: plain(options.survey),
            contact: options.contact.map(|text| without_logins(&text)),
            ..options
        })
    }

    /// Tasks come with all that is to be known of their targets.
    fn wire_spec(&self) -> Value {
        let options = ConeOptions {
            service: self.service.service.given().to_owned(),
            protocol: Some(self.service.protocol),
            words: Vec::new(),
            list: None,
            out: None,
            status: None,
            chart: None,
            sky: None,
            demo: false,
            ..self.options.clone()
        };
        let mut spec = json!(options);
        self.options.transport.complete(&mut spec);
        spec
    }
}
