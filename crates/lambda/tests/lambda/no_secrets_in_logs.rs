//! Logs never show a secret or a piece of a body, however much they are asked to say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_testkit::adapter_suite::{SECRET, WRONG_SECRET};

/// So many bytes of a body are more than an id or a name.
const PIECE_BYTES: usize = 48;

/// Asserts that `log` has lines of the function, and in none of them a secret or a piece of `bodies`, as
/// they are, as JSON writes them, or as base64.
pub(crate) fn assert_quiet<'a>(log: &str, bodies: impl Iterator<Item = &'a [u8]>) {
    assert!(
        log.contains("\"timestamp\""),
        "no line of the function:\n{log}"
    );
    for secret in [SECRET, WRONG_SECRET] {
        let basic = STANDARD.encode(format!("user:{secret}"));
        for secret in [secret, &*basic, &STANDARD.encode(secret)] {
            assert!(
                !log.contains(secret),
                "a secret in\n{}",
                around(log, secret)
            );
        }
    }
    let mut pieces = 0;
    for body in bodies {
        // In the middle, where neither the action nor an id stands.
        let at = (body.len() / 2).saturating_sub(PIECE_BYTES / 2);
        let Some(piece) = body.get(at..at + PIECE_BYTES) else {
            continue;
        };
        let encoded = STANDARD.encode(&body[at - at % 3..]);
        let mut forms = vec![encoded[..PIECE_BYTES.min(encoded.len())].to_owned()];
        if let Ok(text) = std::str::from_utf8(piece) {
            forms.push(text.to_owned());
            let json = serde_json::to_string(text).unwrap();
            forms.push(json[1..json.len() - 1].to_owned());
        }
        for form in forms {
            assert!(!log.contains(&form), "a body in\n{}", around(log, &form));
        }
        pieces += 1;
    }
    assert!(pieces > 0, "no body was looked for");
}

fn around<'a>(log: &'a str, what: &str) -> &'a str {
    log.lines().find(|line| line.contains(what)).unwrap_or(log)
}
