//! The demo's result, for people; and whether all of it is as it should be.

use super::queued_events::QueuedEvent;
use super::scenario::{PlayedScenario, Tamper};
use labelrelay_core::Outcome;
use std::collections::HashMap;
use std::io::Write;

/// Writes everything. True when every answer was the right one, and the queue holds what was
/// accepted, byte for byte, and nothing else.
pub(super) fn write(
    out: &mut impl Write,
    played: &[PlayedScenario],
    queued: &[QueuedEvent],
) -> std::io::Result<bool> {
    let by_id: HashMap<&str, &QueuedEvent> = queued
        .iter()
        .map(|event| (event.id.as_str(), event))
        .collect();
    let (recorded, forged): (Vec<_>, Vec<_>) = played
        .iter()
        .partition(|played| played.scenario.tamper == Tamper::Nothing);
    writeln!(
        out,
        "{}",
        row("RECORDED DELIVERY", "EXPECTED", "ANSWER", "TYPE")
    )?;
    for &one in &recorded {
        let event = one.id.as_deref().and_then(|id| by_id.get(id));
        write_one(
            out,
            one,
            event.map_or("-", |event| event.event_type.as_str()),
        )?;
    }
    writeln!(out, "\n{}", row("FORGERY", "EXPECTED", "ANSWER", ""))?;
    for &one in &forged {
        write_one(out, one, "")?;
    }
    writeln!(
        out,
        "\n {:>3}  {:<32} {:<38} {:>5}  {:<16}  BODY",
        "SEQ", "TYPE", "SUBJECT", "BYTES", "SHA-256"
    )?;
    let accepted: Vec<_> = recorded
        .iter()
        .filter(|one| one.scenario.expected == Outcome::Accepted)
        .collect();
    let mut identical = 0;
    for event in queued {
        // Each id was given to one delivery; its repeat brought the same bytes.
        let sent = accepted
            .iter()
            .find(|one| one.id.as_deref() == Some(&event.id));
        let same = event.digest_is_right && sent.is_some_and(|one| one.body == event.body);
        identical += usize::from(same);
        writeln!(
            out,
            " {:>3}  {:<32} {:<38} {:>5}  {:<16}  {}",
            event.seq,
            event.event_type,
            event.subject.as_deref().unwrap_or("-"),
            event.body.len(),
            event.digest.get(..16).unwrap_or_default(),
            if same { "as sent" } else { "DIFFERS" }
        )?;
    }
    let right = |of: &[&PlayedScenario]| of.iter().filter(|one| one.is_as_expected()).count();
    let (as_recorded, refused) = (right(&recorded), right(&forged));
    writeln!(
        out,
        "\nrecorded deliveries: {as_recorded} of {} answered as expected",
        recorded.len()
    )?;
    writeln!(out, "forgeries: {refused} of {} refused", forged.len())?;
    writeln!(
        out,
        "queue: {} events for {} accepted deliveries, {identical} of them byte for byte as sent",
        queued.len(),
        accepted.len()
    )?;
    let answers = as_recorded == recorded.len() && refused == forged.len();
    Ok(answers && queued.len() == accepted.len() && identical == accepted.len())
}

fn write_one(out: &mut impl Write, one: &PlayedScenario, event_type: &str) -> std::io::Result<()> {
    let expected = format!(
        "{} {}",
        one.scenario.expected.status().as_u16(),
        one.scenario.expected.as_str()
    );
    let answer = format!("{} {}", one.status, one.outcome);
    let mark = if one.is_as_expected() { ' ' } else { '!' };
    let about = format!(
        "{}: {}",
        one.scenario.sample.provider.as_str(),
        one.scenario.about
    );
    writeln!(
        out,
        "{mark}{}",
        row(&about, &expected, &answer, event_type)
            .get(1..)
            .unwrap_or_default()
    )
}

fn row(delivery: &str, expected: &str, answer: &str, event_type: &str) -> String {
    format!(" {delivery:<54} {expected:<17} {answer:<17} {event_type}")
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::SAMPLES;
    use crate::serve::demo::scenario::Scenario;
    use bytes::Bytes;

    fn played(tamper: Tamper, expected: Outcome, outcome: Outcome) -> PlayedScenario {
        let accepted = outcome == Outcome::Accepted;
        PlayedScenario {
            scenario: Scenario {
                about: "x",
                sample: &SAMPLES[0],
                tamper,
                expected,
            },
            body: Bytes::from_static(b"{}"),
            status: outcome.status().as_u16(),
            outcome: outcome.as_str().to_owned(),
            id: accepted.then(|| "1".to_owned()),
        }
    }

    fn queued(body: &[u8]) -> QueuedEvent {
        QueuedEvent {
            seq: 1,
            id: "1".to_owned(),
            event_type: "a.b".to_owned(),
            subject: None,
            digest: "0".repeat(64),
            digest_is_right: true,
            body: body.to_vec(),
        }
    }

    #[test]
    fn anything_that_is_not_as_it_should_be_fails_the_demo() {
        let verdict = |played: &[PlayedScenario], queued: &[QueuedEvent]| {
            write(&mut Vec::new(), played, queued).unwrap()
        };
        let good = || played(Tamper::Nothing, Outcome::Accepted, Outcome::Accepted);
        let forged = |outcome| played(Tamper::BodyBit, Outcome::Unauthorized, outcome);
        assert!(verdict(
            &[good(), forged(Outcome::Unauthorized)],
            &[queued(b"{}")]
        ));
        assert!(
            !verdict(&[good(), forged(Outcome::Accepted)], &[queued(b"{}")]),
            "a forgery got in"
        );
        assert!(
            !verdict(&[good(), forged(Outcome::Unavailable)], &[queued(b"{}")]),
            "refused for another reason"
        );
        assert!(!verdict(&[good()], &[]), "an event is lost");
        assert!(!verdict(&[good()], &[queued(b"{} ")]), "bytes were changed");
        assert!(
            !verdict(&[good()], &[queued(b"{}"), queued(b"{}")]),
            "an event stands twice"
        );
        let refused = played(Tamper::Nothing, Outcome::Accepted, Outcome::Unauthorized);
        assert!(!verdict(&[refused], &[]), "a real delivery was refused");
        let wrong_digest = QueuedEvent {
            digest_is_right: false,
            ..queued(b"{}")
        };
        assert!(!verdict(&[good()], &[wrong_digest]), "a digest is wrong");
    }
}
