//! Requests, one a line.

use serde::Deserialize;

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
    Stats {},
}

fn one() -> usize {
    1
}

fn half_a_minute() -> u64 {
    30_000
}

impl Request {
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
            Request::read(b"{\"op\":\"receive\"}"),
            Ok(Request::Receive {
                max: 1,
                visibility_ms: 30_000,
                wait_ms: 0
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
            let problem = Request::read(line.as_bytes()).unwrap_err();
            assert!(problem.contains(named), "{problem}");
        }
    }
}
