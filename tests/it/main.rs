//! Behaviour through the real binary: one integration binary, a file per topic.

// Says to clippy, too, that helpers are tests.
#![cfg(test)]

// Several runs that put rows into one file.
mod appending;
// Batches of commands.
mod batch;
// What changed between two saved studies.
mod change;
// How a check of services begins and ends.
#[cfg(feature = "net")]
mod checks;
// What can be typed, and what help there is.
mod cli;
// Both ways of a batch of commands.
mod compare;
// Searches around targets in the sky.
#[cfg(feature = "net")]
mod cone;
mod cone_connections;
mod cone_files;
mod cone_names;
mod cone_upload;
// The files of random numbers.
mod csv;
// Man pages, completions and versions.
mod documents;
// Saved studies drawn again.
mod drawn_again;
// Jobs by way of a run directory.
mod elsewhere;
// Signals, time limits and scarcity in a batch of commands.
mod ending;
// How the process ends.
mod exits;
// Figures that stand once, and are the same everywhere.
mod figures;
// What may be written where in the sources.
mod floors;
mod hosts;
mod hosts_workloads;
mod house;
// Lines of people who know hyperfine.
mod hyperfine;
// What each format holds.
mod formats;
// Help on batches of commands.
mod help;
// The first process of a container.
#[cfg(target_os = "linux")]
mod init;
// What a batch runs over, and what is asked instead.
mod inputs;
// What killed runs leave, and who may read what is made in TMPDIR.
mod left;
// Workers whose processes are killed one by one.
mod killed;
// What the system does not grant.
mod limits;
// Typical mistakes and their answers.
mod mistakes;
// What runs when, and what counts.
mod order;
// Options beside others.
mod pairs;
// What jobs read.
mod pipe;
// When jobs start, are tried again and given up.
mod policy;
// Jobs in processes of their own.
mod portable;
// How far a batch of commands is, and what it took.
mod progress;
// What is asked through others, and what nobody is to see.
#[cfg(feature = "net")]
mod proxies;
// Jobs on other machines by way of python3.
mod python3;
// The examples of README.md.
mod readme;
// The way to a service.
#[cfg(feature = "net")]
mod reached;
// Logs, results, and runs that go on from them.
mod records;
// What is told at the end, and where.
mod report;
// When a study is saved.
mod saving;
// Made-up services to be asked.
#[cfg(feature = "net")]
mod services;
// A made-up sky.
#[cfg(feature = "net")]
mod skies;
// Rows that say done, and output that is there.
mod rows;
// Which shell runs jobs, and what it is given.
mod shells;
// Ctrl-C and its like.
mod signals;
// The pair of functions that wait.
mod sleep;
// Workers that Slurm starts.
mod slurm;
// What is made of noisy times.
mod statistics;
// Closed streams, and those that do not wait.
mod streams;
// A command line in a fresh directory.
mod support;
// Tags, and names made of numbers.
mod tags;
// Services that are asked how they are.
#[cfg(feature = "net")]
mod tap;
mod tap_requests;
// What is drawn on a terminal.
mod terminal;
// Who works at a time.
mod threads;
// Work that was not done, or not all of it.
mod unfinished;
// What is kept of services from run to run.
#[cfg(feature = "net")]
mod watch;
// Threads against processes.
mod workers;
