//! What can be typed after `tap-check`.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::workload::service::TransportOptions;

/// What can be chosen.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
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
