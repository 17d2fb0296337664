//! A delivery as a command for a shell.

use super::body::Found;
use crate::data::Delivery;
use std::fmt::Write as _;

/// Longest body that stands in the command itself.
const MAX_INLINE_BYTES: usize = 8 * 1024;

/// Headers that curl writes itself, or that belong to the connection of before.
const NOT_COPIED: [&str; 8] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "accept-encoding",
    "expect",
    "keep-alive",
    "upgrade",
];

pub(super) fn command(delivery: &Delivery, relay_url: Option<&str>, body: &Found<'_>) -> String {
    let method = delivery.method.as_deref().unwrap_or("POST");
    let base = relay_url.unwrap_or("http://127.0.0.1:8080");
    let path = delivery.path.as_deref().unwrap_or("/");
    let url = format!("{}{path}", base.trim_end_matches('/'));
    // Brackets and braces of a path are no pattern: one request stays one.
    let mut out = format!("curl -g -X {} {}", quoted(method), quoted(&url));
    for line in delivery.head.as_deref().unwrap_or_default().lines() {
        let name = line.split_once(':').map_or(line, |(name, _)| name);
        let is_copied = !NOT_COPIED
            .iter()
            .any(|other| name.trim().eq_ignore_ascii_case(other));
        if is_copied && line.contains(':') {
            // Writing into memory does not fail.
            let _ = write!(out, " \\\n  -H {}", quoted(line));
        }
    }
    let text = match body {
        Found::Whole(bytes) if bytes.len() <= MAX_INLINE_BYTES => std::str::from_utf8(bytes).ok(),
        _ => None,
    };
    match (text, body) {
        // A leading `@` would name a file. A terminal obeys what is pasted: ^C would end the command, and the next line
        // of a stranger's body would be one of its own.
        (Some(text), _) if !text.starts_with('@') && !text.contains(is_typed) => {
            let _ = write!(out, " \\\n  --data-binary {}", quoted(text));
        }
        (_, Found::Missing(_)) => {}
        _ => out.push_str(" \\\n  --data-binary @body"),
    }
    out
}

/// One word of a POSIX shell, whatever it holds.
fn quoted(text: &str) -> String {
    let text = text.replace(is_typed, " ");
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Tells whether a terminal takes this for a key. The end of a line within quotes is none.
fn is_typed(c: char) -> bool {
    c.is_control() && c != '\n'
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    fn delivery() -> Delivery {
        Delivery {
            method: Some("POST".to_owned()),
            path: Some("/it's".to_owned()),
            head: Some("Host: a\ncontent-type: application/json\nx-a: $(id)'\t\u{9b}\n".to_owned()),
            ..Delivery::default()
        }
    }

    #[test]
    fn nothing_of_a_delivery_runs_in_the_shell() {
        let body = Found::Whole(Cow::Borrowed(b"{\"a\": \"`id`'; rm\"}"));
        let command = command(&delivery(), Some("http://127.0.0.1:1/"), &body);
        let expected = r#"curl -g -X 'POST' 'http://127.0.0.1:1/it'\''s' \
  -H 'content-type: application/json' \
  -H 'x-a: $(id)'\''  ' \
  --data-binary '{"a": "`id`'\''; rm"}'"#;
        assert_eq!(command, expected);
    }

    #[test]
    fn what_no_command_holds_comes_from_a_file() {
        let large = vec![b' '; MAX_INLINE_BYTES + 1];
        for body in [
            &large[..],
            b"\xff",
            b"@file",
            b"\0",
            b"\x03\nid\n",
            b"\x1b[201~",
        ] {
            let command = command(&delivery(), None, &Found::Whole(Cow::Borrowed(body)));
            assert!(command.ends_with("--data-binary @body"), "{command}");
        }
        let missing = Found::Missing(String::new());
        assert!(!command(&delivery(), None, &missing).contains("--data"));
    }
}
