//! A receipt, which is good until the event is received again.

/// An event's number, and the count of its receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Hold {
    pub(crate) number: i64,
    pub(crate) receives: i32,
}

impl Hold {
    pub(crate) fn to_text(self) -> String {
        format!("{}.{}", self.number, self.receives)
    }

    /// `None` when `text` is no receipt of such a queue.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (number, receives) = text.split_once('.')?;
        let hold = Self {
            number: number.parse().ok()?,
            receives: receives.parse().ok()?,
        };
        // There is one way to write it.
        (hold.to_text() == text).then_some(hold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_come_back_and_nothing_else_is_one() {
        let hold = Hold {
            number: 7,
            receives: 2,
        };
        assert_eq!(Hold::parse(&hold.to_text()), Some(hold));
        for text in [
            "",
            "no receipt",
            "7",
            "7.",
            ".2",
            "7.2.1",
            "07.2",
            "+7.2",
            " 7.2",
            "7.99999999999",
        ] {
            assert_eq!(Hold::parse(text), None, "{text}");
        }
    }
}
