//! Scores: how far annotators agree, where a platform says it.

use labelrelay_event::changes::{Annotation, Kind, Raw};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Scores of a label of Labelbox.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Scores {
    /// Agreement with the other labels of its row.
    pub(super) consensus: Option<f64>,
    /// Agreement with the label that others are measured by.
    pub(super) benchmark: Option<f64>,
}

/// A label, v2 and v1.
#[derive(Deserialize)]
struct Label<'a> {
    #[serde(borrow, default)]
    performance_details: Option<Performance<'a>>,
    #[serde(borrow, default)]
    agreement: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "benchmarkAgreement")]
    benchmark: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Performance<'a> {
    #[serde(borrow, default)]
    consensus_score: Option<&'a RawValue>,
    #[serde(borrow, default)]
    benchmark_score: Option<&'a RawValue>,
}

impl Scores {
    /// Scores of an annotation of this kind. What is no number is none.
    pub(super) fn of(kind: Kind, record: &Annotation<'_>) -> Self {
        if kind != Kind::Label {
            return Self::default();
        }
        let Ok(label) = record.raw.parse::<Label<'_>>() else {
            return Self::default();
        };
        let v2 = label.performance_details;
        let of_v2 = |score: fn(&Performance<'_>) -> Option<f64>| v2.as_ref().and_then(score);
        Self {
            consensus: of_v2(|it| number(it.consensus_score)).or_else(|| number(label.agreement)),
            benchmark: of_v2(|it| number(it.benchmark_score)).or_else(|| number(label.benchmark)),
        }
    }
}

/// Agreement of the annotations of a task, as Label Studio says it.
pub(super) fn of_task(raw: &Raw<'_>) -> Option<f64> {
    #[derive(Deserialize)]
    struct Task<'a> {
        #[serde(borrow, default, rename = "precomputed_agreement")]
        agreement: Option<&'a RawValue>,
    }
    number(raw.parse::<Task<'_>>().ok()?.agreement)
}

/// A number, if it is one.
pub(super) fn number(said: Option<&RawValue>) -> Option<f64> {
    let number: f64 = serde_json::from_str(said?.get()).ok()?;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_none() {
        for (json, expected) in [
            ("0.75", Some(0.75)),
            ("1", Some(1.0)),
            ("null", None),
            ("\"0.5\"", None),
            ("[1]", None),
            ("1e999", None),
        ] {
            let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
            assert_eq!(number(Some(&raw)), expected, "{json}");
        }
        assert_eq!(number(None), None);
    }
}
