//! Descriptions: comments of the code, without what only Rust's documentation can follow.

use serde_json::Value;

/// Turns ``[`Name`](path)`` and ``[`Name`]`` into `` `Name` ``, everywhere in `value`, and joins the lines of a paragraph.
pub(crate) fn without_links(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(['[', '\n']) => *text = plain(text),
        Value::Array(values) => values.iter_mut().for_each(without_links),
        Value::Object(members) => members.values_mut().for_each(without_links),
        _ => {}
    }
}

fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("[`") {
        plain.push_str(&rest[..start]);
        let Some(end) = rest[start..].find("`]").map(|end| start + end) else {
            break;
        };
        plain.push_str(&rest[start + 1..=end]);
        rest = &rest[end + 2..];
        if rest.starts_with('(')
            && let Some(end) = rest.find(')')
        {
            rest = &rest[end + 1..];
        }
    }
    plain.push_str(rest);
    let paragraphs = plain
        .split("\n\n")
        .map(|paragraph| paragraph.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}
