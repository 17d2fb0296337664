//! Requests, one a line.

use serde::Deserialize;

/// A request, and the number that its answer is to have.
#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Numbered {
    #[serde(default)]
    pub(super) id: Option<u64>,
    #[serde(flatten)]
    pub(super) request: Request,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    Receive {
        #[serde(default = "one")]
        max: usize,
        #[serde(default = "half_a_minute")]
        visibility_ms: u64,
        #[serde(default)]
        wait_ms: u64,
    },
    Ack {
        receipts: Vec<String>,
    },
    Retry {
        receipts: Vec<String>,
        #[serde(default)]
        delay_ms: u64,
    },
    Extend {
        receipts: Vec<String>,
        #[serde(default = "half_a_minute")]
        visibility_ms: u64,
    },
    Reject {
        receipts: Vec<String>,
        #[serde(default)]
        reason: Option<String>,
    },
    Queue {},
    Stats {},
}

fn one() -> usize {
    1
}

fn half_a_minute() -> u64 {
    30_000
}

impl Numbered {
    /// Reads a line.
    ///
    /// # Errors
    /// Words that say what is wrong with it.
    pub(super) fn read(line: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(line).map_err(|error| {
            format!(
                "no request: {error}; write one JSON object a line, such as {{\"op\":\"receive\",\"max\":10}}"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_can_be_left_out() {
        assert_eq!(
            Numbered::read(b"{\"op\":\"receive\",\"id\":7}"),
            Ok(Numbered {
                id: Some(7),
                request: Request::Receive {
                    max: 1,
                    visibility_ms: 30_000,
                    wait_ms: 0
                }
            })
        );
    }

    #[test]
    fn a_mistake_is_named() {
        for (line, named) in [
            ("{\"op\":\"nack\",\"receipts\":[]}", "`nack`"),
            ("{\"op\":\"ack\"}", "`receipts`"),
            ("{\"op\":\"retry\",\"receipts\":[],\"delay\":1}", "`delay`"),
            ("{\"op\":\"receive\",\"max\":-1}", "-1"),
            ("{\"receipts\":[]}", "`op`"),
            ("receive", "line 1"),
        ] {
            let problem = Numbered::read(line.as_bytes()).unwrap_err();
            assert!(problem.contains(named), "{problem}");
        }
    }
}
