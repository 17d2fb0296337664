//! What happened to a delivery, one step after the other.

use super::text::{elapsed, size};
use crate::data::Delivery;
use serde::Serialize;

/// A step: how long it took, where that is known, and what happened.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Step(Option<String>, String);

pub(super) fn of(delivery: &Delivery) -> Vec<Step> {
    let summary = &delivery.summary;
    let mut steps = Vec::new();
    let mut step = |took: Option<String>, words: String| steps.push(Step(took, words));
    if summary.status == 0 {
        if let Some(id) = &summary.event_id {
            step(None, format!("It became the event {id}."));
        }
        let words =
            "Its event was archived. An archive keeps neither the request's head nor the answer.";
        step(None, words.to_owned());
        return steps;
    }
    step(
        None,
        match &delivery.client {
            Some(client) => format!("The request came in from {client}."),
            None => "The request came in.".to_owned(),
        },
    );
    let bytes = usize::try_from(summary.body_bytes).unwrap_or_default();
    if bytes > 0 {
        let spooled = if delivery.spooled {
            " They waited in the spool."
        } else {
            ""
        };
        step(
            None,
            format!("{} of its body were read.{spooled}", size(bytes)),
        );
    }
    if let Some(secret) = &delivery.verified_by {
        step(None, format!("The secret {secret} matched."));
    }
    if let Some(id) = &summary.event_id {
        step(None, format!("It became the event {id}."));
    }
    if delivery.claimed {
        step(None, "The body went to the blob store.".to_owned());
    }
    if let Some(us) = delivery.queue_us {
        step(Some(elapsed(us)), "The queue took the event.".to_owned());
    }
    if delivery.fell_back {
        let words = "The queue did not take the event in time: it went into the fallback.";
        step(None, words.to_owned());
    }
    let reason = summary.reason.as_deref();
    let reason = reason.map_or_else(String::new, |reason| format!(" {reason}"));
    step(
        Some(elapsed(summary.elapsed_us)),
        format!(
            "The answer was {} ({}), this long after the request came in.{reason}",
            summary.status, summary.outcome
        ),
    );
    if delivery.late {
        let words = "That was too late: the sender had been told to try again.";
        step(None, words.to_owned());
    }
    if let Some(state) = &delivery.queue_state {
        step(None, format!("By now: {state}"));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Summary;

    #[test]
    fn steps_say_only_what_is_known() {
        let refused = Delivery {
            summary: Summary {
                status: 401,
                outcome: "unauthorized".to_owned(),
                reason: Some("no secret matches".to_owned()),
                elapsed_us: 1500,
                ..Summary::default()
            },
            ..Delivery::default()
        };
        let steps = of(&refused);
        assert_eq!(steps.len(), 2);
        assert_eq!(steps[1].0.as_deref(), Some("1.50 ms"));
        assert!(steps[1].1.contains("401 (unauthorized)"), "{steps:?}");
        assert!(steps[1].1.ends_with("no secret matches"), "{steps:?}");
    }

    #[test]
    fn nothing_is_made_up_of_a_request_that_nobody_kept() {
        let archived = Delivery {
            summary: Summary {
                outcome: "archived".to_owned(),
                event_id: Some("9f86d081".to_owned()),
                ..Summary::default()
            },
            ..Delivery::default()
        };
        let steps = of(&archived);
        assert_eq!(steps.len(), 2);
        assert!(steps.iter().all(|step| step.0.is_none()), "{steps:?}");
        assert!(
            !format!("{steps:?}").contains("The answer was"),
            "{steps:?}"
        );
    }
}
