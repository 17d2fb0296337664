//! Words for logs and dead letters: one line each, and not longer than anybody reads.

use labelrelay_core::ReceivedEvent;
use labelrelay_event::Event;

/// Longest reason, in characters: queues have little room for one.
const LONGEST: usize = 1000;

/// The text on one line.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::new();
    let mut left = LONGEST;
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        let length = word.chars().count();
        line.extend(word.chars().take(left));
        if length >= left {
            line.push('…');
            break;
        }
        left -= length + 1;
        if left == 0 {
            break;
        }
    }
    line
}

/// Names an event: by its id, or by the queue's own name of it.
pub(crate) fn name(event: &ReceivedEvent) -> String {
    let id = match Event::parse(&event.envelope) {
        Ok(read) => Some(read.attributes().id.clone()),
        Err(error) => error.event_id().map(str::to_owned),
    };
    id.map_or_else(|| event.place.clone(), |id| one_line(&id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_and_not_long() {
        assert_eq!(one_line(" a\n\tb  c\r"), "a b c");
        assert_eq!(one_line(""), "");
        let long = one_line(&"é".repeat(5000));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(one_line(&"word ".repeat(5000)).chars().count() <= LONGEST + 1);
    }

    #[test]
    fn an_unreadable_event_has_the_queues_name() {
        let event = ReceivedEvent::new(&b"nonsense"[..], "receipt", "message 7");
        assert_eq!(name(&event), "message 7");
        let event = ReceivedEvent::new(&br#"{"id":"x","specversion":"9"}"#[..], "r", "message 8");
        assert_eq!(name(&event), "x");
    }
}
