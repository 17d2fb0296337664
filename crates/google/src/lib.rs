//! Google Cloud for labelrelay.
