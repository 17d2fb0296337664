//! Telemetry by OTLP: spans of requests, and metrics, to an OpenTelemetry collector.
//!
//! [`Settings`] are the variables that OpenTelemetry's specification names. A [`Tracer`] is an observer: it notes
//! requests that have their answer, in a bounded buffer. Whoever works on events tells it of those ([`Processing`]). An
//! [`Exporter`] empties the buffer, a batch at a time, through whatever [`Post`]s for it, as a rule a [`Collector`].
//! Neither holds up an answer: without room, spans are dropped and counted. Programs that take deliveries in have both as
//! [`DeliveryTelemetry`], and functions as [`FunctionTelemetry`].

mod at_start;
mod collector;
mod cut;
mod deliveries;
mod deltas;
mod destination;
mod exporter;
mod exposition;
mod finished;
mod function;
mod health;
mod ids;
mod key_value;
mod message;
mod post;
mod processed;
mod same;
mod sampler;
mod settings;
mod tracer;
mod waiting;
mod wire;

pub use collector::Collector;
pub use deliveries::{DeliveryTelemetry, Noting};
pub use destination::Destination;
pub use exporter::{END_WITHIN, Exporter, Exporting};
pub use function::{AboutFunction, FunctionTelemetry};
pub use post::Post;
pub use processed::Processing;
pub use sampler::Sampler;
pub use settings::{Settings, Target};
pub use tracer::{MOST_BYTES, Tracer};
