//! The embedded queue, against real files.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail it by panicking")]

mod append;
mod archive_mark;
mod behind_damage;
mod conformance;
mod crash;
mod damage;
mod derived_events;
mod displaced;
mod faults;
mod holes;
mod journal;
mod kept_for_record;
mod ledger;
mod ledger_changes;
mod owner;
#[cfg(unix)]
mod planted_files;
mod prune;
mod repeats;
mod replay;
mod source;
mod support;
mod try_write;
mod verbs;
mod written_since;
