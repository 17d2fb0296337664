//! Topics that a webhook shall send, and the check that one does.

use labelrelay_reconcile::labelbox::{Status, TOPICS, Webhook, WebhookChange};

/// A topic on the command line.
pub(super) fn parse(text: &str) -> Result<String, String> {
    let topic = text.trim().to_ascii_uppercase().replace('-', "_");
    let is_word = !topic.is_empty()
        && topic
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if is_word {
        Ok(topic)
    } else {
        Err(format!("a topic is one of {}", TOPICS.join(", ")))
    }
}

pub(super) struct Topics {
    wanted: Vec<String>,
    /// `true` if other topics are too many.
    is_exact: bool,
}

impl Topics {
    /// The topics that were asked for, else all that are known.
    pub(super) fn new(asked: &[String]) -> Self {
        let mut wanted: Vec<_> = if asked.is_empty() {
            TOPICS.map(str::to_owned).to_vec()
        } else {
            asked.to_vec()
        };
        let mut seen = std::collections::HashSet::new();
        wanted.retain(|topic| seen.insert(topic.clone()));
        Self {
            wanted,
            is_exact: !asked.is_empty(),
        }
    }

    /// Topics of a webhook that is made.
    pub(super) fn of_new(&self) -> &[String] {
        &self.wanted
    }

    /// Topics that a webhook with these topics should get; `None` when it needs no change.
    fn others(&self, topics: &[String]) -> Option<Vec<String>> {
        let is_missing = |topic: &&String| !topics.contains(topic);
        let missing = self.wanted.iter().filter(is_missing).count();
        let has_others = topics.iter().any(|topic| !self.wanted.contains(topic));
        match (missing, has_others, self.is_exact) {
            (0, false, _) | (0, true, false) => None,
            (_, _, true) => Some(self.wanted.clone()),
            // Topics beyond these were somebody's wish.
            (_, _, false) => {
                let mut all = topics.to_vec();
                all.extend(self.wanted.iter().filter(is_missing).cloned());
                Some(all)
            }
        }
    }

    /// Flaws that keep a webhook from sending what it should, and the topics that it should have.
    pub(super) fn flaws(&self, webhook: &Webhook) -> (Vec<&'static str>, Option<Vec<String>>) {
        let others = self.others(&webhook.topics);
        let of_status = match webhook.status {
            Status::Active => None,
            Status::Inactive => Some("inactive"),
            Status::Revoked => Some("revoked: Labelbox gave up on it"),
            _ => Some("in a state that this version does not know"),
        };
        let of_topics = others.as_ref().map(|_| {
            if self.is_exact {
                "other topics"
            } else {
                "topics missing"
            }
        });
        (of_status.into_iter().chain(of_topics).collect(), others)
    }
}

/// The change that makes a webhook active, with these topics.
pub(super) fn mended(others: Option<&[String]>, status: Status) -> WebhookChange<'_> {
    WebhookChange {
        topics: others,
        status: (status != Status::Active).then_some(Status::Active),
        ..WebhookChange::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(topics: &[&str]) -> Vec<String> {
        topics.iter().map(|topic| (*topic).to_owned()).collect()
    }

    #[test]
    fn topics_are_added_and_taken_away_only_where_they_were_named() {
        let all = Topics::new(&[]);
        assert_eq!(all.others(&owned(&TOPICS)), None);
        let more = owned(&["REVIEW_CREATED", "LABEL_CREATED"]);
        let expected = owned(&[
            "REVIEW_CREATED",
            "LABEL_CREATED",
            "LABEL_UPDATED",
            "LABEL_DELETED",
            "WORKFLOW_ACTION",
        ]);
        assert_eq!(all.others(&more), Some(expected.clone()));
        assert_eq!(all.others(&expected), None);
        let one = Topics::new(&owned(&["LABEL_CREATED", "LABEL_CREATED"]));
        assert_eq!(one.others(&more), Some(owned(&["LABEL_CREATED"])));
        assert_eq!(one.others(&owned(&["LABEL_CREATED"])), None);
    }

    #[test]
    fn a_word_that_can_be_no_topic_is_refused() {
        assert_eq!(parse("label-created"), Ok("LABEL_CREATED".to_owned()));
        for wrong in ["", "LABEL CREATED", "LABEL]", "1"] {
            assert!(parse(wrong).unwrap_err().contains("WORKFLOW_ACTION"));
        }
    }
}
