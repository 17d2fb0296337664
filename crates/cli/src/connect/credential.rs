//! The header that a webhook of Label Studio must send, and whether one sends it, and all else that it shall.

use super::wanted::Wanted;
use crate::error::CliError;
use crate::serve::secret_header;
use crate::userinfo;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_core::Secret;
use labelrelay_core::config::SourceConfig;
use labelrelay_core::signature::SecretHeader;
use labelrelay_reconcile::label_studio::Webhook;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Holds the secret, so it has no `Debug`.
pub(super) struct Credential {
    name: String,
    value: String,
    secret: String,
    is_authorization: bool,
    /// Events that the webhook shall send with it.
    pub(super) wanted: Wanted,
}

impl Credential {
    /// The credential of `source`, whose newest secret this is.
    pub(super) fn new(source: &SourceConfig, secret: &Secret) -> Result<Self, CliError> {
        let text = std::str::from_utf8(secret.expose()).ok();
        let Some(text) = text.filter(|text| !text.contains(char::is_control)) else {
            return Err(CliError::config(format_args!(
                "{}: the secret holds what cannot stand in a header of Label Studio; make one of letters and digits, put it there, and run this again",
                secret.name()
            )));
        };
        let (name, value) = secret_header(source, text);
        Ok(Self {
            name,
            value,
            secret: text.to_owned(),
            is_authorization: !matches!(source.header, Some(SecretHeader::Named(_))),
            wanted: Wanted::of(source),
        })
    }

    /// The header's name and value.
    pub(super) fn header(&self) -> (&str, &str) {
        (&self.name, &self.value)
    }

    /// The headers of a webhook that has these: its own others stay.
    pub(super) fn headers(&self, others: &Map<String, Value>) -> Map<String, Value> {
        let others = others
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case(&self.name));
        let mut headers: Map<_, _> = others
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        headers.insert(self.name.clone(), Value::from(self.value.clone()));
        headers
    }

    /// The URL of a webhook that delivers here: without a password that would take the header's place.
    pub(super) fn url<'a>(&self, webhook: &'a Webhook, relay: &'a str) -> &'a str {
        if self.shown_in_url(&webhook.url) == Some(false) {
            relay
        } else {
            &webhook.url
        }
    }

    /// Flaws that keep a webhook that delivers here from sending the events that it shall send; empty if there is none.
    pub(super) fn flaws(&self, webhook: &Webhook) -> Vec<&'static str> {
        let inactive = (!webhook.is_active).then_some("inactive");
        let flaws = inactive.into_iter().chain(self.flaw(webhook));
        flaws.chain(self.wanted.flaws(webhook)).collect()
    }

    /// Tells whether a webhook shows this secret.
    pub(super) fn is_shown_of(&self, webhook: &Webhook) -> bool {
        self.flaw(webhook).is_none()
    }

    fn flaw(&self, webhook: &Webhook) -> Option<&'static str> {
        if let Some(is_it) = self.shown_in_url(&webhook.url) {
            return (!is_it).then_some("another password in its URL");
        }
        let mut same = webhook
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(&self.name));
        match (same.next(), same.next()) {
            (None, _) => Some("header missing"),
            (Some((_, Value::String(value))), None) if self.is_shown_by(value) => None,
            _ => Some("another value in its header"),
        }
    }

    /// Tells whether the password in a URL is the secret. Label Studio sends one as `Authorization`, in the place of
    /// a header of that name.
    fn shown_in_url(&self, url: &str) -> Option<bool> {
        let userinfo = userinfo::of(url).filter(|_| self.is_authorization)?;
        let (_, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        Some(percent_decode_str(password).eq(self.secret.bytes()))
    }

    /// Tells whether the relay takes this value of the header.
    fn is_shown_by(&self, value: &str) -> bool {
        if value == self.value {
            return true;
        }
        let parts = value.split_once(' ').filter(|_| self.is_authorization);
        let Some((scheme, rest)) = parts else {
            return false;
        };
        if scheme.eq_ignore_ascii_case("bearer") {
            return rest.trim() == self.secret;
        }
        let decoded = STANDARD.decode(rest.trim()).unwrap_or_default();
        let mut parts = decoded.splitn(2, |&byte| byte == b':');
        scheme.eq_ignore_ascii_case("basic") && parts.nth(1) == Some(self.secret.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const RELAY: &str = "http://relay.test/label-studio";

    fn credential(header: Option<&str>) -> Credential {
        let name = header.unwrap_or("Authorization");
        let value = header.map_or("Bearer se:cret", |_| "se:cret");
        Credential {
            name: name.to_owned(),
            value: value.to_owned(),
            secret: "se:cret".to_owned(),
            is_authorization: header.is_none(),
            wanted: Wanted::everything(),
        }
    }

    fn webhook(change: Value) -> Webhook {
        let mut whole = json!({
            "id": 1, "project": 1, "url": RELAY, "headers": {"Authorization": "Bearer se:cret"},
            "is_active": true, "send_payload": true, "send_for_all_actions": true, "actions": [],
        });
        if let (Some(whole), Value::Object(change)) = (whole.as_object_mut(), change) {
            whole.extend(change);
        }
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn flaws_of_a_webhook_are_seen() {
        let basic = STANDARD.encode("somebody:se:cret");
        for (change, flaws) in [
            (json!({}), &[][..]),
            (
                json!({"headers": {"authorization": "bearer  se:cret"}}),
                &[],
            ),
            (
                json!({"headers": {"Authorization": format!("Basic {basic}")}}),
                &[],
            ),
            (
                json!({"headers": {"Authorization": "Bearer se:cret", "X-More": "1"}}),
                &[],
            ),
            (
                json!({"url": "http://u:se%3Acret@relay.test/label-studio", "headers": {}}),
                &[],
            ),
            (json!({"is_active": false}), &["inactive"]),
            (json!({"headers": {}}), &["header missing"]),
            (
                json!({"headers": {"Authorization": "Bearer other"}}),
                &["another value in its header"],
            ),
            (
                json!({"headers": {"Authorization": "Basic ?"}}),
                &["another value in its header"],
            ),
            (
                json!({"headers": {"Authorization": 1}}),
                &["another value in its header"],
            ),
            (
                json!({"headers": {"Authorization": "Bearer se:cret", "authorization": "Bearer x"}}),
                &["another value in its header"],
            ),
            (
                json!({"url": "http://u:x@relay.test/label-studio"}),
                &["another password in its URL"],
            ),
            (
                json!({"url": "http://u@relay.test/label-studio"}),
                &["another password in its URL"],
            ),
            (
                json!({"is_active": false, "send_payload": false, "send_for_all_actions": false}),
                &["inactive", "no payload", "not all actions"],
            ),
        ] {
            let told = change.to_string();
            assert_eq!(credential(None).flaws(&webhook(change)), flaws, "{told}");
        }
        let named = credential(Some("X-Token"));
        let url = "http://u:x@relay.test/label-studio";
        for (change, flaws) in [
            (
                json!({"headers": {"x-token": "se:cret"}, "url": url}),
                &[][..],
            ),
            (
                json!({"headers": {"X-Token": "Bearer se:cret"}}),
                &["another value in its header"],
            ),
            (json!({}), &["header missing"]),
        ] {
            assert_eq!(named.flaws(&webhook(change)), flaws);
        }
    }

    #[test]
    fn a_mended_webhook_keeps_what_is_its_own_and_has_no_flaw() {
        for change in [
            json!({"headers": {"AUTHORIZATION": "x", "authorization": "y", "X-More": "1"}}),
            json!({"url": "http://u:x@relay.test/label-studio"}),
            json!({"url": "http://u:se:cret@relay.test/label-studio", "headers": {}}),
            json!({"headers": {}}),
        ] {
            let credential = credential(None);
            let before = webhook(change);
            let mut after = before.clone();
            after.headers = credential.headers(&before.headers);
            credential.url(&before, RELAY).clone_into(&mut after.url);
            assert!(credential.flaws(&after).is_empty(), "{}", after.url);
            assert_eq!(after.headers.get("X-More"), before.headers.get("X-More"));
        }
    }
}
