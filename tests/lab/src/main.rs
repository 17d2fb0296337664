//! The fault laboratory: a real program under load, faults drawn from a seed, and an oracle that turns
//! every answer into an obligation.
//!
//! A seed decides everything that can be decided: which program runs, how it is configured, what is
//! sent, and after how many deliveries which fault begins and ends. So a seed that fails can be run again.
//! The decisions of the system's scheduler in between cannot be controlled; many seeds make up for that.
//!
//! Two programs are looked at, and both are killed with `kill -9`: `labelrelay serve`, with the faults that
//! can be brought upon it from outside, and the *laboratory server* (`lab server`): the same pipeline, the
//! same HTTP server, the same queue file and stores, behind wrappers that refuse, hang or lie when told to.
//!
//! In two seeds of three the queue derives events, and the oracle says which have to be there (`derived`): nothing
//! but the order of the queue decides that.
//!
//! With `--replicas` it is three of `labelrelay serve` over one Postgres, with a standby and a consumer beside them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a laboratory whose equipment fails ends with a panic"
)]

mod database;
mod delivery;
mod derived;
mod fault;
mod fault_injector;
mod obligations;
mod options;
mod oracle;
mod plan;
mod process;
mod queue;
mod random_json;
mod record;
mod run;
mod seed_dir;
mod send_request;
mod sender;
mod server;
mod sources;
mod summary;
mod verdict;
mod violation;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, rest @ ..] = &args[..]
        && verb == "server"
    {
        server::run(rest);
        return ExitCode::SUCCESS;
    }
    match options::Options::parse(&args) {
        Ok(options) => run::all(&options),
        Err(message) => {
            eprintln!("{message}\n\n{}", options::HELP);
            ExitCode::from(2)
        }
    }
}
