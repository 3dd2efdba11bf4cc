//! What can be chosen of cone searches.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use anyhow::{bail, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::rows::Find;
use super::search::{ConeService, Protocol};
use crate::vo::cone::SkyTable;
use crate::workload::row::paths;
use crate::workload::service::{PaceOptions, Service, TransportOptions};

/// The word for SIMBAD, and where it is asked.
const SIMBAD: &str = "simbad";
const SIMBAD_TAP: &str = "https://simbad.cds.unistra.fr/simbad/sim-tap";
const SIMBAD_SCS: &str = "https://simbad.cds.unistra.fr/cone";

/// What SIMBAD's table of objects is asked for: what the notebook shows, with the type and
/// the number of each object.
const SIMBAD_TABLE: &str = "basic";
const SIMBAD_COLUMNS: &str =
    "main_id,ra,dec,coo_err_maj,coo_err_min,coo_err_angle,coo_wavelength,coo_bibcode,otype,oid";

/// The name resolver of CDS, and its mirror.
const SESAME: [&str; 2] =
    ["https://cds.unistra.fr/cgi-bin/nph-sesame", "https://vizier.cfa.harvard.edu/viz-bin/nph-sesame"];

/// Where a resolver is beside a service of this machine.
const SESAME_PATH: &str = "/cgi-bin/nph-sesame";

/// SIMBAD searches no larger cone.
const SIMBAD_MOST: f64 = 20.0;

/// What can be chosen.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConeOptions {
    /// Names and positions to search around: NGC4782, "12:54:35.7 -12:34:06", 193.65,-12.57 (after --: -0.5,10)
    #[arg(value_name = "TARGET")]
    #[serde(default)]
    pub words: Vec<String>,
    /// Read targets from FILE, CSV or TSV with a header (- is stdin): target, or ra and dec; id; radius
    #[arg(long = "targets", value_name = "FILE")]
    #[serde(default, with = "paths")]
    pub list: Option<PathBuf>,
    /// Radius of the cones: degrees, or with a unit (2.4m, 144s)
    #[arg(long, value_name = "R", allow_hyphen_values = true)]
    #[serde(default)]
    pub radius: Option<String>,
    /// Service to ask: simbad, or the URL of a TAP or cone search service
    #[arg(long, value_name = "SERVICE", default_value = SIMBAD)]
    pub service: String,
    /// How it is asked: tap or scs [default: scs for a URL with a query, else tap]
    #[arg(long, value_name = "HOW", value_enum, hide_possible_values = true)]
    #[serde(default)]
    pub protocol: Option<Protocol>,
    /// TAP: table to search
    #[arg(long, value_name = "TABLE", default_value = SIMBAD_TABLE)]
    pub table: String,
    /// TAP: its column of right ascensions, in degrees
    #[arg(long, value_name = "NAME", default_value = "ra")]
    pub ra_column: String,
    /// TAP: its column of declinations, in degrees
    #[arg(long, value_name = "NAME", default_value = "dec")]
    pub dec_column: String,
    /// TAP: columns to fetch, between commas [default: all; of SIMBAD's table what the notebook shows, and a few more]
    #[arg(long, value_name = "NAMES")]
    #[serde(default)]
    pub columns: Option<String>,
    /// SCS: how many columns, 1 to 3
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=3))]
    #[serde(default)]
    pub verb: Option<u8>,
    /// Fetch at most N rows of each cone (a longer answer then counts as a success)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    #[serde(default)]
    pub maxrec: Option<u64>,
    /// Rows to keep of each cone: all, best (the nearest), each (the nearest, or an empty row)
    #[arg(long, value_name = "WHICH", value_enum, default_value_t, hide_possible_values = true)]
    #[serde(default)]
    pub find: Find,
    /// Ask for all cones in one query, too, as a column of its own (TAP)
    #[arg(long, conflicts_with = "maxrec")]
    #[serde(default)]
    pub upload: bool,
    /// Name resolver (Sesame) to ask [default: that of CDS; beside a service on this machine, its own]
    #[arg(long, value_name = "URL")]
    #[serde(default)]
    pub resolver: Option<String>,
    /// Write rows to FILE, CSV or (by .vot) a VO table, the report to stdout [default: rows to stdout, the report to stderr]
    #[arg(long, value_name = "FILE")]
    #[serde(default, with = "paths")]
    pub out: Option<PathBuf>,
    /// Write a line on each target to FILE (CSV): position, status, rows, warnings, time
    #[arg(long, value_name = "FILE")]
    #[serde(default, with = "paths")]
    pub status: Option<PathBuf>,
    /// Draw a finder chart of each target into DIR (SVG)
    #[arg(long, value_name = "DIR")]
    #[serde(default, with = "paths")]
    pub chart: Option<PathBuf>,
    /// Write a page with the sky in Aladin Lite to FILE, and charts that need no network
    #[arg(long, value_name = "FILE")]
    #[serde(default, with = "paths")]
    pub sky: Option<PathBuf>,
    /// Aladin Lite for --sky: a URL, or a file beside the page (CDS's build; npm's is a module, which loads over http only) [default: at CDS]
    #[arg(long, value_name = "WHERE", requires = "sky")]
    #[serde(default)]
    pub aladin: Option<String>,
    /// Images behind the view of --sky: a survey that Aladin knows, or the URL of one [default: P/DSS2/color]
    #[arg(long, value_name = "URL", requires = "sky")]
    #[serde(default)]
    pub survey: Option<String>,
    /// Width of the view of --sky in degrees [default: 0.45, or what the cone needs]
    #[arg(long, value_name = "DEGREES", requires = "sky")]
    #[serde(default)]
    pub fov: Option<f64>,
    /// Refuse answers of more than N bytes
    #[arg(long, value_name = "N", default_value_t = 64 << 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub max_bytes: u64,
    /// Tell services how to reach you (mail address or URL)
    #[arg(long, value_name = "TEXT")]
    #[serde(default)]
    pub contact: Option<String>,
    /// Search a small sky inside parsim, which takes 0.1 s a cone: needs no network
    #[arg(long, conflicts_with_all = ["words", "list", "service", "protocol", "resolver", "table", "columns"])]
    #[serde(default)]
    pub demo: bool,
    /// How services are asked
    #[command(flatten)]
    #[serde(flatten)]
    pub transport: TransportOptions,
    /// How often
    #[command(flatten)]
    #[serde(flatten)]
    pub pace: PaceOptions,
}

impl ConeOptions {
    /// The service that is asked.
    ///
    /// # Errors
    /// When it cannot be asked, or not like this.
    pub fn service(&self) -> anyhow::Result<ConeService> {
        let is_simbad = self.service.eq_ignore_ascii_case(SIMBAD);
        let has_query = self.service.contains('?') || self.service.ends_with('&');
        let usual = if has_query { Protocol::Scs } else { Protocol::Tap };
        let protocol = self.protocol.unwrap_or(usual);
        let url = match (is_simbad, protocol) {
            (true, Protocol::Tap) => SIMBAD_TAP,
            (true, Protocol::Scs) => SIMBAD_SCS,
            (false, _) if !self.service.contains("://") => {
                bail!("--service {}: expected simbad or a URL", self.service)
            }
            (false, _) => &self.service,
        };
        ensure!(
            !(self.upload && protocol == Protocol::Scs),
            "--upload is one query over TAP: a cone search service has none"
        );
        let columns = match &self.columns {
            Some(columns) => columns.as_str(),
            None if self.table == SIMBAD_TABLE => SIMBAD_COLUMNS,
            None => "",
        };
        let columns = columns.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
        let table = SkyTable {
            name: self.table.clone(),
            ra: self.ra_column.clone(),
            dec: self.dec_column.clone(),
            columns: columns.collect(),
        };
        Ok(ConeService {
            service: Service::new(url, None, "--service ")?,
            protocol,
            table,
            verbosity: self.verb,
            most_rows: self.maxrec,
            most_bytes: usize::try_from(self.max_bytes).unwrap_or(usize::MAX),
            knows_no_formats: AtomicBool::new(false),
        })
    }

    /// The columns of the position, where they are asked for by name: a cone search service
    /// is not told any, and its own say what they are.
    pub fn position_columns(&self, protocol: Protocol) -> Option<(&str, &str)> {
        (protocol == Protocol::Tap).then_some((&*self.ra_column, &*self.dec_column))
    }

    /// Who is asked where names are; the first that answers counts.
    ///
    /// # Errors
    /// When the URL of one cannot be asked.
    pub fn resolvers(&self, service: &ConeService) -> anyhow::Result<Vec<Service>> {
        let url = &service.service.url();
        let urls = match &self.resolver {
            Some(resolver) => vec![resolver.clone()],
            None if url.host.is_loopback() => {
                vec![format!("{}://{}{SESAME_PATH}", url.scheme(), url.authority())]
            }
            None => SESAME.map(str::to_owned).to_vec(),
        };
        urls.iter().map(|url| Service::new(url, None, "--resolver ")).collect()
    }

    /// What a radius may be at most, in degrees.
    pub fn check_radius(&self, radius: f64) -> Result<(), String> {
        if self.service.eq_ignore_ascii_case(SIMBAD) && radius > SIMBAD_MOST {
            return Err(format!("{radius} degrees: SIMBAD searches at most {SIMBAD_MOST}"));
        }
        Ok(())
    }

    /// Refuses a view of the sky that there cannot be.
    ///
    /// # Errors
    /// When it is none, or wider than the sky.
    pub fn check_field_of_view(&self) -> anyhow::Result<()> {
        if let Some(fov) = self.fov {
            let is_width = fov > 0.0 && fov <= 360.0;
            ensure!(is_width, "--fov {fov}: expected degrees, more than 0 and at most 360");
        }
        Ok(())
    }

    /// Who asks, as services are told.
    pub fn user_agent(&self) -> String {
        let contact = self.contact.as_ref().map_or_else(String::new, |contact| format!("; {contact}"));
        format!("parsim/{} (IVOA-science{contact})", env!("CARGO_PKG_VERSION"))
    }

    /// Refuses what cannot stand in a header.
    ///
    /// # Errors
    /// When the contact has characters that are none of ASCII's, or ends a comment.
    pub fn check_contact(&self) -> anyhow::Result<()> {
        let contact = self.contact.as_deref().unwrap_or_default();
        let is_plain = contact.chars().all(|c| (' '..='~').contains(&c) && !"()\\".contains(c));
        ensure!(is_plain, "--contact {contact:?}: expected plain ASCII without brackets");
        Ok(())
    }
}
