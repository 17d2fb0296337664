//! The report of a proof: Markdown for people, with the same and more as JSON at its end.

use super::answers::{Answer, Seen, answers};
use serde_json::json;
use std::fmt::Write as _;

/// The whole report. It holds no secret, id, name, address or URL: nothing of what it is made from does.
pub(super) fn text(seen: &Seen, strangers: u64) -> String {
    let answers = answers(seen);
    let mut text = String::from(
        "# Labelbox, as a workspace showed it\n\n\
         Written by `labelrelay connect labelbox --prove`. It holds sizes, times, and names of headers and of members that \
         documents show. It holds no secret, id, name, e-mail address, URL or content. Read it before you send it.\n\n",
    );
    for Answer {
        question,
        answer,
        not_seen,
        ..
    } in &answers
    {
        let said = match (answer, not_seen) {
            (Some(answer), _) => answer.clone(),
            (None, why) => format!("not seen: {}", why.as_deref().unwrap_or_default()),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- **{question}** {said}");
    }
    let whole = json!({
        "labelrelay": env!("CARGO_PKG_VERSION"),
        "questions": answers,
        "deliveries": seen.deliveries,
        "requests_of_others": strangers,
        "export": seen.export.ok(),
    });
    let _ = writeln!(text, "\n```json\n{whole:#}\n```");
    text
}
