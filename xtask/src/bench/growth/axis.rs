//! The four things that grow.

/// Something that grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    /// Events in the queue file.
    Events,
    /// Connections at once.
    Connections,
    /// Bytes of a body.
    Bytes,
    /// Sources in the configuration.
    Sources,
}

impl Axis {
    pub(super) const ALL: [Self; 4] = [Self::Events, Self::Connections, Self::Bytes, Self::Sources];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Events => "events in the file",
            Self::Connections => "connections",
            Self::Bytes => "bytes of a body",
            Self::Sources => "sources",
        }
    }

    /// A value of this axis, for people.
    pub(super) fn value(self, at: u64) -> String {
        const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KB")];
        if self == Self::Bytes
            && let Some((unit, name)) = UNITS.into_iter().find(|(unit, _)| at >= *unit)
        {
            return format!("{} {name}", at / unit);
        }
        let digits = at.to_string();
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_for_people() {
        for (axis, at, text) in [
            (Axis::Events, 10, "10"),
            (Axis::Events, 1000, "1,000"),
            (Axis::Connections, 10_000_000, "10,000,000"),
            (Axis::Bytes, 1024, "1 KB"),
            (Axis::Bytes, 100 << 20, "100 MiB"),
            (Axis::Bytes, 1 << 30, "1 GiB"),
            (Axis::Sources, 64, "64"),
        ] {
            assert_eq!(axis.value(at), text);
        }
    }
}
