//! What can be typed after `tap-check`.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::http::Proxies;
use crate::workload::paths;

/// What can be chosen.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct TapOptions {
    /// The services' URLs (without any: four public ones)
    #[arg(value_name = "URL")]
    pub urls: Vec<String>,
    /// Read URLs from FILE, one a line (- is stdin); blank lines and # comments are passed over
    #[arg(long = "urls", value_name = "FILE")]
    #[serde(default)]
    pub list: Option<PathBuf>,
    /// FILE is CSV whose first line names the columns: url, and name where there is one
    #[arg(long, requires = "list")]
    #[serde(default)]
    pub header: bool,
    /// Four services inside parsim, which take 0.1 to 0.4 s: needs no network
    #[arg(long, conflicts_with_all = ["urls", "list"])]
    #[serde(default)]
    pub demo: bool,
    /// Ask a query, too, and judge by its status (of your own: --query=ADQL)
    #[arg(long, value_name = "ADQL", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    #[serde(default)]
    pub query: Option<String>,
    /// All that --query does, and look at capabilities and tables
    #[arg(long)]
    #[serde(default)]
    pub deep: bool,
    /// Give up on a service after so long, in seconds, retries included
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, allow_hyphen_values = true)]
    pub timeout: f64,
    /// Ask again up to N times after a failure that may pass, within the timeout (parsim parallel --retries N: N tries in all)
    #[arg(long, value_name = "N", default_value_t = 0)]
    #[serde(default)]
    pub retries: u32,
    /// At most K requests at a time to one host
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    #[serde(default)]
    pub per_host: Option<u32>,
    /// Check each service N times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    #[serde(default = "once")]
    pub repeat: u32,
    /// Trust the certificate authorities in FILE (PEM), too
    #[arg(long, value_name = "FILE")]
    #[serde(default, with = "paths")]
    pub cacert: Option<PathBuf>,
    /// Trust this system's certificate authorities instead of those that parsim brings
    #[arg(long)]
    #[serde(default)]
    pub system_roots: bool,
    /// How to tell it: text, json-lines (one object as each service is done), nagios (one line, status 0-3)
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json-lines", "nagios"],
        hide_possible_values = true, help_heading = "Report")]
    #[serde(skip, default = "text")]
    pub format: String,
    /// Through whom services are asked, as the environment has it: where a run was
    /// made is no part of what was asked.
    #[arg(skip)]
    #[serde(default, skip_serializing)]
    pub proxies: Proxies,
    /// What to call the services of a saved list, in the order of `urls`
    #[arg(skip)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Option<String>>,
}

fn once() -> u32 {
    1
}

fn text() -> String {
    "text".to_owned()
}
