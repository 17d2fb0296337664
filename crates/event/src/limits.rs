//! Limits of an envelope.

/// Upper bound, in bytes, of everything in an envelope that came from outside and is not the data:
/// ids, subject, partition key, trace context. What is longer, or not printable ASCII, is hashed. `tracestate` alone is
/// as long as W3C asks to pass on: 512.
///
/// 128 is what the narrowest queue takes (`SQS` FIFO: `MessageGroupId` and `MessageDeduplicationId`).
pub const MAX_ATTRIBUTE_BYTES: usize = 128;
