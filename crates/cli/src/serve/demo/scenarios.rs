//! Deliveries and forgeries of the demo.

use super::scenario::{Scenario, Tamper};
use crate::samples::{Sample, named};
use labelrelay_core::Outcome;
use labelrelay_core::provider::Provider::{self, LabelStudio, Labelbox};

/// Recorded deliveries, each once.
const RECORDED: [(&str, Provider); 18] = [
    ("label.created", Labelbox),
    ("label_2020.created", Labelbox),
    ("label.updated", Labelbox),
    ("label.deleted", Labelbox),
    ("label_v2.created", Labelbox),
    ("workflow.move", Labelbox),
    ("workflow.approve", Labelbox),
    ("project.created", LabelStudio),
    ("task.created", LabelStudio),
    ("tasks.created", LabelStudio),
    ("task_surrogate.created", LabelStudio),
    ("annotation.created", LabelStudio),
    ("annotation_text.created", LabelStudio),
    ("annotation_skipped.created", LabelStudio),
    ("annotation.updated", LabelStudio),
    ("annotation.deleted", LabelStudio),
    ("label_link.created", LabelStudio),
    ("action_alone.created", LabelStudio),
];

/// Attempts of somebody without the secret.
const FORGED: [(&str, &str, Provider, Tamper, Outcome); 10] = [
    (
        "signed with a foreign secret",
        "label.created",
        Labelbox,
        Tamper::ForeignSecret,
        Outcome::Unauthorized,
    ),
    (
        "one bit of the body flipped",
        "label.created",
        Labelbox,
        Tamper::BodyBit,
        Outcome::Unauthorized,
    ),
    (
        "one bit of the signature flipped",
        "label.created",
        Labelbox,
        Tamper::SignatureBit,
        Outcome::Unauthorized,
    ),
    (
        "signature cut short",
        "label.created",
        Labelbox,
        Tamper::SignatureCut,
        Outcome::Malformed,
    ),
    (
        "signature header twice",
        "label.created",
        Labelbox,
        Tamper::SignatureTwice,
        Outcome::Malformed,
    ),
    (
        "no signature",
        "label.created",
        Labelbox,
        Tamper::NoCredential,
        Outcome::Unauthorized,
    ),
    (
        "empty body, rightly signed",
        "label.created",
        Labelbox,
        Tamper::EmptyBody,
        Outcome::Malformed,
    ),
    (
        "a foreign secret in the header",
        "annotation.created",
        LabelStudio,
        Tamper::ForeignSecret,
        Outcome::Unauthorized,
    ),
    (
        "one bit of the secret flipped",
        "annotation.created",
        LabelStudio,
        Tamper::SignatureBit,
        Outcome::Unauthorized,
    ),
    (
        "no header with a secret",
        "annotation.created",
        LabelStudio,
        Tamper::NoCredential,
        Outcome::Unauthorized,
    ),
];

/// All of them, in the order in which they are played.
pub(super) fn all() -> impl Iterator<Item = Scenario> {
    let recorded = RECORDED.iter().filter_map(|&(event, provider)| {
        let sample = named(event, Some(provider))?;
        Some(scenario(
            sample.about,
            sample,
            Tamper::Nothing,
            Outcome::Accepted,
        ))
    });
    let again = named("label.created", Some(Labelbox)).map(|sample| {
        scenario(
            "the first label once more",
            sample,
            Tamper::Nothing,
            Outcome::Repeat,
        )
    });
    let forged = FORGED
        .iter()
        .filter_map(|&(about, event, provider, tamper, expected)| {
            Some(scenario(
                about,
                named(event, Some(provider))?,
                tamper,
                expected,
            ))
        });
    recorded.chain(again).chain(forged)
}

fn scenario(
    about: &'static str,
    sample: &'static Sample,
    tamper: Tamper,
    expected: Outcome,
) -> Scenario {
    Scenario {
        about,
        sample,
        tamper,
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_that_of_a_sample() {
        assert_eq!(all().count(), RECORDED.len() + 1 + FORGED.len());
    }
}
