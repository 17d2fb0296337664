use super::*;
use crate::delivery::Credential;
use crate::fault::Faults;
use crate::record::{Answer, End};
use std::time::Duration;

fn answered(number: u32, event: &str, id: &str) -> Record {
    let answer = Answer {
        status: 200,
        outcome: "accepted".to_owned(),
        id: Some(id.to_owned()),
    };
    Record {
        number,
        source: Source::Labelbox,
        digest: Digest::of(b"equal"),
        body_bytes: 5,
        credential: Credential::Of(0),
        end: End::Answered(answer),
        event: Some(event.to_owned()),
        faults: Faults::default(),
        rotations: 0,
        process: 1,
        took: Duration::ZERO,
    }
}

#[test]
fn one_id_for_two_events_is_noticed() {
    let one = [
        answered(1, "d1", "a"),
        answered(2, "d1", "a"),
        answered(3, "d2", "b"),
    ];
    assert!(merged(&one).is_empty(), "one delivery, sent again");
    let two = [answered(1, "d1", "a"), answered(2, "d2", "a")];
    let violations = merged(&two);
    assert_eq!((violations.len(), violations[0].number), (1, Some(2)));
    assert_eq!(violations[0].kind, ViolationKind::Merged);
}
