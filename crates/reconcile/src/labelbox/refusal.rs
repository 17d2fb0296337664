//! Changes that Labelbox refuses: what it says, and what to do.

use super::webhook::TOPICS;
use crate::platform::PlatformError;

/// A refusal. Words that quote the secret, or the beginning of it, are left out.
pub(super) fn refused(what: &str, error: &PlatformError, secret: Option<&str>) -> PlatformError {
    let beginning = secret.map(|secret| -> String { secret.chars().take(8).collect() });
    let is_quoted = |beginning: &String| {
        let escaped = beginning.escape_debug().to_string();
        error.message.contains(beginning.as_str()) || error.message.contains(&escaped)
    };
    let said = match beginning.as_ref().filter(|beginning| is_quoted(beginning)) {
        Some(_) => {
            "Labelbox refuses it, in words that quote the secret; see the URL, the topics and the characters of the secret"
        }
        None => error.message.as_str(),
    };
    PlatformError {
        message: format!("{what}: {said}"),
        is_retryable: error.is_retryable,
        is_too_large: error.is_too_large,
        refuses_address: error.refuses_address,
        unseen_project: None,
    }
}

/// A refusal, with a cure if it names a topic. If it names several, the cure is about one that Labelbox's own client
/// does not know.
pub(super) fn with_topics_cure(refusal: PlatformError, topics: &[String]) -> PlatformError {
    let is_usual = |topic: &str| TOPICS.contains(&topic);
    let mut named: Vec<_> = topics
        .iter()
        .filter(|topic| refusal.message.contains(topic.as_str()))
        .collect();
    named.sort_by_key(|topic| is_usual(topic));
    let Some(topic) = named.first() else {
        return refusal;
    };
    let others = TOPICS.into_iter().filter(|other| *other != topic.as_str());
    let others: Vec<_> = others.collect();
    PlatformError {
        message: format!(
            "{}; leave the topic {topic} out: name those to send with --topic, or in `topics` of [source.webhook], such as {}",
            refusal.message,
            others.join(", ")
        ),
        ..refusal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_is_refused_is_named_with_what_to_do() {
        let refuse = |message: &str, topics: &[&str]| {
            let topics: Vec<_> = topics.iter().map(|topic| (*topic).to_owned()).collect();
            with_topics_cure(PlatformError::permanent(message), &topics).message
        };
        let unknown = "Value \"NO_TOPIC\" does not exist. Did you mean LABEL_CREATED?";
        let said = refuse(unknown, &["LABEL_CREATED", "NO_TOPIC"]);
        assert!(said.contains("leave the topic NO_TOPIC out"), "{said}");
        let said = refuse("WORKFLOW_ACTION is not in your plan", &TOPICS);
        assert!(
            said.contains("leave the topic WORKFLOW_ACTION out"),
            "{said}"
        );
        assert!(
            said.ends_with("such as LABEL_CREATED, LABEL_UPDATED, LABEL_DELETED"),
            "{said}"
        );
        assert_eq!(refuse("url is not allowed", &TOPICS), "url is not allowed");
    }

    #[test]
    fn a_refusal_does_not_repeat_the_secret() {
        let error = PlatformError::permanent("Labelbox answered an error (X): secret \"s3cr3t\"");
        let refusal = refused("a webhook", &error, Some("s3cr3t"));
        assert!(!refusal.message.contains("s3cr3t"), "{refusal}");
    }
}
