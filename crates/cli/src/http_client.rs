//! The client of every verb that speaks to a relay, a receiver or a host of media.

pub(crate) use labelrelay_http_client::{BrokeOff, Connection, NoAnswer, TrustedRoots, send};
