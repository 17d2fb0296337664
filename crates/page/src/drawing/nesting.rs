//! What reading a body may take, found before it is read.
//!
//! Each answer of Labelbox holds the names of all questions and answers above it. So a body of a few megabytes, with many
//! answers far below others, becomes a gigabyte.

/// Names above all answers together, at most: sixteen bytes each.
const MAX_NAMES: usize = 8_000_000;

/// Levels that are read.
const MAX_LEVELS: usize = 500;

/// A question, its answer, and the list of what that leads to; two of them have a name.
const LEVELS_OF_A_QUESTION: usize = 3;

/// Tells whether reading a body may take more than there is for it. What is not drawn then is far from what anybody asks.
pub(super) fn is_too_much(body: &[u8]) -> bool {
    // Brackets within texts count, too: a label of the first format is a text. It may have them as escapes.
    let escapes = std::str::from_utf8(body).map_or(0, |text| text.matches("\\u007").count());
    let mut objects = escapes;
    let (mut level, mut deepest) = (0_usize, 0);
    for byte in body {
        match byte {
            b'{' | b'[' => {
                objects += usize::from(*byte == b'{');
                level += 1;
                deepest = deepest.max(level);
            }
            b'}' | b']' => level = level.saturating_sub(1),
            _ => {}
        }
    }
    if escapes > 0 {
        deepest = MAX_LEVELS;
    }
    let above = deepest.min(MAX_LEVELS) / LEVELS_OF_A_QUESTION * 2;
    objects.saturating_mul(above) > MAX_NAMES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_answers_far_below_others_are_too_much() {
        let nested = |levels: usize, answers: usize| {
            let above = r#"{"n":"","a":{"n":"","c":["#.repeat(levels);
            let answers = r#"{"n":"","c":[{}]},"#.repeat(answers);
            format!("{above}{answers}0{}", "]}}".repeat(levels))
        };
        assert!(is_too_much(nested(150, 30_000).as_bytes()));
        let as_text = nested(150, 30_000).replace('{', "\\u007b");
        assert!(is_too_much(as_text.as_bytes()));
        for (levels, answers) in [(150, 1_000), (5, 100_000), (1, 500_000)] {
            assert!(!is_too_much(nested(levels, answers).as_bytes()), "{levels}");
        }
        // Corners of polygons, as many as there may be.
        let corners = r#"{"x":1,"y":2},"#.repeat(1_100_000);
        assert!(!is_too_much(format!("[[[[[[[{corners}]]]]]]]").as_bytes()));
    }
}
