//! A build with it. Spans and counts leave once the answer has: Lambda hands an answer to the sender when the runtime
//! posts it, and freezes the function when the runtime asks for the next event. What lies between the two delays nobody
//! but the next delivery that this instance would get, and is paid for. So it is bounded.

use crate::clock::moment;
use crate::log::in_request;
use labelrelay_core::config::Lookup;
use labelrelay_core::{Clock, Observer};
use labelrelay_otlp::{AboutFunction, Collector, Exporter, FunctionTelemetry};
use labelrelay_startup::OsEntropy;
use lambda_http::Error;
use lambda_http::lambda_runtime::{LambdaInvocation, Runtime};
use lambda_http::tower::{Layer, Service};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Mutex;

/// Time for what is sent after an answer, unless `OTEL_EXPORTER_OTLP_TIMEOUT` says another: enough for the first handshake
/// of TLS on the smallest function, which takes a second there. One that was cut off would begin anew with each answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// It has ended this long before Lambda ends the invocation, which would count as an error of the function.
const MARGIN: Duration = Duration::from_millis(250);

/// What is exported, if anything is.
pub struct Export(Option<On>);

struct On {
    clock: Arc<dyn Clock>,
    exporter: Mutex<Exporter<Collector>>,
}

impl Export {
    /// Reads the settings. Events go to `queue`, a URL. Returns what feeds `log`, and the spans and counts if they go
    /// anywhere. Must be called within a Tokio runtime.
    pub fn of(
        queue: Option<&str>,
        lookup: Lookup<'_>,
        clock: &Arc<dyn Clock>,
        log: Arc<dyn Observer>,
    ) -> (Self, Arc<dyn Observer>) {
        let about = AboutFunction {
            queue: queue.unwrap_or_default(),
            provider: "aws",
            name: lookup.text("AWS_LAMBDA_FUNCTION_NAME").ok().flatten(),
            timeout: Some(TIMEOUT),
        };
        let on = FunctionTelemetry::at_start(&about, lookup, clock, Arc::new(OsEntropy));
        let Some(telemetry) = on else {
            return (Self(None), log);
        };
        let observer = telemetry.beside(log);
        let on = On {
            clock: Arc::clone(clock),
            exporter: Mutex::new(telemetry.exporter()),
        };
        (Self(Some(on)), observer)
    }

    /// The same runtime, which exports after each answer, and asks for the next event only then.
    pub fn after_answers<'a, S>(&'a self, runtime: Runtime<S>) -> Runtime<Answered<'a, S>>
    where
        S: Service<LambdaInvocation, Response = (), Error = Error>,
        S::Future: 'a,
    {
        runtime.layer(AfterAnswers(self))
    }

    /// Sends what there is, well before `deadline`, which is Lambda's, in milliseconds since 1970.
    async fn flush(&self, deadline: u64) {
        let Some(on) = &self.0 else {
            return;
        };
        let end = moment(&*on.clock, deadline);
        let left = end.map_or(Duration::MAX, |end| {
            end.saturating_sub(on.clock.monotonic())
        });
        // One invocation at a time: nobody waits here.
        let mut exporter = on.exporter.lock().await;
        exporter.flush(left.saturating_sub(MARGIN)).await;
    }
}

struct AfterAnswers<'a>(&'a Export);

impl<'a, S> Layer<S> for AfterAnswers<'a> {
    type Service = Answered<'a, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Answered {
            inner,
            export: self.0,
        }
    }
}

/// A service whose answers are followed by an export.
pub struct Answered<'a, S> {
    inner: S,
    export: &'a Export,
}

impl<'a, S> Service<LambdaInvocation> for Answered<'a, S>
where
    S: Service<LambdaInvocation, Response = (), Error = Error>,
    S::Future: 'a,
{
    type Response = ();
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let export = self.export;
        let id = invocation.context.request_id.clone();
        let deadline = invocation.context.deadline;
        let answered = self.inner.call(invocation);
        Box::pin(async move {
            let posted = answered.await;
            in_request(id, export.flush(deadline)).await;
            posted
        })
    }
}
