//! The query of a URL.

use crate::answer::Refusal;
use crate::data::{ListQuery, Show};
use http::StatusCode;
use percent_encoding::percent_decode_str;

/// Longest text that somebody looks for.
const MAX_TEXT_BYTES: usize = 512;

/// Deliveries in one answer, unless it is said.
const LIMIT: usize = 100;

/// Most deliveries in one answer.
const MAX_LIMIT: usize = 200;

/// Names and values of a query.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: Option<&str>) -> Self {
        let pairs = text.unwrap_or_default().split('&');
        let pairs = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Self(pairs.collect())
    }

    /// The value of this name, unless it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(named, _)| named == name);
        let (_, value) = found.next()?;
        (!value.is_empty()).then_some(value)
    }

    fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        if text.len() > MAX_TEXT_BYTES {
            let words = format!("`{name}` is longer than {MAX_TEXT_BYTES} bytes");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, words));
        }
        Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
    }

    fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            let words = format!("`{name}` has to be a whole number");
            Refusal::new(StatusCode::BAD_REQUEST, words)
        })
    }

    /// Deliveries that it asks for.
    pub(crate) fn list_query(&self) -> Result<ListQuery, Refusal> {
        let show = match self.get("show") {
            None => Show::All,
            Some("accepted") => Show::Accepted,
            Some("repeat") => Show::Repeat,
            Some("filtered") => Show::Filtered,
            Some("refused") => Show::Refused,
            Some(_) => {
                let words = "`show` has to be accepted, repeat, filtered or refused";
                return Err(Refusal::new(StatusCode::BAD_REQUEST, words));
            }
        };
        Ok(ListQuery {
            search: self.text("q")?,
            source: self.text("source")?,
            event_type: self.text("type")?,
            project: self.text("project")?,
            subject: self.text("subject")?,
            show,
            from_ms: self.number("from")?,
            before_ms: self.number("until")?,
            after: self.number("after")?,
            before: self.number("before")?,
        })
    }

    /// How many of them.
    pub(crate) fn limit(&self) -> Result<usize, Refusal> {
        let said = self.number("limit")?;
        let said = said.map(|said| usize::try_from(said).unwrap_or(1));
        Ok(said.unwrap_or(LIMIT).clamp(1, MAX_LIMIT))
    }
}

/// Text of a query: a plus is a space.
fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

/// Text of a path.
pub(crate) fn decoded_path(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<ListQuery, Refusal> {
        Query::parse(Some(text)).list_query()
    }

    #[test]
    fn a_query_says_which_deliveries() {
        let query = asked("q=+a%26b+c&show=refused&after=12&source=&until=-3&odd").unwrap();
        assert_eq!(query.search.as_deref(), Some("a&b c"));
        assert_eq!(query.show, Show::Refused);
        assert_eq!((query.after, query.before_ms), (Some(12), Some(-3)));
        assert_eq!(query.source, None);
        assert_eq!(asked("").unwrap(), ListQuery::default());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_words() {
        for (text, name) in [
            ("show=everything".to_owned(), "`show`"),
            ("after=1e3".to_owned(), "`after`"),
            (format!("q={}", "x".repeat(MAX_TEXT_BYTES + 1)), "`q`"),
        ] {
            let refusal = asked(&text).unwrap_err();
            assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
            assert!(refusal.words.contains(name), "{}", refusal.words);
        }
    }

    #[test]
    fn no_answer_is_without_a_bound() {
        let limit = |text| Query::parse(Some(text)).limit().unwrap();
        assert_eq!(limit(""), LIMIT);
        assert_eq!(limit("limit=999999999"), MAX_LIMIT);
        assert_eq!(limit("limit=-5"), 1);
        assert_eq!(limit("limit=0"), 1);
    }
}
