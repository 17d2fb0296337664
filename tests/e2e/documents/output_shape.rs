//! The shape of an output: what two runs of a command have in common.

/// The words of `text`; one that has a digit in it (an id, a time, a number) may differ from run to run.
pub(super) fn shape(text: &str) -> Vec<&str> {
    text.split(|c: char| c.is_whitespace() || "\"{}:,/".contains(c))
        .filter(|word| !word.is_empty())
        .map(|word| {
            // An id may have no digit, once in some thousand times.
            let is_id = word.len() >= 20 && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let differs = is_id || word.bytes().any(|byte| byte.is_ascii_digit());
            if differs { "#" } else { word }
        })
        .collect()
}

#[test]
fn ids_and_times_differ() {
    let first = "200 after 3.1 ms: {\"outcome\":\"accepted\",\"id\":\"9e19\"}";
    assert_eq!(shape(first), shape(&first.replace("9e19", "77ab")));
    assert_ne!(shape(first), shape(&first.replace("accepted", "repeat")));
    let subject = "label/cksge3m9mf6wn9hwkwf1bjzxd";
    assert_eq!(shape(subject), shape("label/cdggckaaugopbdeagskelqmbj"));
}
