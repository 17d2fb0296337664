//! Outcomes of requests, and the only place that maps them to an HTTP status.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use std::time::Duration;

/// Outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Verified and durably on the queue.
    Accepted,
    /// Verified; the queue has the event already.
    Repeat,
    /// Verified; the configuration says not to forward this type.
    Filtered,
    /// A platform's question, answered.
    Replied,
    /// The request is not one that any sender makes: a malformed or doubled credential header, an
    /// empty body, a body that broke off.
    Malformed,
    /// No credential, or none that matches.
    Unauthorized,
    /// The address is not on the allowlist.
    Forbidden,
    /// The body was not complete in time.
    Timeout,
    /// Nothing here has this path.
    NotFound,
    /// The path exists, but not with this method.
    WrongMethod,
    /// The body is larger than the configuration or the queue allows.
    TooLarge,
    /// Queue, blob store or secret store could not be reached or was late: the sender should try again.
    Unavailable,
    /// More deliveries, or more bytes of them, than may be under way at once: the sender should try again.
    Overloaded,
    /// Our own bug.
    Bug,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Accepted,
        Self::Repeat,
        Self::Filtered,
        Self::Replied,
        Self::Malformed,
        Self::Unauthorized,
        Self::Forbidden,
        Self::Timeout,
        Self::NotFound,
        Self::WrongMethod,
        Self::TooLarge,
        Self::Unavailable,
        Self::Overloaded,
        Self::Bug,
    ];

    /// The name in answers, logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Repeat => "repeat",
            Self::Filtered => "filtered",
            Self::Replied => "replied",
            Self::Malformed => "malformed",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Timeout => "timeout",
            Self::NotFound => "not_found",
            Self::WrongMethod => "wrong_method",
            Self::TooLarge => "too_large",
            Self::Unavailable => "unavailable",
            Self::Overloaded => "overloaded",
            Self::Bug => "bug",
        }
    }

    /// The HTTP status.
    ///
    /// 200 is the only success that the senders' documents show. Our own trouble is never a 4xx,
    /// because some senders switch a webhook off after those.
    ///
    /// ```
    /// use labelrelay_core::Outcome;
    ///
    /// assert_eq!(Outcome::Repeat.status(), 200);
    /// assert_eq!(Outcome::Unavailable.status(), 503);
    /// ```
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Accepted | Self::Repeat | Self::Filtered | Self::Replied => StatusCode::OK,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Bug => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// An answer, ready for any HTTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// Outcome that it stands for.
    pub outcome: Outcome,
    /// JSON body.
    pub body: Bytes,
    /// For the header `Retry-After`.
    pub retry_after: Option<Duration>,
    /// For the header `Allow`.
    pub allow: Option<&'static str>,
}

#[derive(Serialize)]
struct Body<'a> {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

impl Answer {
    /// An answer to a delivery that has become an event.
    pub fn event(outcome: Outcome, id: &str) -> Self {
        Self::build(outcome, Some(id), None)
    }

    /// An answer that says why there is no event.
    pub fn refusal(outcome: Outcome, message: &str) -> Self {
        Self::build(outcome, None, Some(message))
    }

    /// An answer to a platform's question.
    pub fn reply(body: impl Into<Bytes>) -> Self {
        Self {
            outcome: Outcome::Replied,
            body: body.into(),
            retry_after: None,
            allow: None,
        }
    }

    /// The answer when the event was not durable by the time the sender must have one. The work goes
    /// on where the platform lets it; a second delivery is then a repeat.
    pub fn late() -> Self {
        Self::refusal(
            Outcome::Unavailable,
            "the event could not be stored in time; try again",
        )
    }

    /// The same answer, with the methods that the path takes.
    #[must_use]
    pub fn allowing(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    fn build(outcome: Outcome, id: Option<&str>, message: Option<&str>) -> Self {
        let body = Body {
            outcome: outcome.as_str(),
            id,
            message,
        };
        let json = serde_json::to_vec(&body).unwrap_or_default();
        Self {
            outcome,
            // Without room to spare, bytes need no second allocation to be shared.
            body: json.into_boxed_slice().into(),
            retry_after: matches!(outcome, Outcome::Unavailable | Outcome::Overloaded)
                .then_some(RETRY_AFTER_OUTAGE),
            allow: None,
        }
    }
}

/// `Retry-After` of a 503. Long enough for a restart of what is down, short enough that
/// the event is not late for whoever waits for it.
const RETRY_AFTER_OUTAGE: Duration = Duration::from_secs(5);

/// The same status, headers and body on every platform.
impl From<Answer> for Response<Bytes> {
    fn from(answer: Answer) -> Self {
        let mut response = Self::new(answer.body);
        *response.status_mut() = answer.outcome.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(after) = answer.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        if let Some(allow) = answer.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table() {
        let table: Vec<(&str, u16, bool)> = Outcome::ALL
            .iter()
            .map(|o| {
                (
                    o.as_str(),
                    o.status().as_u16(),
                    Answer::refusal(*o, "x").retry_after.is_some(),
                )
            })
            .collect();
        assert_eq!(
            table,
            [
                ("accepted", 200, false),
                ("repeat", 200, false),
                ("filtered", 200, false),
                ("replied", 200, false),
                ("malformed", 400, false),
                ("unauthorized", 401, false),
                ("forbidden", 403, false),
                ("timeout", 408, false),
                ("not_found", 404, false),
                ("wrong_method", 405, false),
                ("too_large", 413, false),
                ("unavailable", 503, true),
                ("overloaded", 503, true),
                ("bug", 500, false),
            ]
        );
    }
}
