//! The description of a body. Input: platform and topic, where to cut, the body. However it is cut, it says the
//! same; what is JSON, `serde_json` calls JSON; and what it says may stand in attributes.

#![no_main]

use labelrelay_core::provider::Provider;
use labelrelay_event::Digest;
use labelrelay_fuzz::{TOPICS, assert_attribute, head, pieces};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

fuzz_target!(|data: &[u8]| {
    let &[choice, cut, ref body @ ..] = data else {
        return;
    };
    let provider = match choice & 1 {
        0 => Provider::Labelbox,
        _ => Provider::LabelStudio,
    };
    let topic = TOPICS[usize::from(choice >> 1) % TOPICS.len()];
    let head = head(
        "/",
        topic.map(|topic| ("x-labelbox-event", topic.as_bytes())),
    );
    let inspect = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut inspector = provider.inspector(&head);
        for piece in pieces {
            inspector.update(piece);
        }
        inspector.finish()
    };
    let whole = inspect(&mut std::iter::once(body));
    let cut = inspect(&mut pieces(body, cut));

    let raw = serde_json::from_slice::<&RawValue>(body).ok();
    assert_eq!(whole.check.is_json, raw.is_some(), "what is JSON");
    assert_eq!(whole.description, cut.description, "cut elsewhere");
    let (check, what) = (whole.check, whole.description);
    if let Some(raw) = raw {
        assert_eq!(check, cut.check, "cut elsewhere");
        let text = std::str::from_utf8(body).expect("JSON is UTF-8");
        assert_eq!(check.has_outer_whitespace, raw.get().len() != body.len());
        assert_eq!(check.has_line_breaks, text.contains(['\n', '\r']));
        assert_eq!(
            check.has_noncharacters,
            text.contains(['\u{fffe}', '\u{ffff}'])
        );
    } else {
        assert!(!cut.check.is_json, "cut elsewhere");
        assert!(what.event_type.is_unrecognized(), "{}", what.event_type);
    }

    assert_attribute("type", Some(what.event_type.as_str()));
    assert!(
        what.event_type
            .as_str()
            .parse::<labelrelay_event::EventType>()
            .is_ok()
    );
    for (name, text) in [
        ("subject", &what.subject),
        ("time", &what.time),
        ("project", &what.project),
        ("partition", &what.partition),
        ("sequence", &what.sequence),
    ] {
        assert_attribute(name, text.as_deref());
    }
    if let Some(time) = &what.time {
        assert!(labelrelay_core::time::parse(time).is_some(), "{time}");
    }
    if let Some(sequence) = &what.sequence {
        assert_eq!(sequence.len(), "20200924T045608.000000000Z".len());
    }
    let digest = Digest::of(body);
    let id = |delivery| {
        what.identity
            .event_id("source", what.event_type.as_str(), &digest, delivery)
    };
    assert!(id(Some("delivery")).is_some_and(|id| id.len() == 64));
});
