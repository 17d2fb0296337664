//! An event whose bytes in the queue file are not what was queued, in words.

/// Names the event `seq`, and the cure.
pub(crate) fn damaged_event(seq: u64, reason: &str) -> String {
    format!(
        "event {seq} is damaged in the queue file: {reason}; `labelrelay events show {seq} --envelope` prints what is left of it; the platform still has the thing that it told of"
    )
}
