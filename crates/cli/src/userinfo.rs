//! Name and password in a URL, which output and errors must not repeat: they end up in logs.

/// Tells whether the URL holds a name and password.
pub(crate) fn is_in(url: &str) -> bool {
    parts(url).is_some()
}

/// The URL without name and password.
pub(crate) fn hidden(url: &str) -> String {
    match parts(url) {
        Some((before, _, after)) => format!("{before}…@{after}"),
        None => url.to_owned(),
    }
}

/// The name and password, as they stand in the URL.
pub(crate) fn of(url: &str) -> Option<&str> {
    parts(url).map(|(_, userinfo, _)| userinfo)
}

/// The name and password, and the text before and after them.
fn parts(url: &str) -> Option<(&str, &str, &str)> {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let (before, rest) = url.split_at(begin);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let at = rest.get(..end)?.rfind('@')?;
    Some((before, rest.get(..at)?, rest.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_passwords_are_not_shown() {
        for (url, text, userinfo) in [
            ("http://u:p@host/a@b", "http://…@host/a@b", Some("u:p")),
            (
                "https://p@ss@host:1?x@y",
                "https://…@host:1?x@y",
                Some("p@ss"),
            ),
            ("http://host/u:p@x", "http://host/u:p@x", None),
            ("u:p@host", "…@host", Some("u:p")),
            ("http://host", "http://host", None),
        ] {
            assert_eq!(hidden(url), text);
            assert_eq!(is_in(url), url != text);
            assert_eq!(of(url), userinfo);
        }
    }
}
