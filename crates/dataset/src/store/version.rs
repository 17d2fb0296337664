//! Versions, and how they compare.

use jiff::Timestamp;
use labelrelay_core::time;
use labelrelay_event::Event;
use labelrelay_event::changes::Order;

/// When the relay received an event.
pub(super) struct Receipt {
    /// The time, if one is written there.
    pub(super) at: Option<Timestamp>,
    /// The same in the form of a version. What somebody else wrote there compares as it is.
    pub(super) version: String,
}

impl Receipt {
    pub(super) fn of(event: &Event<'_>) -> Self {
        let written = &event.attributes().receivedtime;
        let at = time::parse(written);
        Self {
            at,
            version: at.map_or_else(|| written.clone(), time::sequence),
        }
    }
}

/// The time that an event tells of a thing that has no version, in the form of one: when the platform changed it last, or when
/// the relay `received` the event, if that is earlier or the platform does not say it. Deliveries overtake one another.
pub(super) fn at_most(received: String, updated: Option<&str>) -> String {
    let updated = updated.and_then(time::parse).map(time::sequence);
    updated
        .filter(|updated| *updated < received)
        .unwrap_or(received)
}

/// Tells whether another time is later than one that is known, each as somebody writes it.
pub(super) fn is_later(known: Option<&str>, other: Option<&str>) -> bool {
    // Mostly they are the same, and then nothing has to be read.
    known != other
        && known
            .and_then(time::parse)
            .zip(other.and_then(time::parse))
            .is_some_and(|(known, other)| other > known)
}

/// Order of a version and the one that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    Newer,
    Same,
    Stale,
    /// Nobody can tell: it is taken as it comes.
    Unsettled,
}

pub(super) fn compare(known: Option<&str>, new: Option<&str>, order: Order) -> Compared {
    match (known, new) {
        (Some(known), Some(new)) if new > known => Compared::Newer,
        (Some(known), Some(new)) if new < known => Compared::Stale,
        (Some(_), Some(_)) if order == Order::Newer => Compared::Same,
        _ => Compared::Unsettled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_the_specification_says() {
        let of = |known, new, order| compare(known, new, order);
        assert_eq!(of(Some("1"), Some("2"), Order::Unknown), Compared::Newer);
        assert_eq!(of(Some("2"), Some("1"), Order::Unknown), Compared::Stale);
        assert_eq!(of(Some("1"), Some("1"), Order::Newer), Compared::Same);
        assert_eq!(
            of(Some("1"), Some("1"), Order::Unknown),
            Compared::Unsettled
        );
        assert_eq!(of(None, Some("1"), Order::Newer), Compared::Unsettled);
        assert_eq!(of(Some("1"), None, Order::Unknown), Compared::Unsettled);
    }

    #[test]
    fn the_time_of_receipt_is_a_version() {
        for (time, version) in [
            ("2026-11-21T09:47:12Z", "20261121T094712.000000000Z"),
            ("2026-11-21T09:47:12.371842Z", "20261121T094712.371842000Z"),
        ] {
            let message = format!(
                r#"{{"specversion":"1.0","id":"1","source":"/ls","type":"x","datasha256":"00","receivedtime":"{time}","data":{{}}}}"#
            );
            let event = Event::parse(message.as_bytes()).unwrap();
            assert_eq!(Receipt::of(&event).version, version);
        }
    }
}
