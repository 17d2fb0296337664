//! The log: its level, its lines, who writes them, and what is reported of deliveries.

mod level;
mod limit;
mod lines;
mod observer;
mod panics;
mod writer;

pub use level::level;
pub use limit::{Kind, LogLimit};
pub use lines::{Format, Line, Lines, Sink, is_shown, subscriber, to_writer, written};
pub use observer::{BoundedLog, LogObserver};
pub use panics::panics_to;
pub use writer::LogWriter;
