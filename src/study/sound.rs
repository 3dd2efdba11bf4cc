//! Whether a study that was read can be one: a file may say anything, and what
//! draws it adds, multiplies and counts.
//!
//! Durations are looked at where they are read (`measure::seconds`).

use super::{Agreement, ColumnResult, Cut, FilesAgreement, RunResult, Study, WorkerCosts};
use crate::host::{Host, Surroundings};
use crate::measure::Usage;
use crate::task::{ProcessCounts, Record};

/// More than this is counted by no run; doubles hold every number below.
const MOST: u64 = 1 << 53;

/// So many threads or cores are nowhere.
const WIDEST: usize = 1 << 31;

/// Nothing that is run has a longer name.
const LONGEST_NAME: usize = 64;

/// So many columns nobody runs: each is compared with others.
const MOST_COLUMNS: usize = 4096;

impl Study {
    /// Whether every figure is one that can have been measured.
    ///
    /// # Errors
    /// What cannot be, in words.
    pub fn check(&self) -> Result<(), String> {
        let host @ Host { logical, usable, .. } = &self.host;
        for (name, cores) in
            [("logical", *logical), ("usable", *usable), ("physical", host.physical.unwrap_or(0))]
        {
            within(&format!("host.{name}"), cores, 0, WIDEST)?;
        }
        within("the number of columns", self.columns.len(), 0, MOST_COLUMNS)?;
        for column in &self.columns {
            column.check()?;
        }
        if let Some(Cut { way, finished, tasks, records }) = &self.cut {
            check_name(way)?;
            counts(&[("cut.finished", *finished), ("cut.tasks", tasks.unwrap_or(0))])?;
            records.iter().try_for_each(|record| check_record(&record))?;
        }
        if let Some(agreement) = &self.agreement {
            let Agreement { items, identical, more_differences, failed_alike, files, .. } = agreement;
            let FilesAgreement { files, identical: same } = files.unwrap_or_default();
            counts(&[("items", *items), ("identical", *identical), ("failed_alike", *failed_alike)])?;
            counts(&[("more_differences", *more_differences), ("files", files), ("identical", same)])?;
            for difference in &agreement.differences {
                check_name(&difference.way)?;
                count("item", difference.item)?;
                within("width", difference.width, 0, WIDEST)?;
            }
        }
        counts(&[("unnamed_failures", self.unnamed_failures), ("sample_of", self.sample_of.unwrap_or(0))])?;
        for (&item, failure) in &self.failures {
            count("failures", item)?;
            check_name(&failure.way)?;
            failure.also.iter().try_for_each(|also| check_name(&also.way))?;
        }
        Ok(())
    }
}

impl ColumnResult {
    fn check(&self) -> Result<(), String> {
        check_name(&self.column.name)?;
        check_name(&self.column.engine)?;
        within("width", self.width, 1, WIDEST)?;
        self.runs.iter().try_for_each(RunResult::check)
    }
}

impl RunResult {
    fn check(&self) -> Result<(), String> {
        let Self { tasks, succeeded, failed, bytes, peak_memory, .. } = self;
        counts(&[("tasks", *tasks), ("succeeded", *succeeded), ("failed", *failed), ("bytes", *bytes)])?;
        count("peak_memory", peak_memory.unwrap_or(0))?;
        let Usage {
            user: _,
            sys: _,
            minor_faults,
            major_faults,
            block_reads,
            block_writes,
            voluntary_switches,
            involuntary_switches,
        } = self.usage;
        counts(&[
            ("minor_faults", minor_faults),
            ("major_faults", major_faults),
            ("block_reads", block_reads),
            ("block_writes", block_writes),
            ("voluntary_switches", voluntary_switches),
            ("involuntary_switches", involuntary_switches),
        ])?;
        if let Some(WorkerCosts { workers, peak_memory, passed, replaced, .. }) = &self.crew {
            within("workers", *workers, 0, WIDEST)?;
            counts(&[
                ("crew.peak_memory", peak_memory.unwrap_or(0)),
                ("passed", *passed),
                ("replaced", *replaced),
            ])?;
        }
        if let Some(Surroundings { swapped, .. }) = &self.surroundings {
            count("swapped", *swapped)?;
        }
        self.counts.as_ref().map_or(Ok(()), check_counts)?;
        self.records.iter().try_for_each(|record| check_record(&record))
    }
}

/// Whether a column or an engine can be called so: in texts, folders and pages its name
/// stands as it is.
fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err(format!("no column is called {:?}", name.chars().take(LONGEST_NAME).collect::<String>()))
}

fn check_record(record: &Record) -> Result<(), String> {
    let Record { seq, item, peak_memory, bytes, input_offered, input_read, .. } = record;
    record.counts.as_deref().map_or(Ok(()), check_counts)?;
    counts(&[
        ("seq", *seq),
        ("item", item.unwrap_or(0)),
        ("peak_memory", peak_memory.unwrap_or(0)),
        ("bytes", *bytes),
        ("input_offered", *input_offered),
        ("input_read", input_read.unwrap_or(0)),
    ])
}

fn check_counts(of_processes: &ProcessCounts) -> Result<(), String> {
    let ProcessCounts { major_faults, block_reads, block_writes, .. } = of_processes;
    counts(&[
        ("counts.major_faults", *major_faults),
        ("counts.block_reads", *block_reads),
        ("counts.block_writes", *block_writes),
        ("counts.voluntary_switches", of_processes.voluntary_switches),
        ("counts.involuntary_switches", of_processes.involuntary_switches),
    ])
}

fn counts(named: &[(&str, u64)]) -> Result<(), String> {
    named.iter().try_for_each(|&(name, number)| count(name, number))
}

fn count(name: &str, number: u64) -> Result<(), String> {
    if number <= MOST { Ok(()) } else { Err(format!("{name} is {number}, too large for a count")) }
}

fn within(name: &str, number: usize, least: usize, most: usize) -> Result<(), String> {
    if (least..=most).contains(&number) {
        return Ok(());
    }
    Err(format!("{name} is {number}, and can be {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::tests::both_ways;
    use crate::task::tests::record;

    #[test]
    fn what_cannot_have_been_measured_is_told() {
        let sound = || both_ways(&[400], &[200], 2);
        assert_eq!(sound().check(), Ok(()));
        let told = |spoil: fn(&mut Study)| {
            let mut study = sound();
            spoil(&mut study);
            study.check().unwrap_err()
        };
        assert_eq!(told(|study| study.columns[1].width = 0), "width is 0, and can be 1 to 2147483648");
        assert!(told(|study| study.host.usable = usize::MAX).starts_with("host.usable is 1844"));
        assert!(told(|study| study.columns[0].runs[0].tasks = u64::MAX).starts_with("tasks is 1844"));
        let huge = |study: &mut Study| study.columns[0].runs[0].records.push(record(u64::MAX));
        assert_eq!(told(huge), "seq is 18446744073709551615, too large for a count");
        assert_eq!(told(|study| study.columns[0].column.name = "a b".into()), "no column is called \"a b\"");
        let many = |study: &mut Study| study.columns = vec![study.columns[0].clone(); MOST_COLUMNS + 1];
        assert!(told(many).starts_with("the number of columns is 4097"));
    }
}
