//! Signatures of posts, as [Standard Webhooks](https://www.standardwebhooks.com) has them:
//! `v1,BASE64(HMAC-SHA256(key, "ID.TIMESTAMP.BODY"))`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use labelrelay_core::Secret;
use labelrelay_event::{Attributes, Digest};
use sha2::Sha256;

/// Beginning of a key that is written in base64.
const PREFIX: &[u8] = b"whsec_";

/// Shortest key that the standard allows, in bytes: one behind `whsec_` that is shorter was not copied whole.
const SHORTEST: usize = 24;

/// A key, ready to sign. It shows nothing of itself.
#[derive(Clone)]
pub(super) struct Key(Hmac<Sha256>);

impl Key {
    /// The key in a secret: the bytes behind `whsec_`, decoded, or else all of it as it is.
    ///
    /// # Errors
    /// Problem and cure, when it cannot be a key.
    pub(super) fn new(secret: &Secret) -> Result<Self, String> {
        let text = secret.expose();
        let name = secret.name();
        let key = match text.strip_prefix(PREFIX) {
            None => text.to_vec(),
            Some(encoded) => {
                let key = STANDARD.decode(encoded.trim_ascii_end()).map_err(|_| {
                    format!("the secret `{name}` begins with whsec_, and is no base64 behind that; copy all of it")
                })?;
                if key.len() < SHORTEST {
                    return Err(format!(
                        "the secret `{name}` has {} bytes behind whsec_, and a key has {SHORTEST} to 64; copy all of it",
                        key.len()
                    ));
                }
                key
            }
        };
        // It takes every length.
        let key =
            Hmac::new_from_slice(&key).map_err(|error| format!("the secret `{name}`: {error}"))?;
        Ok(Self(key))
    }

    /// Value of the header `webhook-signature`.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Value of the header `webhook-id`: by it receivers know a repeat. It is the event's `id`; one that was sent again on
/// purpose has another, so that it is handled again. A full stop would make two readings of what is signed.
pub(super) fn webhook_id(attributes: &Attributes) -> String {
    let id = &attributes.id;
    let is_plain = !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'.');
    let mut name = if is_plain {
        id.clone()
    } else {
        Digest::of(id.as_bytes()).to_hex()
    };
    if let Some(time) = &attributes.replayedtime {
        name.push('_');
        name.extend(time.chars().filter(char::is_ascii_alphanumeric));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Result<Key, String> {
        Key::new(&Secret::new("env:KEY", text).unwrap())
    }

    /// The vector that the libraries of Standard Webhooks are tested with.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_key_is_read_or_refused_with_its_name() {
        let bytes = "a key of the tests, thus";
        let encoded = format!("whsec_{}", STANDARD.encode(bytes));
        let [plain, encoded] = [bytes, &encoded].map(|text| key(text).unwrap());
        assert_eq!(plain.sign("1", 2, b"3"), encoded.sign("1", 2, b"3"));
        for text in ["whsec_", "whsec_not*base64", "whsec_YQ=="] {
            let error = key(text).err().unwrap();
            assert!(
                error.contains("env:KEY") && !error.contains("not*base64"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_id_is_what_a_header_can_hold_and_a_replay_has_its_own() {
        let mut attributes = Attributes::default();
        attributes.id = "6f0e".to_owned();
        assert_eq!(webhook_id(&attributes), "6f0e");
        attributes.replayedtime = Some("2026-11-28T00:58:44.228Z".to_owned());
        assert_eq!(webhook_id(&attributes), "6f0e_20261128T005844228Z");
        attributes.replayedtime = None;
        for odd in ["a.b", "a b", "é", "", "a\nb"] {
            odd.clone_into(&mut attributes.id);
            assert_eq!(webhook_id(&attributes).len(), 64, "{odd:?}");
        }
    }
}
