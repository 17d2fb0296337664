//! The unsigned event header, as far as it may refine what a body leaves open.

/// Change of a label or review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Created,
    Updated,
    Deleted,
}

/// A topic of webhooks that are about labels or reviews. The others (`WORKFLOW_ACTION`, `MOVE`) add
/// nothing to their bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Label(Verb),
    Review(Verb),
}

impl Topic {
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (kind, verb) = header.trim().split_once('_')?;
        let verb = [
            ("CREATED", Verb::Created),
            ("UPDATED", Verb::Updated),
            ("DELETED", Verb::Deleted),
        ]
        .into_iter()
        .find_map(|(name, value)| verb.eq_ignore_ascii_case(name).then_some(value))?;
        if kind.eq_ignore_ascii_case("LABEL") {
            Some(Self::Label(verb))
        } else if kind.eq_ignore_ascii_case("REVIEW") {
            Some(Self::Review(verb))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_and_reviews_have_topics() {
        assert_eq!(
            Topic::parse("LABEL_CREATED"),
            Some(Topic::Label(Verb::Created))
        );
        assert_eq!(
            Topic::parse("label_Deleted"),
            Some(Topic::Label(Verb::Deleted))
        );
        assert_eq!(
            Topic::parse(" REVIEW_UPDATED "),
            Some(Topic::Review(Verb::Updated))
        );
        for other in [
            "",
            "LABEL",
            "LABEL_",
            "WORKFLOW_ACTION",
            "MOVE",
            "LABEL_CREATED,LABEL_DELETED",
            "LABELS_CREATED",
            "label-created",
        ] {
            assert_eq!(Topic::parse(other), None, "{other}");
        }
    }
}
