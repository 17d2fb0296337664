//! `labelrelay`: takes webhooks of labelling platforms in, and puts what is verified on a queue.
//!
//! Only this file reads the environment; everything else gets it handed in.

mod cli;
mod client;
mod clouds;
mod completions;
mod delivery;
mod discover;
mod envelope_line;
mod events;
mod failure;
mod help;
mod home;
mod logging;
mod open;
mod output;
mod places;
mod pull;
mod queue;
mod queue_file;
mod running;
mod runtime;
mod samples;
mod secrets;
mod send;
mod sender;
mod serve;
mod status;
mod times;
mod verify;
mod world;

use labelrelay_core::config::Environment;
use std::process::ExitCode;

fn main() -> ExitCode {
    let environment: Environment = std::env::vars_os().collect();
    let world = match std::env::current_dir() {
        Ok(cwd) => world::World::new(&environment, cwd),
        Err(error) => {
            return failure::Failure::failed(format!("no working directory: {error}")).report();
        }
    };
    let code = match cli::run(std::env::args_os(), &world) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    };
    output::finish();
    code
}
