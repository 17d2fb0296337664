//! Events that a webhook of Label Studio shall send: everything, unless `[source.webhook]` says less.

use labelrelay_core::config::SourceConfig;
use labelrelay_reconcile::label_studio::Webhook;

pub(super) struct Wanted {
    /// `true` if it sends what happened to what, and not only that something happened.
    pub(super) payload: bool,
    /// Empty: all.
    actions: Vec<String>,
}

impl Wanted {
    pub(super) fn of(source: &SourceConfig) -> Self {
        match &source.webhook {
            None => Self::everything(),
            Some(webhook) => Self {
                payload: webhook.payload,
                actions: webhook.actions.clone(),
            },
        }
    }

    pub(super) fn everything() -> Self {
        Self {
            payload: true,
            actions: Vec::new(),
        }
    }

    pub(super) fn is_everything(&self) -> bool {
        self.payload && self.is_all_actions()
    }

    pub(super) fn is_all_actions(&self) -> bool {
        self.actions.is_empty()
    }

    /// The actions of a webhook that has these: where all are sent, its own stay.
    pub(super) fn actions<'a>(&'a self, own: &'a [String]) -> &'a [String] {
        if self.is_all_actions() {
            own
        } else {
            &self.actions
        }
    }

    /// Differences between this and what a webhook sends.
    pub(super) fn flaws(&self, webhook: &Webhook) -> impl Iterator<Item = &'static str> {
        let payload = match (self.payload, webhook.send_payload) {
            (true, false) => Some("no payload"),
            (false, true) => Some("a payload"),
            _ => None,
        };
        let actions = match (self.is_all_actions(), webhook.send_for_all_actions) {
            (true, false) => Some("not all actions"),
            (false, false) if same(&self.actions, &webhook.actions) => None,
            (false, _) => Some("other actions"),
            (true, true) => None,
        };
        payload.into_iter().chain(actions)
    }
}

/// Tells whether two lists name the same, in whatever order and however often.
fn same(one: &[String], other: &[String]) -> bool {
    one.iter().all(|name| other.contains(name)) && other.iter().all(|name| one.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn webhook(payload: bool, all: bool, actions: &Value) -> Webhook {
        let whole = json!({
            "id": 1, "url": "http://h/x", "send_payload": payload, "send_for_all_actions": all, "actions": actions,
        });
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn a_webhook_has_no_flaw_that_sends_what_is_wanted_and_no_more() {
        let some = Wanted {
            payload: false,
            actions: vec!["A".to_owned(), "B".to_owned()],
        };
        let all = Wanted::everything();
        for (wanted, payload, sends_all, actions, flaws) in [
            (&some, false, false, json!(["B", "A"]), &[][..]),
            (
                &some,
                true,
                true,
                json!(["A", "B"]),
                &["a payload", "other actions"],
            ),
            (&some, false, false, json!(["A"]), &["other actions"]),
            (
                &some,
                false,
                false,
                json!(["A", "B", "C"]),
                &["other actions"],
            ),
            (&all, true, true, json!(["A"]), &[]),
            (
                &all,
                false,
                false,
                json!(["A"]),
                &["no payload", "not all actions"],
            ),
        ] {
            let webhook = webhook(payload, sends_all, &actions);
            let found: Vec<_> = wanted.flaws(&webhook).collect();
            assert_eq!(found, flaws, "{webhook:?}");
        }
    }
}
