//! Reads the secret from a stored value.

/// Name of a secret in its store, and the member of its JSON object that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) store: String,
    pub(super) member: Option<String>,
}

impl Name {
    /// Reads `name` or `name#member`.
    pub(super) fn parse(text: &str) -> Self {
        match text.split_once('#') {
            Some((store, member)) if !member.is_empty() => Self {
                store: store.to_owned(),
                member: Some(member.to_owned()),
            },
            _ => Self {
                store: text.trim_end_matches('#').to_owned(),
                member: None,
            },
        }
    }
}

/// The secret in what a store holds. One trailing line break is not part of it, as with files: `echo`
/// puts it there. The error says what is wrong and holds nothing of the value.
pub(super) fn secret(stored: &[u8], member: Option<&str>) -> Result<Vec<u8>, String> {
    let Some(member) = member else {
        return Ok(without_line_break(stored).to_vec());
    };
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(stored)
        .map_err(|_| format!("it is not a JSON object, so it has no member `{member}`"))?;
    match object.get(member) {
        Some(serde_json::Value::String(text)) => Ok(without_line_break(text.as_bytes()).to_vec()),
        Some(_) => Err(format!("its member `{member}` is not a string")),
        None => Err(format!("it has no member `{member}`")),
    }
}

/// The value of a store that holds nothing else yet.
pub(super) fn first(secret: &str, member: Option<&str>) -> String {
    match member {
        None => secret.to_owned(),
        Some(member) => serde_json::json!({ member: secret }).to_string(),
    }
}

/// Why a value that holds other things too is not replaced.
pub(super) fn shared(member: &str) -> String {
    format!(
        "the secret is the member `{member}` of a value that may hold other things too, and this program writes whole values alone; put the new one there by hand, and leave all else as it is"
    )
}

fn without_line_break(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_the_secret_or_holds_it() {
        let cases = [
            (&b"hush"[..], None, Ok("hush")),
            (b"hush\r\n", None, Ok("hush")),
            (b"hush\n\n", None, Ok("hush\n")),
            (br#"{"webhook":"hush"}"#, None, Ok(r#"{"webhook":"hush"}"#)),
            (br#"{"webhook":"hush"}"#, Some("webhook"), Ok("hush")),
            (
                br#"{"webhook":"hush"}"#,
                Some("other"),
                Err("no member `other`"),
            ),
            (br#"{"webhook":7}"#, Some("webhook"), Err("not a string")),
            (b"hush", Some("webhook"), Err("not a JSON object")),
        ];
        for (stored, member, expected) in cases {
            match (secret(stored, member), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected.as_bytes()),
                (Err(found), Err(expected)) => {
                    assert!(
                        found.contains(expected) && !found.contains("hush"),
                        "{found}"
                    );
                }
                (found, _) => panic!("{stored:?} {member:?} became {found:?}"),
            }
        }
    }

    #[test]
    fn a_member_stands_behind_a_hash() {
        let name = |store: &str, member: Option<&str>| Name {
            store: store.to_owned(),
            member: member.map(str::to_owned),
        };
        assert_eq!(Name::parse("a/b"), name("a/b", None));
        assert_eq!(Name::parse("a/b#c"), name("a/b", Some("c")));
        assert_eq!(Name::parse("a/b#"), name("a/b", None));
    }
}
