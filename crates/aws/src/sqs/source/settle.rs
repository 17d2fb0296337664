//! Acknowledgements and changes of visibility: ten receipts a request, each with an answer of its own.

use super::receipt::SqsReceipt;
use super::requests::Action;
use super::{BATCH, SqsSource, now_s};
use crate::sqs::answer_digests::unproven;
use futures_util::StreamExt as _;
use futures_util::stream::iter;
use labelrelay_core::{EventSourceError, QueueError, Settled};
use serde_json::{Value, json};
use std::time::Duration;

/// Requests under way at once.
const AT_ONCE: usize = 8;

/// One message to be settled.
struct Entry {
    /// Place of its receipt, and of its outcome in the answer.
    place: usize,
    handle: String,
    /// Time for which it is to be hidden.
    seconds: Option<u64>,
}

impl SqsSource {
    /// Settles messages by their receipts; the answers are in the receipts' order. What is no receipt is stale. A time to be
    /// hidden is cut to what is left of the longest one of each message.
    pub(super) async fn settle(
        &self,
        action: Action,
        receipts: &[&str],
        seconds: Option<u64>,
    ) -> Result<Vec<Settled>, EventSourceError> {
        let now_s = now_s();
        let entry = |(place, receipt): (usize, &&str)| {
            let receipt = SqsReceipt::parse(receipt)?;
            Some(Entry {
                place,
                seconds: seconds.map(|seconds| seconds.min(receipt.left_s(now_s))),
                handle: receipt.handle,
            })
        };
        let entries: Vec<Entry> = receipts.iter().enumerate().filter_map(entry).collect();
        let batches = entries.chunks(BATCH);
        let asked: Vec<_> = batches.map(|batch| self.batch(action, batch)).collect();
        let answers: Vec<_> = iter(asked).buffered(AT_ONCE).collect().await;
        let mut settled = vec![Settled::Stale; receipts.len()];
        for answer in answers {
            let answer = answer.map_err(|error| self.queue.source_error(&error))?;
            for (place, outcome) in answer {
                if let Some(at) = settled.get_mut(place) {
                    *at = outcome;
                }
            }
        }
        Ok(settled)
    }

    async fn batch(
        &self,
        action: Action,
        batch: &[Entry],
    ) -> Result<Vec<(usize, Settled)>, QueueError> {
        let entry = |entry: &Entry| {
            let mut asked = json!({ "Id": entry.place.to_string(), "ReceiptHandle": entry.handle });
            if let (Some(members), Some(seconds)) = (asked.as_object_mut(), entry.seconds) {
                members.insert("VisibilityTimeout".to_owned(), json!(seconds));
            }
            asked
        };
        let entries: Vec<Value> = batch.iter().map(entry).collect();
        let asked = json!({ "Entries": entries });
        let answer = self.queue.call(action, asked, Duration::ZERO).await?;
        let each = batch.iter().map(|entry| {
            let outcome = self.outcome(action, &answer, &entry.place.to_string())?;
            Ok((entry.place, outcome))
        });
        each.collect()
    }

    /// Result of one entry.
    fn outcome(&self, action: Action, answer: &Value, id: &str) -> Result<Settled, QueueError> {
        let entry = |list: &str| {
            let mut entries = answer.get(list)?.as_array()?.iter();
            entries.find(|entry| entry.get("Id").and_then(Value::as_str) == Some(id))
        };
        if entry("Successful").is_some() {
            return Ok(Settled::Done);
        }
        let Some(failed) = entry("Failed") else {
            let message = "the answer does not say what became of a message: it is not SQS that answers, or something in between";
            return Err(unproven(message.to_owned()));
        };
        let text = |name: &str| failed.get(name).and_then(Value::as_str).unwrap_or_default();
        let (code, said) = (text("Code"), text("Message"));
        if is_stale(code, said) {
            return Ok(Settled::Stale);
        }
        let is_ours = failed.get("SenderFault").and_then(Value::as_bool);
        let status = if is_ours == Some(false) { 500 } else { 400 };
        Err(self.queue.stated(action, status, code, said))
    }
}

/// Tells whether an error says that the receipt is not, or no longer, good. SQS has several words for that.
fn is_stale(code: &str, said: &str) -> bool {
    let own = code.rsplit(['.', '#']).next().unwrap_or(code);
    match own {
        "MessageNotInflight" | "ReceiptHandleIsInvalid" => true,
        "InvalidParameterValue" | "InvalidParameterValueException" => {
            let said = said.to_ascii_lowercase();
            ["receipt handle", "receipthandle", "does not exist"]
                .iter()
                .any(|words| said.contains(words))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_that_are_no_longer_good_are_told_from_other_errors() {
        let reason =
            "Reason: Message does not exist or is not available for visibility timeout change.";
        for (code, said, stale) in [
            ("ReceiptHandleIsInvalid", "x", true),
            ("com.amazonaws.sqs#ReceiptHandleIsInvalid", "x", true),
            ("AWS.SimpleQueueService.MessageNotInflight", "x", true),
            ("InvalidParameterValue", reason, true),
            (
                "InvalidParameterValue",
                "The receipt handle has expired.",
                true,
            ),
            (
                "InvalidParameterValue",
                "Total VisibilityTimeout for the message is beyond the limit",
                false,
            ),
            ("InternalError", "the receipt handle", false),
            ("RequestThrottled", "", false),
        ] {
            assert_eq!(is_stale(code, said), stale, "{code} {said}");
        }
    }
}
