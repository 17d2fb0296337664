//! The questions of a proof, and what the deliveries answer.

use super::delivery::{Answered, Delivery, Shape};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One question a line: id, and words.
const QUESTIONS: &str = include_str!("questions.txt");

/// Deliveries, and all else that was seen. `None`, with the reason, is what was not.
pub(super) struct Seen {
    pub(super) deliveries: Vec<Delivery>,
    /// Reason why there are no more deliveries than these.
    pub(super) ended: &'static str,
    /// The webhook is still active.
    pub(super) is_active: Result<bool, &'static str>,
    /// The list of the organization shows the webhook of the project.
    pub(super) is_listed: Result<bool, &'static str>,
    pub(super) export: Result<Exported, &'static str>,
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct Exported {
    pub(super) labels: usize,
    pub(super) took_ms: u64,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the report's word")]
pub(super) struct Answer {
    pub(super) id: &'static str,
    pub(super) question: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<String>,
    /// Reason why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_seen: Option<String>,
}

/// An answer to each question.
pub(super) fn answers(seen: &Seen) -> Vec<Answer> {
    let questions = QUESTIONS.lines().filter_map(|line| line.split_once(": "));
    let answered = questions.map(|(id, question)| {
        let (answer, not_seen) = match seen.answer(id) {
            Ok(answer) => (Some(answer), None),
            Err(why) => (None, Some(why)),
        };
        Answer {
            id,
            question,
            answer,
            not_seen,
        }
    });
    answered.collect()
}

impl Seen {
    fn answer(&self, id: &str) -> Result<String, String> {
        match id {
            "signature" => self.signature(),
            "event-header" => self.events(),
            "delivery-id" => self.ids(),
            "retry" => self.retries(),
            "retry-same" => self.sameness(),
            "timeout" => self.timeout(),
            "still-active" => told(self.is_active, "yes", "no"),
            "times" => self.times(),
            "sizes" => self.sizes(),
            "transport" => self.transport(),
            "v1" => self.shape(Shape::V1),
            "v2" => self.shape(Shape::V2),
            "workflow" => self.shape(Shape::Workflow),
            "organization-list" => told(self.is_listed, "yes", "no"),
            "export" => self
                .export
                .map(|export| format!("{} labels in {} ms", export.labels, export.took_ms))
                .map_err(str::to_owned),
            _ => Err("nobody looks for it".to_owned()),
        }
    }

    /// All deliveries, or why there are none.
    fn some(&self) -> Result<&[Delivery], String> {
        if self.deliveries.is_empty() {
            return Err(format!("no delivery came ({})", self.ended));
        }
        Ok(&self.deliveries)
    }

    fn signature(&self) -> Result<String, String> {
        let all = self.some()?;
        let count = |of: fn(&Delivery) -> bool| all.iter().filter(|one| of(one)).count();
        Ok(format!(
            "of {} deliveries, {} with a fitting sha1 and {} with a fitting sha256; headers that do not fit: {}",
            all.len(),
            count(|one| one.sha1 == Some(true)),
            count(|one| one.sha256 == Some(true)),
            count(|one| one.sha1 == Some(false) || one.sha256 == Some(false)),
        ))
    }

    fn events(&self) -> Result<String, String> {
        let mut values: BTreeMap<&str, usize> = BTreeMap::new();
        for delivery in self.some()? {
            *values
                .entry(delivery.event.as_deref().unwrap_or("(none)"))
                .or_default() += 1;
        }
        let values = values
            .iter()
            .map(|(value, count)| format!("{value} × {count}"));
        Ok(values.collect::<Vec<_>>().join(", "))
    }

    fn ids(&self) -> Result<String, String> {
        let all = self.some()?;
        let with = all.iter().filter(|one| one.has_id).count();
        let repeated = all.iter().filter(|one| one.same_id_as.is_some()).count();
        Ok(format!(
            "{with} of {} have one; {repeated} have that of an earlier one",
            all.len()
        ))
    }

    /// Deliveries that came again after one that got no 2xx, with the time since then.
    fn again(&self) -> Vec<(&Delivery, &Delivery)> {
        let repeats = self.deliveries.iter();
        let pairs = repeats.filter_map(|again| {
            let first = self.deliveries.get(again.same_body_as?)?;
            (first.answered != Answered::Ok).then_some((first, again))
        });
        pairs.collect()
    }

    fn retries(&self) -> Result<String, String> {
        let all = self.some()?;
        let refused = all.iter().any(|one| one.answered == Answered::Unavailable);
        if !refused {
            return Err("no delivery was refused".to_owned());
        }
        let again = self.again();
        if again.is_empty() {
            return Ok(format!(
                "none came again while this looked ({})",
                self.ended
            ));
        }
        let times = again
            .iter()
            .map(|(first, again)| format!("{} ms", again.at_ms.saturating_sub(first.at_ms)));
        Ok(format!(
            "{} came again, after {}",
            again.len(),
            times.collect::<Vec<_>>().join(", ")
        ))
    }

    fn sameness(&self) -> Result<String, String> {
        let again = self.again();
        if again.is_empty() {
            return Err(format!("no delivery came again ({})", self.ended));
        }
        let same = again
            .iter()
            .filter(|(_, again)| again.same_id_as == again.same_body_as);
        Ok(format!(
            "the same body; the same id in {} of {}",
            same.count(),
            again.len()
        ))
    }

    fn timeout(&self) -> Result<String, String> {
        let held = self
            .deliveries
            .iter()
            .find(|one| one.answered == Answered::Nothing);
        let held = held.ok_or("no delivery was kept waiting: that is the second one")?;
        let waited = held.waited_ms.ok_or("it was still waiting at the end")?;
        Ok(format!(
            "{waited} ms (this looked for 120000 ms at most; a tunnel may have a limit of its own)"
        ))
    }

    fn times(&self) -> Result<String, String> {
        let all = self.some()?;
        let times = all.iter().map(|one| one.at_ms.to_string());
        Ok(format!(
            "at {} ms",
            times.take(50).collect::<Vec<_>>().join(", ")
        ))
    }

    fn sizes(&self) -> Result<String, String> {
        let mut sizes: Vec<_> = self.some()?.iter().map(|one| one.body_bytes).collect();
        sizes.sort_unstable();
        let (least, most) = (sizes.first().copied(), sizes.last().copied());
        Ok(format!(
            "{} to {} bytes",
            least.unwrap_or_default(),
            most.unwrap_or_default()
        ))
    }

    fn transport(&self) -> Result<String, String> {
        let kinds = self.some()?.iter().map(|one| {
            format!(
                "HTTP/{}, {}, length {}",
                one.http,
                one.content_type.as_deref().unwrap_or("no content type"),
                if one.is_length_told {
                    "told"
                } else {
                    "not told"
                }
            )
        });
        let kinds: BTreeSet<_> = kinds.collect();
        let kinds: Vec<_> = kinds.into_iter().collect();
        Ok(format!(
            "{} (as the tunnel or proxy passes it on)",
            kinds.join("; ")
        ))
    }

    fn shape(&self, shape: Shape) -> Result<String, String> {
        let of_shape = self.deliveries.iter().filter(|one| one.shape == shape);
        let tops = of_shape.map(|one| {
            let others = match one.other_members {
                0 => String::new(),
                count => format!(" and {count} more"),
            };
            format!("{}{others}", one.members.join(", "))
        });
        let tops: BTreeSet<_> = tops.collect();
        if tops.is_empty() {
            return Err(format!("no such body came ({})", self.ended));
        }
        Ok(tops.into_iter().collect::<Vec<_>>().join("; "))
    }
}

fn told(seen: Result<bool, &str>, yes: &str, no: &str) -> Result<String, String> {
    seen.map(|is| if is { yes } else { no }.to_owned())
        .map_err(str::to_owned)
}
