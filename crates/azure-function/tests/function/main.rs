//! The custom handler.
