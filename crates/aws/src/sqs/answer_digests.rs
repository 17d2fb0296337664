//! Proof that SQS holds the message: the digests in its answer. The SDK does not compare them; an answer that was
//! cut, cached or made by something in between would pass for a success.

use super::attributes;
use super::message_content::MessageContent;
use aws_sdk_sqs::operation::send_message::SendMessageOutput;
use labelrelay_core::{QueueError, QueueErrorKind, Receipt};

/// The receipt, if the answer's digests are those of the message.
pub(super) fn verified(
    answer: &SendMessageOutput,
    content: &MessageContent<'_>,
) -> Result<Receipt, QueueError> {
    same(
        "MD5OfMessageBody",
        answer.md5_of_message_body(),
        &attributes::md5_of(&content.body),
    )?;
    same(
        "MD5OfMessageAttributes",
        answer.md5_of_message_attributes(),
        &content.md5_of_attributes(),
    )?;
    let Some(id) = answer.message_id().filter(|id| !id.is_empty()) else {
        return Err(unproven("SQS answered without a MessageId".to_owned()));
    };
    Ok(Receipt::new(Some(id.to_owned())))
}

/// Proves one digest of an answer.
pub(super) fn same(what: &str, answered: Option<&str>, computed: &str) -> Result<(), QueueError> {
    match answered {
        Some(answered) if answered.eq_ignore_ascii_case(computed) => Ok(()),
        Some(_) => Err(unproven(format!(
            "the answer's {what} is not that of the message: something between here and SQS changes requests or answers"
        ))),
        None => Err(unproven(format!(
            "the answer has no {what}: it is not SQS that answers, or something in between"
        ))),
    }
}

/// Trying again may put the message there twice; on a FIFO queue the second is dropped, and on any other
/// a consumer knows it by its id. Not trying again may lose it.
pub(super) fn unproven(message: String) -> QueueError {
    let mut error = QueueError::new(QueueErrorKind::Unproven, message);
    error.retryable = true;
    error
}
