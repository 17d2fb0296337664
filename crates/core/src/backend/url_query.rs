//! The parameters of a queue's URL: what stands behind its question mark.

use super::BackEndError;
use percent_encoding::percent_decode_str;
use std::ops::RangeInclusive;

/// Names of the parameters that a back end knows.
#[derive(Debug, Clone, Copy)]
pub struct ParameterNames {
    /// All of them.
    pub known: &'static [&'static str],
    /// Those that name a secret, and in which somebody may have written the secret itself.
    pub secret: &'static [&'static str],
}

/// Parameters of a URL, each at most once, as text. No error shows a value.
///
/// ```
/// use labelrelay_core::backend::{ParameterNames, UrlQuery};
///
/// const NAMES: ParameterNames = ParameterNames {
///     known: &["password", "pool"],
///     secret: &["password"],
/// };
/// let query = UrlQuery::parse("pool=8&password=file:%2Frun%2Fpassword", NAMES, "queue").unwrap();
/// assert_eq!(query.get("password"), Some("file:/run/password"));
/// assert_eq!(query.number("pool", 2..=100), Ok(Some(8)));
/// assert!(UrlQuery::parse("ssl=on", NAMES, "queue").is_err());
/// ```
pub struct UrlQuery {
    pairs: Vec<(String, String)>,
    /// The URL as messages show it.
    shown: String,
}

impl UrlQuery {
    /// Reads `text`, the part behind the question mark of a URL that messages show as `shown`.
    ///
    /// # Errors
    /// [`BackEndError`] when a parameter is not known, stands there twice, or is no text.
    pub fn parse(text: &str, names: ParameterNames, shown: &str) -> Result<Self, BackEndError> {
        let mut query = Self {
            pairs: Vec::new(),
            shown: shown.to_owned(),
        };
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !names.known.contains(&key) {
                return Err(query.unknown(key, names));
            }
            if query.pairs.iter().any(|(known, _)| known == key) {
                return Err(query.refused(format!("has `{key}` twice"), "write it once"));
            }
            let value = Self::decoded(value).ok_or_else(|| {
                let problem = format!("has a value of `{key}` that is no text");
                query.refused(problem, "write it in UTF-8, percent-encoded")
            })?;
            query.pairs.push((key.to_owned(), value));
        }
        Ok(query)
    }

    fn unknown(&self, key: &str, names: ParameterNames) -> BackEndError {
        // A secret that somebody has written there may have an `&` in it, and this may be the rest.
        let mut known = self.pairs.iter().map(|(known, _)| known.as_str());
        let problem = match known.find(|known| names.secret.contains(known)) {
            Some(secret) => format!("has a parameter behind `{secret}` that means nothing here"),
            None => format!(
                "has a parameter `{}` that means nothing here",
                key.escape_debug()
            ),
        };
        self.refused(problem, format!("use {}", names.known.join(", ")))
    }

    /// Value of a parameter; one without a value counts as left out.
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(known, _)| known == key);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// A number within bounds, which are told otherwise.
    ///
    /// # Errors
    /// [`BackEndError`] when the value is none.
    pub fn number(
        &self,
        key: &str,
        bounds: RangeInclusive<u32>,
    ) -> Result<Option<u32>, BackEndError> {
        let Some(text) = self.get(key) else {
            return Ok(None);
        };
        let number = text
            .parse::<u32>()
            .ok()
            .filter(|number| bounds.contains(number));
        number.map(Some).ok_or_else(|| {
            let cure = format!("write a number from {} to {}", bounds.start(), bounds.end());
            self.refused(format!("has a value of `{key}` that cannot be"), cure)
        })
    }

    /// An error of this URL.
    pub fn refused(&self, problem: impl Into<String>, cure: impl Into<String>) -> BackEndError {
        BackEndError::of_shown(&self.shown, problem, cure)
    }

    /// Text without its percent signs; `None` when it is no UTF-8 then, or has the character that ends a text elsewhere.
    pub fn decoded(text: &str) -> Option<String> {
        let decoded = percent_decode_str(text).decode_utf8().ok()?;
        Some(decoded.into_owned()).filter(|text| !text.contains('\0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: ParameterNames = ParameterNames {
        known: &["name", "pool", "token"],
        secret: &["token"],
    };

    #[test]
    fn what_cannot_be_is_refused_without_its_value() {
        for (text, word) in [
            ("pool=2&pool=hunter2", "`pool` twice"),
            ("passwd=hunter2", "`passwd` that means nothing"),
            ("token=a&hunter2", "behind `token` that means nothing"),
            ("token=hunter2%ff", "`token` that is no text"),
            ("name=hunter2%00", "`name` that is no text"),
        ] {
            let error = UrlQuery::parse(text, NAMES, "queue").err().expect(text);
            let error = error.to_string();
            assert!(error.starts_with("`queue` has "), "{text}: {error}");
            assert!(error.contains(word), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_value_is_decoded_and_an_empty_one_is_left_out() {
        let query = UrlQuery::parse("&name=a%40b+c&token", NAMES, "queue").unwrap();
        assert_eq!(query.get("name"), Some("a@b+c"));
        assert_eq!((query.get("token"), query.get("pool")), (None, None));
        assert_eq!(query.number("pool", 0..=9), Ok(None));
        let query = UrlQuery::parse("pool=10", NAMES, "queue").unwrap();
        let error = query.number("pool", 0..=9).unwrap_err();
        assert!(error.cure.contains("from 0 to 9"), "{error}");
    }
}
