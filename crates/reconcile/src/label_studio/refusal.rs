//! Changes that Label Studio refuses: what it says, and what to do.

use super::error::wrong;
use crate::http::Answer;
use crate::platform::PlatformError;
use http::{StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Longest words of Label Studio's own in a message, in characters.
const LONGEST: usize = 300;

/// The body of a refusal, as far as it can be read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    detail: String,
    validation_errors: Map<String, Value>,
}

impl Refusal {
    fn of(answer: &Answer) -> Self {
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    fn says(&self, words: &str) -> bool {
        self.detail.contains(words)
    }

    /// The refusal's words on the URL of a webhook.
    fn of_url(&self) -> Option<String> {
        self.validation_errors.get("url").map(words)
    }
}

/// Tells whether a webhook was refused for other reasons than its URL.
pub(super) fn takes_url(answer: &Answer) -> bool {
    let refusal = Refusal::of(answer);
    answer.status == StatusCode::BAD_REQUEST
        && !refusal.validation_errors.is_empty()
        && refusal.of_url().is_none()
}

/// The error for a webhook to `url` that Label Studio does not take. `what` is what was tried.
pub(super) fn of_webhook(what: &str, url: &str, answer: &Answer) -> PlatformError {
    let refusal = Refusal::of(answer);
    let detail = shortened(&refusal.detail);
    // The second text stands for URLs that it cannot take apart.
    let is_private = refusal.says("reserved network address")
        || refusal.says("local or private network addresses");
    let message = match answer.status {
        StatusCode::FORBIDDEN if is_private => format!(
            "Label Studio refuses to deliver to {url}: {detail}. Since 1.23.1 it delivers to public addresses only, unless it is told otherwise. Start Label Studio with SSRF_PROTECTION_ENABLED=false (or LABEL_STUDIO_SSRF_PROTECTION_ENABLED=false); or with USE_DEFAULT_BANNED_SUBNETS=false and a list of your own in USER_ADDITIONAL_BANNED_SUBNETS; or give a public URL: --relay https://HOST. Without any webhook, `labelrelay pull label-studio --every 10s` brings the events of tasks and annotations"
        ),
        StatusCode::FORBIDDEN => format!(
            "Label Studio does not let the user of this token do that ({what}: {detail}): take the token of an owner, an administrator or a manager of the project"
        ),
        StatusCode::BAD_REQUEST => match refusal.of_url() {
            Some(said) if said.contains("Enter a valid URL") => format!(
                "Label Studio does not take {url} for a URL ({said}): it wants a name with a dot or an address. Give --relay with one of these; where that is not public, Label Studio 1.23.1 and newer also needs SSRF_PROTECTION_ENABLED=false"
            ),
            Some(said) => format!(
                "Label Studio does not take the URL {url}: {said}; give --relay with another one"
            ),
            None => format!("{what}: Label Studio refuses it: {}", invalid(&refusal)),
        },
        StatusCode::NOT_FOUND => format!(
            "{what}: Label Studio says that there is no such thing; see that it was not deleted meanwhile, and that the user of this token sees the project"
        ),
        StatusCode::INTERNAL_SERVER_ERROR if refusal.says("Can't resolve hostname") => format!(
            "Label Studio cannot deliver to {url}: {detail}; give --relay with a name that its machine knows, or with an address"
        ),
        status => return of_status(what, status, &detail),
    };
    let refuses_address = match answer.status {
        StatusCode::FORBIDDEN => is_private,
        StatusCode::BAD_REQUEST => refusal.of_url().is_some(),
        status => status == StatusCode::INTERNAL_SERVER_ERROR,
    };
    PlatformError {
        refuses_address,
        unseen_project: None,
        // A name that nobody knows now may be known in a moment, or is misspelt.
        is_retryable: answer.status == StatusCode::INTERNAL_SERVER_ERROR,
        ..PlatformError::permanent(message)
    }
}

/// The error for another change.
pub(super) fn of_change(what: &str, path: &Uri, answer: &Answer) -> PlatformError {
    let refusal = Refusal::of(answer);
    match answer.status {
        StatusCode::FORBIDDEN => PlatformError::permanent(format!(
            "Label Studio does not let the user of this token do that ({what}: {}): take the token of an owner, an administrator or a manager",
            shortened(&refusal.detail)
        )),
        StatusCode::BAD_REQUEST => PlatformError::permanent(format!(
            "{what}: Label Studio refuses it: {}",
            invalid(&refusal)
        )),
        status => wrong(path, status),
    }
}

fn of_status(what: &str, status: StatusCode, detail: &str) -> PlatformError {
    let said = if detail.is_empty() {
        String::new()
    } else {
        format!(" ({detail})")
    };
    let cure = if status.is_redirection() {
        "write the URL to which it redirects"
    } else {
        "look into the log of Label Studio"
    };
    PlatformError {
        is_retryable: status.is_server_error(),
        ..PlatformError::permanent(format!("{what}: answered {status}{said}; {cure}"))
    }
}

/// The members that are wrong. What Label Studio says of the headers may repeat them, and they hold the secret.
fn invalid(refusal: &Refusal) -> String {
    if refusal.validation_errors.is_empty() {
        return shortened(&refusal.detail);
    }
    let said = refusal
        .validation_errors
        .iter()
        .map(|(member, said)| match member.as_str() {
            "headers" => "headers: it allows ten, with names of letters, digits, - and _; remove some of the webhook's, or set `header` of the source to such a name".to_owned(),
            _ => format!("{member}: {}", words(said)),
        });
    said.collect::<Vec<_>>().join("; ")
}

/// Texts in a value, one after the other.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => shortened(text),
        Value::Array(values) => {
            let texts: Vec<_> = values.iter().map(words).collect();
            shortened(&texts.join(" "))
        }
        other => shortened(&other.to_string()),
    }
}

fn shortened(text: &str) -> String {
    let text = text.trim_end_matches('.');
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::HeaderMap;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    /// As 1.23.2 answers.
    #[test]
    fn each_refusal_of_a_webhook_names_its_cure() {
        for (status, body, cures) in [
            (
                403,
                r#"{"id":"x","status_code":403,"version":"1.23.2","detail":"URL resolves to a reserved network address (block: 127.0.0.0/8)","exc_info":null}"#,
                &[
                    "(block: 127.0.0.0/8)",
                    "SSRF_PROTECTION_ENABLED=false",
                    "LABEL_STUDIO_SSRF_PROTECTION_ENABLED",
                    "USE_DEFAULT_BANNED_SUBNETS=false",
                    "--relay https://",
                    "labelrelay pull label-studio --every 10s",
                ][..],
            ),
            (
                403,
                r#"{"detail":"You do not have permission to perform this action."}"#,
                &["You do not have permission", "an administrator"],
            ),
            (
                400,
                r#"{"detail":"Validation error","validation_errors":{"url":["Enter a valid URL."]}}"#,
                &["Enter a valid URL", "with a dot", "--relay"],
            ),
            (
                400,
                r#"{"detail":"Validation error","validation_errors":{"project":["Invalid pk \"9\" - object does not exist."]}}"#,
                &["project: Invalid pk"],
            ),
            (
                404,
                r#"{"detail":"Project not found."}"#,
                &["deleted meanwhile"],
            ),
            (
                500,
                r#"{"detail":"Can't resolve hostname relay.test"}"#,
                &[
                    "Can't resolve hostname relay.test",
                    "that its machine knows",
                ],
            ),
            (500, "<html>", &["answered 500", "the log of Label Studio"]),
            (302, "", &["redirects"]),
        ] {
            let error = of_webhook("a webhook", "http://h/x", &answer(status, body));
            for cure in cures {
                assert!(error.message.contains(cure), "{cure}: {error}");
            }
            assert_eq!(error.is_retryable, status == 500, "{error}");
        }
    }

    #[test]
    fn errors_about_headers_are_not_repeated() {
        let body = r#"{"detail":"Validation error","validation_errors":{"headers":["{'A': 'Bearer hidden'} has too many properties"]}}"#;
        let error = of_webhook("a webhook", "http://h/x", &answer(400, body));
        assert!(!error.message.contains("hidden"), "{error}");
        assert!(error.message.contains("it allows ten"), "{error}");
    }

    #[test]
    fn long_words_are_cut_between_characters() {
        let long = "é".repeat(LONGEST + 1);
        assert_eq!(shortened(&long).chars().count(), LONGEST + 1);
        assert_eq!(shortened("short."), "short");
    }
}
