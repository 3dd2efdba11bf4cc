//! Which machine a task is done on, where the user named several.
//!
//! Plain data: how one gets there is for engines to know.

use serde::{Deserialize, Serialize};

/// Another machine, as a user names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeName {
    /// What was typed, without the number of slots: `user@h1`, `ssh -p 2222 h1`, `:`.
    pub login: String,
    /// Its host alone: `h1`.
    pub host: String,
}

/// The machine that a worker is on, as its jobs are told.
#[derive(Clone, Copy, Debug)]
pub enum JobPlace<'a> {
    /// That of whoever began the batch, where no other was named.
    Own,
    /// A host that the user named.
    Host(&'a NodeName),
    /// A node of a cluster, where all is as on the user's machine.
    Node(&'a str),
}
