//! Panics, as lines of the log.

use super::lines::{Format, Line, Sink, written};
use tracing::Level;

/// Panics become one line that says where. Not their message: it may quote what it stumbled over.
pub fn panics_to(format: Format, sink: Sink) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let message = format!("a bug at {place}: please report it");
        let fields = [("message", &message), ("place", &place)];
        sink(&written(format, Line::new(Level::ERROR, "panic", fields)));
    }));
}
