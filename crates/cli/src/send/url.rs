//! The URL of `--to`: checked before anything is sent, and shown without what it keeps secret.

use crate::error::CliError;
use http::Uri;

/// Whether a delivery can go there at all.
pub(super) fn check(url: &str) -> Result<(), CliError> {
    let wrong = |what: &str| {
        Err(CliError::usage(format_args!(
            "--to: `{}` {what}; write http://HOST:PORT/SOURCE or https://HOST/SOURCE",
            shown(url).escape_debug()
        )))
    };
    let Ok(parsed) = url.parse::<Uri>() else {
        return wrong("is not a URL");
    };
    match (parsed.scheme_str(), parsed.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => Ok(()),
        (Some("http" | "https"), _) => wrong("names no host"),
        _ => wrong("begins with neither http:// nor https://"),
    }
}

/// Whether the URL holds a name and password, which are not sent.
pub(super) fn has_userinfo(url: &str) -> bool {
    userinfo(url).is_some()
}

/// The URL without name and password, for output and errors, which end up in logs.
pub(super) fn shown(url: &str) -> String {
    match userinfo(url) {
        Some((before, after)) => format!("{before}…@{after}"),
        None => url.to_owned(),
    }
}

/// Text before and after the name and password.
fn userinfo(url: &str) -> Option<(&str, &str)> {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let (before, rest) = url.split_at(begin);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let at = rest.get(..end)?.rfind('@')?;
    Some((before, rest.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_delivery_can_go_to() {
        for good in [
            "http://127.0.0.1:8090/labelbox",
            "https://x.example",
            "http://user:password@[::1]:8090/x?code=y",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for wrong in [
            "",
            "relay.example",
            "relay.example:80",
            "ftp://x.example/",
            "http://",
            "http:///x",
            "https://user:password@/x",
            "http://a b/",
        ] {
            let Err(CliError::Usage(message)) = check(wrong) else {
                panic!("{wrong}")
            };
            assert!(!message.contains("password"), "{message}");
        }
    }

    #[test]
    fn names_and_passwords_are_not_shown() {
        for (url, text) in [
            ("http://u:p@host/a@b", "http://…@host/a@b"),
            ("https://p@ss@host:1?x@y", "https://…@host:1?x@y"),
            ("http://host/u:p@x", "http://host/u:p@x"),
            ("u:p@host", "…@host"),
            ("http://host", "http://host"),
        ] {
            assert_eq!(shown(url), text);
            assert_eq!(has_userinfo(url), url != text);
        }
    }
}
