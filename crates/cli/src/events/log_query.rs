//! The query that finds a delivery in the log of a cloud's function: there, log lines are the record.

use crate::error::CliError;
use std::fmt::Write as _;

/// Rows that a query shows: a beginning of an id may be that of many.
const MAX_ROWS: u32 = 100;

/// The cloud whose function's log is searched.
//
// The kinds have no words of their own: clap would then print the whole help in its long form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum FunctionLog {
    Aws,
    Google,
    Azure,
}

impl FunctionLog {
    /// Finds the deliveries whose event id, or id on the platform, begins so.
    pub(super) fn query(self, id: &str) -> Result<String, CliError> {
        if id.chars().any(char::is_control) {
            return Err(CliError::usage(
                "an id has no line break and no other control character in it",
            ));
        }
        Ok(match self {
            Self::Aws => {
                let begins = format!("like /^{}/", regex(id));
                format!(
                    "fields @timestamp, event, outcome, reason, id, delivery_id, elapsed_ms, queue_ms, @message\n\
                     | filter id {begins} or delivery_id {begins}\n\
                     | sort @timestamp asc\n\
                     | limit {MAX_ROWS}"
                )
            }
            Self::Google => {
                let begins = format!("=~{}", quoted(&format!("^{}", regex(id))));
                format!(
                    "resource.type=\"cloud_run_revision\"\n\
                     (jsonPayload.id{begins} OR jsonPayload.delivery_id{begins})"
                )
            }
            // The host hands each line on as the text of a trace.
            Self::Azure => {
                let begins = format!("startswith_cs {}", quoted(id));
                let mut query = format!(
                    "AppTraces\n\
                     | extend line = parse_json(extract(@\"\\{{.*\\}}\", 0, Message))\n\
                     | where tostring(line.id) {begins} or tostring(line.delivery_id) {begins}\n\
                     | project TimeGenerated"
                );
                for name in ["event", "outcome", "reason", "id", "delivery_id"] {
                    // Writing into memory does not fail.
                    let _ = write!(query, ", {name} = tostring(line.{name})");
                }
                for name in ["elapsed_ms", "queue_ms"] {
                    let _ = write!(query, ", {name} = todouble(line.{name})");
                }
                let _ = write!(
                    query,
                    ", Message\n| order by TimeGenerated asc\n| take {MAX_ROWS}"
                );
                query
            }
        })
    }

    /// Where the query goes, and what it cannot find.
    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Aws => {
                "for Logs Insights, with the log group of the relay's function. The log has every delivery, unless LogLevel hides what went well; of a flood of refusals a few"
            }
            Self::Google => {
                "for the Logs Explorer, or `gcloud logging read`. The log has every delivery, unless log_level hides what went well; of a flood of refusals a few"
            }
            Self::Azure => {
                "for the logs of the Log Analytics workspace. The log has every delivery, unless logLevel hides what went well; of a flood of refusals a few"
            }
        }
    }
}

/// The text as a regular expression that means no other: as the three clouds write them, a slash too.
fn regex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '-' | '_') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The text as a string in quotation marks.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_has_its_query() {
        let query = |cloud: FunctionLog| cloud.query("9f86-d_0").unwrap();
        assert_eq!(
            query(FunctionLog::Aws),
            "fields @timestamp, event, outcome, reason, id, delivery_id, elapsed_ms, queue_ms, @message
| filter id like /^9f86-d_0/ or delivery_id like /^9f86-d_0/
| sort @timestamp asc
| limit 100"
        );
        assert_eq!(
            query(FunctionLog::Google),
            "resource.type=\"cloud_run_revision\"
(jsonPayload.id=~\"^9f86-d_0\" OR jsonPayload.delivery_id=~\"^9f86-d_0\")"
        );
        assert_eq!(
            query(FunctionLog::Azure),
            r#"AppTraces
| extend line = parse_json(extract(@"\{.*\}", 0, Message))
| where tostring(line.id) startswith_cs "9f86-d_0" or tostring(line.delivery_id) startswith_cs "9f86-d_0"
| project TimeGenerated, event = tostring(line.event), outcome = tostring(line.outcome), reason = tostring(line.reason), id = tostring(line.id), delivery_id = tostring(line.delivery_id), elapsed_ms = todouble(line.elapsed_ms), queue_ms = todouble(line.queue_ms), Message
| order by TimeGenerated asc
| take 100"#
        );
    }

    #[test]
    fn an_id_stays_an_id_whatever_is_in_it() {
        let id = r#"a/ or 1=1 "b\.*"#;
        for (cloud, part) in [
            (
                FunctionLog::Aws,
                r#"filter id like /^a\/ or 1\=1 \"b\\\.\*/ or"#,
            ),
            (
                FunctionLog::Google,
                r#"jsonPayload.id=~"^a\\/ or 1\\=1 \\\"b\\\\\\.\\*" OR"#,
            ),
            (
                FunctionLog::Azure,
                r#"tostring(line.id) startswith_cs "a/ or 1=1 \"b\\.*" or"#,
            ),
        ] {
            let query = cloud.query(id).unwrap();
            assert!(query.contains(part), "{query}");
        }
        for cloud in [FunctionLog::Aws, FunctionLog::Google, FunctionLog::Azure] {
            for id in ["a\nb", "a\u{85}b"] {
                assert!(cloud.query(id).is_err(), "{id:?}");
            }
        }
    }
}
