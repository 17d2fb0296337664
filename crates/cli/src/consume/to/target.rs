//! The URL that events are posted to.

use crate::error::CliError;
use crate::serve::{Reach, reach};
use crate::userinfo;
use http::Uri;

/// Reads the URL of `--to`. In plain text, events go no further than this machine's own network.
pub(super) fn read(url: &str) -> Result<Uri, CliError> {
    let shown = shown(url);
    let wrong = |problem: &str| Err(CliError::usage(format_args!("--to {shown}: {problem}")));
    if userinfo::is_in(url) {
        return wrong(
            "a name and password in a URL are not sent; sign with --secret, which proves who sent it",
        );
    }
    let Ok(uri) = url.parse::<Uri>() else {
        return wrong("is no URL; write https://HOST/PATH");
    };
    match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(_)) if reach(url) == Some(Reach::Public) => wrong(
            "http would show events to everybody on the way; write https://, or a host of this machine's own network",
        ),
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => wrong("is no URL; write https://HOST/PATH"),
    }
}

/// Scheme, host and port: a path or query may hold the key of whoever may post there, and the log must not.
pub(super) fn origin(uri: &Uri) -> String {
    shown(&uri.to_string())
}

fn shown(url: &str) -> String {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let rest = url.get(begin..).unwrap_or_default();
    match rest.find(['/', '?', '#']) {
        Some(length) => {
            let origin = url.get(..begin + length).unwrap_or_default();
            format!("{}/…", userinfo::hidden(origin))
        }
        None => userinfo::hidden(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_url_is_not_shown() {
        for (url, said) in [
            (
                "https://hooks.example/services/T0/B0/KEY",
                "https://hooks.example/…",
            ),
            ("https://x.example?code=KEY", "https://x.example/…"),
            ("https://x.example:8443/KEY", "https://x.example:8443/…"),
            ("http://8.8.8.8/hook?key=KEY", "http://8.8.8.8/…"),
        ] {
            assert_eq!(shown(url), said);
            if let Err(error) = read(url) {
                assert!(!error.message().contains("KEY"), "{error:?}");
            } else {
                let origin = origin(&url.parse().unwrap());
                assert!(origin.starts_with(said.trim_end_matches("/…")), "{origin}");
                assert!(!origin.contains("KEY"), "{origin}");
            }
        }
    }

    #[test]
    fn plain_text_stays_near() {
        for url in [
            "https://x.example/hook?key=1",
            "https://[2606:4700::1111]/",
            "http://127.0.0.1:8000/hook",
            "http://[::1]/",
            "http://localhost",
            "http://10.1.2.3/",
            "http://app:8080/",
        ] {
            assert!(read(url).is_ok(), "{url}");
        }
        for (url, word) in [
            ("http://x.example/", "https"),
            ("http://8.8.8.8/", "https"),
            ("https://me:secret@x.example/", "password"),
            ("ftp://x.example/", "no URL"),
            ("x.example/hook", "no URL"),
            ("https://", "no URL"),
            ("", "no URL"),
        ] {
            let error = read(url).unwrap_err();
            let said = error.message();
            assert!(said.contains(word) && !said.contains("me:secret"), "{said}");
        }
    }
}
