//! Behaviour through the real binary: one integration binary, a file per topic.

// Says to clippy, too, that helpers are tests.
#![cfg(test)]

// The files of random numbers.
mod csv;
// What is told at the end, and where.
mod report;
// The pair of functions that wait.
mod sleep;
// A command line in a fresh directory.
mod support;
