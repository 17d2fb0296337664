//! The function's `bootstrap`: wiring alone.

use labelrelay_aws::Aws;
use labelrelay_core::config::{ENVIRONMENT, Environment, Lookup};
use labelrelay_core::{Clock, Observer};
use labelrelay_lambda::init::{self, Role};
use labelrelay_lambda::{Event, Export, Function, FunctionClock, Redrive, Telemetry, log};
use labelrelay_startup::log::{Line, Sink, level, panics_to, subscriber, written};
use labelrelay_startup::{Open, StartError};
use lambda_http::lambda_runtime::layers::TracingLayer;
use lambda_http::lambda_runtime::{self, Diagnostic, Runtime};
use lambda_http::{Error, LambdaEvent, service_fn};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tracing::Level;
use tracing::level_filters::LevelFilter;

fn main() -> ExitCode {
    let sink = log::stdout();
    panics_to(log::format, Arc::clone(&sink));
    let environment: Environment = std::env::vars_os().collect();
    let (line, code) = match start(&environment, &sink) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(RunError::Start(error)) => (
            written(log::format, error.line()),
            ExitCode::from(error.exit_code()),
        ),
        Err(RunError::Runtime(error)) => {
            let reason = [("reason", &error.to_string())];
            let line = Line::new(Level::ERROR, "runtime_failed", reason);
            (written(log::format, line), ExitCode::FAILURE)
        }
    };
    sink(&line);
    code
}

enum RunError {
    /// The function does not start.
    Start(StartError),
    /// Lambda's side of it broke.
    Runtime(Error),
}

impl<E: Into<StartError>> From<E> for RunError {
    fn from(error: E) -> Self {
        Self::Start(error.into())
    }
}

fn start(lookup: Lookup<'_>, sink: &Sink) -> Result<(), RunError> {
    let level = level(lookup, Some("AWS_LAMBDA_LOG_LEVEL"))?;
    let subscriber = subscriber(level, LevelFilter::WARN, log::format, Arc::clone(sink));
    // No other code sets a global subscriber; if some did, it would get the lines, which is no reason to stop.
    let _ = tracing::subscriber::set_global_default(subscriber);
    let name = lookup.text("AWS_LAMBDA_FUNCTION_NAME")?.unwrap_or_default();
    let telemetry = Arc::new(Telemetry::new(name, level, Arc::clone(sink)));
    let aws = Aws::load(lookup).map_err(|error| StartError::at(error, ENVIRONMENT, "AWS"))?;
    let open = Open {
        lookup,
        cwd: Path::new("."),
        default_queue: None,
        back_end: &aws,
    };
    let clock: Arc<dyn Clock> = Arc::new(FunctionClock::default());
    // One invocation at a time: a second thread would have nothing to do.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| RunError::Runtime(error.into()))?;
    match init::role(lookup)? {
        Role::Relay => {
            let config = open.configuration()?;
            let log: Arc<dyn Observer> = Arc::<Telemetry>::clone(&telemetry);
            let opened = async {
                let (export, log) = Export::of(config.queue.as_deref(), lookup, &clock, log);
                let relay = Box::pin(init::relay(&config, &open, Arc::clone(&clock), log));
                Ok::<_, StartError>((relay.await?, export))
            };
            let (relay, export) = runtime.block_on(opened)?;
            let function = Function::new(Arc::new(relay), telemetry);
            runtime.block_on(Box::pin(serve(function, export)))
        }
        Role::Redrive => {
            let redrive = runtime.block_on(Redrive::open(&open, clock, telemetry))?;
            runtime.block_on(empty(redrive))
        }
    }
    .map_err(RunError::Runtime)
}

async fn serve(function: Function, export: Export) -> Result<(), Error> {
    let (function, export) = (&function, &export);
    let handler = service_fn(move |event: LambdaEvent<Event>| {
        let (event, context) = event.into_parts();
        log::in_request(context.request_id, async move {
            let answer = function.invoke(event, context.deadline).await;
            answer.map_err(|error| diagnostic("NotARequest", &error))
        })
    });
    // As `lambda_runtime::run` does it, and the export around it.
    let runtime = Runtime::new(handler).layer(TracingLayer::new());
    Box::pin(export.after_answers(runtime).run()).await
}

async fn empty(redrive: Redrive) -> Result<(), Error> {
    let redrive = &redrive;
    // The schedule's event is not read: it says nothing but that it is time.
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| {
        let context = event.context;
        log::in_request(context.request_id, async move {
            let moved = redrive.invoke(context.deadline).await;
            moved.map_err(|error| diagnostic("FallbackUnreadable", &error))
        })
    }))
    .await
}

/// Error that Lambda shows to whoever invoked the function directly, and counts.
fn diagnostic(kind: &str, error: &dyn std::error::Error) -> Diagnostic {
    Diagnostic {
        error_type: kind.to_owned(),
        error_message: error.to_string(),
    }
}
