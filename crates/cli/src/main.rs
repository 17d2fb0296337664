//! `labelrelay`: takes webhooks of labelling platforms in, and puts what is verified on a queue.
//!
//! Only this file reads the environment; everything else gets it handed in.

mod archive;
mod archive_store;
mod arrivals;
mod claimed_data;
mod cli;
mod clouds;
mod completions;
mod connect;
mod consume;
mod damaged_event;
mod dataset;
mod delivery;
mod directory_at_need;
mod durations;
mod env;
mod error;
mod event_of_delivery;
mod event_source;
mod events;
mod evidence;
mod file_beside;
mod find_configuration;
mod from_archive;
mod health_check;
mod help;
mod label_studio_access;
mod labelbox_access;
mod local_dir;
mod locations;
mod logging;
mod open;
mod output;
mod page_token;
mod platform_http;
mod pull;
mod pull_counts;
mod pull_turn;
mod queue;
mod queue_file;
mod queue_records;
mod queue_sender;
mod random_secret;
mod recent_deliveries;
mod record;
mod recorded_credential;
mod remote_ledger;
mod rotation_files;
mod running_serve;
mod runtime;
mod samples;
mod secret_reference;
mod send;
mod serve;
mod serve_address;
mod shared_record;
mod source_of_platform;
mod stack_outputs;
mod status;
mod store_in_time;
mod telemetry;
mod userinfo;
mod verify;

use labelrelay_core::config::Environment;
use std::process::ExitCode;

fn main() -> ExitCode {
    let environment: Environment = std::env::vars_os().collect();
    let env = match std::env::current_dir() {
        Ok(cwd) => env::Env::new(&environment, cwd),
        Err(error) => {
            return error::CliError::failed(format!("no working directory: {error}")).report();
        }
    };
    let code = match cli::run(std::env::args_os(), &env) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    };
    output::finish();
    code
}
