//! labelrelay on AWS Lambda, behind a function URL, an HTTP API, a REST API or an Application Load Balancer.
//!
//! The adapter turns an event into a request head and the body's raw bytes, lets core decide, and turns
//! core's answer into Lambda's. Lambda freezes a function once it has answered, so everything about a
//! delivery ends inside its invocation: what is not durable by then is answered with 503.
//!
//! The same program is a second function, which no URL reaches: it moves events from the fallback into
//! the queue ([`Redrive`]).

mod clock;
pub mod event;
mod export;
mod function;
pub mod init;
pub mod log;
mod redrive;
mod request_head;
mod response;
mod telemetry;

pub use clock::FunctionClock;
pub use event::{Event, Front};
#[cfg(feature = "otlp")]
pub use export::Answered;
pub use export::Export;
pub use function::{Function, NotARequest};
pub use redrive::Redrive;
pub use response::Response;
pub use telemetry::Telemetry;
