//! Writes other text over text that must not stay in a file of the journal.

use super::frame::{HEADER_BYTES, seal};
use super::prepared;
use super::segment::Segment;
use crate::entry::{Entry, entries};
use std::io;
use std::path::Path;

/// Writes what `clean` gives for a text or a body over it; that is as long as what was there. Returns the numbers of
/// the deliveries that were changed. Meanwhile nothing is moved out of this file: the caller sees to that.
pub(crate) fn rewrite(
    path: &Path,
    clean: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
) -> io::Result<Vec<i64>> {
    let mut changed = Vec::new();
    let Some(mut segment) = Segment::open(path)? else {
        return Ok(changed);
    };
    let mut buffer = Vec::new();
    for frame in segment.frames()?.0 {
        if !segment.entries(&frame, &mut buffer)? {
            continue;
        }
        let before = changed.len();
        let mut sealed = vec![0; HEADER_BYTES];
        for (number, bytes) in (frame.header.first..).zip(entries(&buffer)) {
            let Some(entry) = Entry::decode(bytes) else {
                break;
            };
            if push_clean(&entry, clean, &mut sealed) {
                changed.push(number);
            }
        }
        // Anything of another length would be written over what follows.
        let is_as_long = sealed.len() == HEADER_BYTES + buffer.len();
        if changed.len() > before && is_as_long {
            seal(&mut sealed, frame.header.first, &frame.header.sums);
            prepared::write_over(path, frame.at - HEADER_BYTES as u64, &sealed)?;
        }
    }
    Ok(changed)
}

/// Writes the entry without what has to go; `true` if that is not as it was.
fn push_clean(
    entry: &Entry<'_>,
    clean: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
    out: &mut Vec<u8>,
) -> bool {
    let text = |text: Option<&str>| String::from_utf8(clean(text?.as_bytes())?).ok();
    let path = text(entry.path);
    let reason = text(entry.reason);
    let head = text(entry.head);
    let subject = text(entry.subject);
    let delivery_id = text(entry.delivery_id);
    let body_start = entry.body_start.and_then(clean);
    let texts = [&path, &reason, &head, &subject, &delivery_id];
    let is_changed = body_start.is_some() || texts.iter().any(|text| text.is_some());
    let cleaned = Entry {
        path: path.as_deref().or(entry.path),
        reason: reason.as_deref().or(entry.reason),
        head: head.as_deref().or(entry.head),
        subject: subject.as_deref().or(entry.subject),
        delivery_id: delivery_id.as_deref().or(entry.delivery_id),
        body_start: body_start.as_deref().or(entry.body_start),
        ..*entry
    };
    cleaned.encode(out);
    is_changed
}
