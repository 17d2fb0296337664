//! Events without their data: the queue's content at the price of its attributes.

use super::{QueueFile, columns};
use crate::queue_file_error::FileError;

/// The data comes last in an envelope, and what stands before it is bounded: a hundred and a few bytes for
/// each of some twenty attributes.
pub(super) const ATTRIBUTES_BYTES: usize = 16 * 1024;

/// Beginning of the data. No attribute can hold this: JSON escapes the quotes in a string.
const DATA: [&[u8]; 2] = [b",\"data\":", b",\"data_base64\":"];

/// An event without its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventAttributes {
    /// Order of arrival.
    pub seq: u64,
    /// The envelope's attributes: one JSON object.
    pub attributes: Vec<u8>,
}

impl QueueFile {
    /// Up to `max` events that arrived after number `after`, in order of arrival.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn attributes_after(
        &self,
        after: u64,
        max: usize,
    ) -> Result<Vec<EventAttributes>, FileError> {
        let limit = i64::try_from(max).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT seq, substr(envelope, 1, {ATTRIBUTES_BYTES}) FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2"
        );
        self.read(|db| {
            let mut select = db.prepare_cached(&sql)?;
            let heads = select.query_map([after.cast_signed(), limit], |row| {
                Ok(EventAttributes {
                    seq: row.get::<_, i64>(0)?.cast_unsigned(),
                    attributes: without_data(columns::bytes(row, 1)?),
                })
            })?;
            Ok(heads.collect::<Result<_, _>>()?)
        })
    }
}

pub(super) fn without_data(mut envelope: Vec<u8>) -> Vec<u8> {
    let begin = |mark: &&[u8]| {
        envelope
            .windows(mark.len())
            .position(|window| window == *mark)
    };
    if let Some(at) = DATA.iter().filter_map(begin).min() {
        envelope.truncate(at);
        envelope.push(b'}');
    }
    envelope
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_cut_off_whatever_is_in_it() {
        for (envelope, head) in [
            (
                r#"{"id":"1","dataschema":"s","data":{"a":1,"data":2}}"#,
                r#"{"id":"1","dataschema":"s"}"#,
            ),
            (r#"{"id":"1","data_base64":"AA=="}"#, r#"{"id":"1"}"#),
            (r#"{"id":"1","data":",\"data_base64\":"#, r#"{"id":"1"}"#),
            (
                r#"{"id":"1","dataref":"file:///x"}"#,
                r#"{"id":"1","dataref":"file:///x"}"#,
            ),
        ] {
            assert_eq!(
                String::from_utf8(without_data(envelope.into())).unwrap(),
                head
            );
        }
    }
}
