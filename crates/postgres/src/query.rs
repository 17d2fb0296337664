//! The parameters of a URL.

use percent_encoding::percent_decode_str;

/// Parameters that a URL may have.
const KNOWN: [&str; 8] = [
    "application_name",
    "host",
    "password",
    "pool",
    "repeat_window_s",
    "schema",
    "sslmode",
    "sslrootcert",
];

/// Parameters of a URL, each at most once.
#[derive(Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what stands behind the question mark.
    ///
    /// # Errors
    /// Problem and cure.
    pub(crate) fn parse(text: &str) -> Result<Self, (String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !KNOWN.contains(&key) {
                // A password that somebody has written there may have an `&` in it, and this may be the rest.
                let problem = if all.iter().any(|(known, _)| known == "password") {
                    "has a parameter behind `password` that means nothing here".to_owned()
                } else {
                    format!(
                        "has a parameter `{}` that means nothing here",
                        key.escape_debug()
                    )
                };
                return Err((problem, format!("use {}", KNOWN.join(", "))));
            }
            if all.iter().any(|(known, _)| known == key) {
                return Err((format!("has `{key}` twice"), "write it once".to_owned()));
            }
            let value = decoded(value).ok_or_else(|| {
                let problem = format!("has a value of `{key}` that is no text");
                (problem, "write it in UTF-8, percent-encoded".to_owned())
            })?;
            all.push((key.to_owned(), value));
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

    /// A number within bounds, which are told otherwise.
    ///
    /// # Errors
    /// Problem and cure.
    pub(crate) fn number(
        &self,
        key: &str,
        bounds: std::ops::RangeInclusive<u32>,
    ) -> Result<Option<u32>, (String, String)> {
        let Some(text) = self.get(key) else {
            return Ok(None);
        };
        let number = text
            .parse::<u32>()
            .ok()
            .filter(|number| bounds.contains(number));
        number.map(Some).ok_or_else(|| {
            let cure = format!("write a number from {} to {}", bounds.start(), bounds.end());
            (format!("has a value of `{key}` that cannot be"), cure)
        })
    }
}

/// Text without its percent signs; `None` when it is no UTF-8 then.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    Some(decoded.into_owned()).filter(|text| !text.contains('\0'))
}
