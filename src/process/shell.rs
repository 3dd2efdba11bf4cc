//! A shell command that runs outside the clock (`--prepare`, `--cleanup`).

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// Runs `command` with /bin/sh to its end; its output goes to stderr, for
/// stdout belongs to the report.
///
/// # Errors
/// When the shell cannot be started or the command does not end with 0.
pub fn run_in_shell(command: &str, env: &[(&str, &OsStr)]) -> anyhow::Result<()> {
    let status = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("start /bin/sh for {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        let error = run_in_shell("exit 3", &[]).unwrap_err().to_string();
        assert!(error.contains("\"exit 3\"") && error.contains('3'), "{error}");
    }

    #[test]
    fn the_environment_reaches_the_command() {
        run_in_shell("test \"$PARSIM_WAY\" = serial", &[("PARSIM_WAY", OsStr::new("serial"))]).unwrap();
    }
}
