//! Text pasted along with a header's value: the header's own name, or the placeholder that
//! instructions print instead of the secret.

use super::Verdict;

const PLACEHOLDERS: [&str; 3] = ["<secret>", "$secret", "{secret}"];

/// Examines the value of a header; when it does not match, also what is left of it without one of
/// `names` in front.
pub(super) fn explain(value: &[u8], names: &[&str], examine: impl Fn(&[u8]) -> Verdict) -> Verdict {
    let mut verdict = examine(value);
    if verdict.matches {
        return verdict;
    }
    if let Some(rest) = names.iter().find_map(|name| without_name(value, name)) {
        verdict.mistakes = vec![
            "the header's name stands in its value: only what follows the colon belongs there"
                .to_owned(),
        ];
        verdict.mistakes.extend(examine(rest).mistakes);
    }
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    if let Some(placeholder) = PLACEHOLDERS.iter().find(|word| text.contains(**word)) {
        verdict.mistakes.push(format!(
            "`{placeholder}` stands where the secret belongs: write the secret itself"
        ));
    }
    verdict
}

/// `Name: value` or `Name = value`, as instructions print it: the value.
fn without_name<'a>(value: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let value = value.trim_ascii_start();
    let (front, rest) = value.split_at_checked(name.len())?;
    if !front.eq_ignore_ascii_case(name.as_bytes()) {
        return None;
    }
    match rest.trim_ascii_start() {
        [b':' | b'=', value @ ..] => Some(value.trim_ascii()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_front_of_values() {
        for (value, rest) in [
            ("Authorization: Bearer x", Some("Bearer x")),
            (" authorization = Bearer x ", Some("Bearer x")),
            ("Authorization:", Some("")),
            ("Authorization Bearer x", None),
            ("Authorizations: x", None),
            ("Bearer Authorization: x", None),
            ("", None),
        ] {
            assert_eq!(
                without_name(value.as_bytes(), "authorization"),
                rest.map(str::as_bytes),
                "{value}"
            );
        }
    }
}
