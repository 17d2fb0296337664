//! The log: its level, its lines, who writes them, and what is reported of deliveries.

mod level;
mod lines;
mod observer;
mod panics;
mod rate_limit;
mod writer;

pub use level::level;
pub use lines::{Format, Line, Lines, Sink, is_shown, subscriber, to_writer, written};
pub use observer::{BoundedLog, LogObserver};
pub use panics::panics_to;
pub use rate_limit::{Kind, LogLimit};
pub use writer::LogWriter;
