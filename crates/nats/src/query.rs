//! The parameters of a URL.

use percent_encoding::percent_decode_str;

/// Parameters that a URL may have.
const KNOWN: [&str; 11] = [
    "consumer",
    "credentials",
    "durability",
    "monitor",
    "nkey",
    "password",
    "repeat_window_s",
    "storage",
    "tls_ca",
    "token",
    "user",
];

/// Those that name a secret.
const SECRETS: [&str; 4] = ["credentials", "nkey", "password", "token"];

/// Parameters of a URL, each at most once.
#[derive(Default)]
pub(crate) struct Query(Vec<(String, String)>);

/// Problem and cure.
pub(crate) type Refused = (String, String);

impl Query {
    /// Reads what stands behind the question mark.
    ///
    /// # Errors
    /// Problem and cure.
    pub(crate) fn parse(text: &str) -> Result<Self, Refused> {
        let mut all: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !KNOWN.contains(&key) {
                // A secret that somebody has written there may have an `&` in it, and this may be the rest.
                let secret = all
                    .iter()
                    .find(|(known, _)| SECRETS.contains(&known.as_str()));
                let problem = match secret {
                    Some((secret, _)) => {
                        format!("has a parameter behind `{secret}` that means nothing here")
                    }
                    None => format!(
                        "has a parameter `{}` that means nothing here",
                        key.escape_debug()
                    ),
                };
                return Err((problem, format!("use {}", KNOWN.join(", "))));
            }
            if all.iter().any(|(known, _)| known == key) {
                return Err((format!("has `{key}` twice"), "write it once".to_owned()));
            }
            let value = percent_decode_str(value).decode_utf8();
            let value = value.map_err(|_| {
                let problem = format!("has a value of `{key}` that is no text");
                (problem, "write it in UTF-8, percent-encoded".to_owned())
            })?;
            all.push((key.to_owned(), value.into_owned()));
        }
        Ok(Self(all))
    }

    /// Value of a parameter; one without a value counts as left out.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == key);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}
