//! `parsim hosts -S HOSTS`: what other machines offer.

use std::ffi::OsString;
use std::time::Duration;

use super::exit::{End, Exit, Fault, refuse};
use super::flags::{self, Ask, Scope};
use super::named_hosts;
use super::signals;
use super::terminal::print;
use crate::engine::{HostOffer, HostPlace, Transport, survey};
use crate::numbers;
use crate::process::{Hup, Interrupt};
use crate::text::printable;

/// The subcommand.
pub(super) const NAME: &str = "hosts";

/// So long a host may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The options that it has.
pub(super) const OPTIONS: [&str; 4] = ["sshlogin", "sshloginfile", "ssh", "ssh-worker"];

const HELP: &str = "\
Usage: parsim hosts -S HOSTS [--sshloginfile FILE]

Shows what other machines offer to parsim parallel -S: cores, slots, free memory,
load, the version of parsim there, and the time of a round trip. The
exit status is the number of hosts that are down.

  -S, --sshlogin HOSTS       these hosts: 8/h1,me@h2,: (: is this machine)
  --sshloginfile FILE        read hosts from FILE, one a line
  --ssh CMD                  connect with CMD [ssh, or $PARALLEL_SSH]
  --ssh-worker WHICH         auto, copy, python3 or a path, as in parsim parallel

Examples:
  parsim hosts -S h1,h2
  parsim hosts --sshloginfile ..
";

/// What it does, as its help says.
pub(super) fn description() -> &'static str {
    HELP.split("\n\n").nth(1).unwrap_or_default()
}

/// Shows what the hosts of `words` offer.
pub(super) fn run(words: &[OsString]) -> Result<End, Fault> {
    let mut typed = flags::parse(words, Scope::ONE_WAY)?;
    if matches!(typed.ask, Some(Ask::LongHelp | Ask::ShortHelp)) {
        return print(HELP);
    }
    if let Some(given) = typed.given.iter().find(|given| !OPTIONS.contains(&given.name)) {
        return refuse(format!("parsim hosts has no option {}: see parsim hosts --help", given.spelled));
    }
    if !typed.names_nothing() {
        return refuse("parsim hosts takes no command and no inputs: parsim hosts -S h1,h2");
    }
    let places = named_hosts::all(&mut typed)?;
    if places.is_empty() {
        return refuse("name the hosts: parsim hosts -S h1,h2");
    }
    let interrupt = Interrupt::on_signals(Hup::Ends, signals::ASKS)?;
    let transports: Vec<&dyn Transport> = places.iter().map(|(_, place)| &*place.transport as _).collect();
    let offers = survey(&transports, PATIENCE, &interrupt);
    let mut rows = vec![
        ["host", "machine", "cores", "free memory", "load", "round trip", "start", "parsim"]
            .map(str::to_owned),
    ];
    let mut down = Vec::new();
    for ((name, place), offer) in places.iter().zip(offers) {
        match offer {
            Ok(offer) => rows.push(row(name, place, &offer)),
            Err(error) => {
                down.push(format!("{}  is down: {}\n", printable(name), printable(&format!("{error:#}"))));
            }
        }
    }
    if let Some(signal) = interrupt.signal() {
        return Ok(End::Signal(signal));
    }
    let n_down = u8::try_from(down.len()).unwrap_or(u8::MAX).min(100);
    let table = if rows.len() > 1 { table(&rows) } else { String::new() };
    print(&(table + &down.concat()))?;
    Ok(End::Status(if n_down == 0 { Exit::Success.status() } else { n_down }))
}

fn row(name: &str, place: &HostPlace, offer: &HostOffer) -> [String; 8] {
    let HostOffer { version, name: machine, cores, memory, load, round_trip, startup } = offer;
    let unknown = || "-".to_owned();
    [
        printable(name),
        printable(machine),
        place.cores.map_or_else(|| cores.to_string(), |said| format!("{said} of {cores}")),
        memory.map_or_else(unknown, |bytes| numbers::bytes(bytes as f64)),
        load.map_or_else(unknown, |load| format!("{load:.2}")),
        numbers::duration(*round_trip),
        numbers::duration(*startup),
        printable(version),
    ]
}

fn table(rows: &[[String; 8]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let line = |row: &[String; 8]| {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(column, cell)| {
                let width = width(column);
                if column < 2 { format!("{cell:width$}") } else { format!("{cell:>width$}") }
            })
            .collect();
        cells.join("  ") + "\n"
    };
    rows.iter().map(line).collect()
}
