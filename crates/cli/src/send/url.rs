//! The URL of `--to`, checked before anything is sent.

use crate::error::CliError;
use crate::userinfo;
use http::Uri;

/// Checks that a delivery can go there at all.
pub(super) fn check(url: &str) -> Result<(), CliError> {
    let wrong = |what: &str| {
        Err(CliError::usage(format_args!(
            "--to: `{}` {what}; write http://HOST:PORT/SOURCE or https://HOST/SOURCE",
            userinfo::hidden(url).escape_debug()
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
}
