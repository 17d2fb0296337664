//! The function: its handler in this process, and its binary behind the real tools.

mod conformance;
mod craft;
