//! The function's `bootstrap`: wiring alone.

mod places;

use labelrelay_aws::Aws;
use labelrelay_core::Clock;
use labelrelay_core::config::{ConfigError, Environment, Lookup, misspelt};
use labelrelay_lambda::init::{self, Role};
use labelrelay_lambda::{Event, Function, FunctionClock, Redrive, Telemetry, log};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use places::Places;
use std::process::ExitCode;
use std::sync::Arc;
use tracing::level_filters::LevelFilter;

/// Bad configuration, as `sysexits.h` numbers it.
const EXIT_CONFIG: u8 = 78;

fn main() -> ExitCode {
    let sink = log::stdout();
    log::panics_to(Arc::clone(&sink));
    let environment: Environment = std::env::vars_os().collect();
    match start(&environment, &sink) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Config(error)) => {
            let ConfigError {
                origin,
                key,
                problem,
                cure,
            } = &error;
            sink(&log::line(
                LevelFilter::ERROR,
                "bad_configuration",
                &[
                    ("origin", origin),
                    ("key", key),
                    ("problem", problem),
                    ("cure", cure),
                ],
            ));
            ExitCode::from(EXIT_CONFIG)
        }
        Err(Failure::Runtime(error)) => {
            let reason = error.to_string();
            sink(&log::line(
                LevelFilter::ERROR,
                "runtime_failed",
                &[("reason", &reason)],
            ));
            ExitCode::FAILURE
        }
    }
}

enum Failure {
    /// Somebody has to change something.
    Config(ConfigError),
    /// Lambda's side of it broke.
    Runtime(Error),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

fn start(lookup: Lookup<'_>, sink: &log::Sink) -> Result<(), Failure> {
    let level = log::level(lookup)?;
    // Nobody else sets one; if somebody did, their lines would go there, which is no reason to stop.
    let _ = tracing::subscriber::set_global_default(log::subscriber(level, Arc::clone(sink)));
    let name = lookup.text("AWS_LAMBDA_FUNCTION_NAME")?.unwrap_or_default();
    let telemetry = Arc::new(Telemetry::new(name, level, Arc::clone(sink)));
    let aws = Aws::load(lookup).map_err(places::bad_setting)?;
    let open = Places { aws, lookup };
    // One invocation at a time: a second thread would have nothing to do.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Runtime(error.into()))?;
    match init::role(lookup)? {
        Role::Relay => {
            let config = init::config(lookup)?;
            for warning in &config.warnings {
                tracing::warn!(name: "configuration_warning", "{warning}");
            }
            let clock: Arc<dyn Clock> = Arc::new(FunctionClock::default());
            let relay = Arc::new(init::relay(&config, &open, clock, Arc::clone(&telemetry))?);
            runtime.block_on(init::warm(&relay, lookup))?;
            runtime.block_on(Box::pin(serve(Function::new(relay, telemetry))))
        }
        Role::Redrive => {
            for warning in misspelt(lookup, &[]) {
                tracing::warn!(name: "configuration_warning", "{warning}");
            }
            let redrive = init::redrive(lookup, &open, telemetry)?;
            runtime.block_on(empty(redrive))
        }
    }
    .map_err(Failure::Runtime)
}

async fn serve(function: Function) -> Result<(), Error> {
    let function = &function;
    let run = lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| {
        let (event, context) = event.into_parts();
        log::in_request(context.request_id, async move {
            let answer = function.invoke(event, context.deadline).await;
            answer.map_err(|error| diagnostic("NotARequest", &error))
        })
    }));
    Box::pin(run).await
}

async fn empty(redrive: Redrive) -> Result<(), Error> {
    let redrive = &redrive;
    // Whatever the schedule sends: it says nothing but that it is time.
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| {
        let context = event.context;
        log::in_request(context.request_id, async move {
            let moved = redrive.invoke(context.deadline).await;
            moved.map_err(|error| diagnostic("FallbackUnreadable", &error))
        })
    }))
    .await
}

/// What Lambda shows to whoever invoked the function directly, and counts as an error.
fn diagnostic(kind: &str, error: &dyn std::error::Error) -> Diagnostic {
    Diagnostic {
        error_type: kind.to_owned(),
        error_message: error.to_string(),
    }
}
