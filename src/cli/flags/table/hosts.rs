//! Options about other machines.

use super::super::row::Does::{IgnoredFlag, Set, Switch, Text, Word};
use super::super::row::{OptionSection, flag, option, own, quiet, section, set};
use super::super::typed::{Flag, HostSource, Scope};
use crate::engine::WorkerChoice;
use crate::numbers::read_duration;

/// Whoever can have tasks done there.
const ELSEWHERE: Scope = Scope::BATCH.and(Scope::WORKLOAD);

const EVERYWHERE: &str = "every host does all of it, so that nothing is shared out";

#[rustfmt::skip]
pub(in crate::cli::flags) static HOSTS: OptionSection = section("Other machines (see parsim help ssh)", &[
    option(&["sshlogin", "S"], "HOSTS", "run jobs on these hosts by ssh: 8/h1,me@h2,: (8/ means 8 cores,\n: is this machine, @GROUP/ puts a host in a group)",
        Text(|t, v| { t.run.hosts.push(HostSource::Text(v.to_owned())); Ok(()) })).brief().of(ELSEWHERE)
        .told(Scope::WORKLOAD, "run tasks on these hosts by ssh: 8/h1,me@h2,: (8/ means 8 cores, : is this machine)"),
    option(&["sshloginfile", "slf"], "FILE", "read hosts from FILE, one a line",
        Word(|t, v| { t.run.hosts.push(HostSource::File(v.into())); Ok(()) })).of(ELSEWHERE),
    option(&["sshdelay", "ssh-delay"], "SECONDS", "wait between two connections", Text(|t, v| set(&mut t.run.ssh_delay, read_duration(v)))).of(ELSEWHERE),
    option(&["ssh"], "CMD", "connect with CMD [ssh, or $PARALLEL_SSH]", Text(|t, v| set(&mut t.run.ssh, Ok(v.to_owned())))).of(ELSEWHERE),
    option(&["transferfile", "transfer-file", "transferfiles", "transfer-files", "tf"], "NAME", "send this file to where the job runs, before it: {}, {.}.txt ...",
        Word(|t, v| { t.run.sent_files.push(v.to_owned()); Ok(()) })).of(Scope::BATCH),
    option(&["transfer"], "", "the same as --transferfile {}", Switch(|t| t.run.sent_files.push("{}".into()))).of(Scope::BATCH),
    option(&["return"], "NAME", "fetch this file from there when the job is over: {}.out ...",
        Word(|t, v| { t.run.fetched_files.push(v.to_owned()); Ok(()) })).of(Scope::BATCH),
    option(&["trc"], "NAME", "--transfer --return NAME --cleanup", Word(|t, v| {
        t.run.sent_files.push("{}".into());
        t.run.fetched_files.push(v.to_owned());
        t.flags.push(Flag::CleanUp);
        Ok(())
    })).of(Scope::BATCH),
    option(&["basefile", "bf"], "FILE", "send FILE to every host before its first job",
        Word(|t, v| { t.run.base_files.push(v.to_owned()); Ok(()) })).of(Scope::BATCH),
    option(&["env"], "NAMES", "pass these variables on to other machines; only these go there", Word(|t, v| { t.run.env.push(v.to_owned()); Ok(()) })),
    flag(&["filter-hosts", "filterhosts", "filter-host"], "leave out hosts that are down, and end with 255 when all are", Flag::FilterHosts).of(ELSEWHERE),
    flag(&["hostgroups", "hostgroup", "hostgrp", "hgrp"], "an input VALUE@GROUP runs on hosts of that group: -S @GROUP/HOST", Flag::HostGroups),
    flag(&["nonall"], "run the command once on every host, without inputs", Flag::NonAll).not_compared(EVERYWHERE),
    flag(&["onall"], "run all jobs on every host, one at a time there", Flag::OnAll).not_compared(EVERYWHERE),
    own(&["ssh-worker"], "WHICH", "the parsim to use there: auto (in PATH, else a copy of this one,\nelse python3), copy, python3, or a path [auto]",
        Text(|t, v| set(&mut t.run.ssh_worker, worker(v)))).of(ELSEWHERE)
        .told(Scope::WORKLOAD, "the parsim to use there: auto (in PATH, else a copy of this one), copy, or a path [auto]"),
    // parsim's own option of this name takes a command.
    option(&["cleanup"], "", "remove the files that were sent and fetched there; it takes no command\n(that of parsim compare does: --cleanup CMD)", Set(Flag::CleanUp)).of(Scope::ONE_WAY),
    quiet(&["controlmaster", "M"], IgnoredFlag),
]);

/// Which program is to be the worker. Nothing in its name may mean anything to a shell.
fn worker(text: &str) -> Result<WorkerChoice, String> {
    match text {
        "auto" => Ok(WorkerChoice::Auto),
        "copy" => Ok(WorkerChoice::Copy),
        "python3" => Ok(WorkerChoice::Python3),
        path => {
            let path = path.strip_prefix("path:").unwrap_or(path);
            let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "/._+-~".contains(sign);
            let is_sound = path.contains('/') && !path.starts_with('-') && path.chars().all(is_plain);
            is_sound.then(|| WorkerChoice::Program(path.to_owned())).ok_or_else(|| {
                "expected auto, copy, python3, or the path of a parsim on the hosts (of letters, digits and / . _ + -)".to_owned()
            })
        }
    }
}
