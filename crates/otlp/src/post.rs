//! What sends a message to the collector.

use crate::settings::Target;
use bytes::Bytes;

/// Posts messages to a collector, one after the other.
pub trait Post: Send + 'static {
    /// Posts `message` with the target's headers and `Content-Type: application/x-protobuf`, and reads the answer to its
    /// end. Returns its status, or why there is none. May be dropped at any moment.
    fn post(
        &mut self,
        target: &Target,
        message: Bytes,
    ) -> impl Future<Output = Result<u16, String>> + Send;
}
