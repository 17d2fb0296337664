use super::RunError;
use crate::spread::share;
use std::time::Duration;

/// Settings by which events are received and settled.
///
/// ```
/// use labelrelay_consumer::Settings;
/// use std::time::Duration;
///
/// let mut settings = Settings::default();
/// settings.concurrency = 4;
/// settings.until_idle = Some(Duration::from_secs(30));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Events that are worked on at the same time, 1 or more. 8 unless set.
    pub concurrency: usize,
    /// Events that are received ahead of their turn, and hidden from other consumers meanwhile. 10 unless set.
    pub prefetch: usize,
    /// Time for which a received event is hidden from other consumers, 1 second to 12 hours; it is extended as long as it is
    /// held. After a crash, so long until another consumer gets it. 60 seconds unless set.
    pub visibility: Duration,
    /// Pause before an event that failed comes again for the first time. It is four times as long each time, less a random
    /// part of up to a half. 10 seconds unless set.
    pub first_pause: Duration,
    /// Longest such pause. 15 minutes unless set.
    pub longest_pause: Duration,
    /// After so many receives, an event that fails or cannot be read becomes a dead letter; one that came back for another
    /// reason does not. Unless set, 5 for queues that do not end events by themselves, and none for others.
    pub max_receives: Option<u32>,
    /// Time that one receive waits for events. 10 seconds unless set.
    pub wait: Duration,
    /// After the stop: what was received is begun within so long; what was not, is given back. What was begun is finished
    /// in any case. 20 seconds unless set.
    pub drain: Duration,
    /// Ends when nothing came for so long; never, unless set.
    pub until_idle: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 8,
            prefetch: 10,
            visibility: Duration::from_secs(60),
            first_pause: Duration::from_secs(10),
            longest_pause: Duration::from_secs(900),
            max_receives: None,
            wait: Duration::from_secs(10),
            drain: Duration::from_secs(20),
            until_idle: None,
        }
    }
}

/// No queue hides an event for longer.
pub(super) const LONGEST_VISIBILITY: Duration = Duration::from_secs(12 * 3600);

impl Settings {
    pub(super) fn check(&self) -> Result<(), RunError> {
        let wrong = |setting, cure| Err(RunError::Setting { setting, cure });
        if self.concurrency == 0 {
            return wrong("concurrency", "write 1 or more");
        }
        if self.visibility < Duration::from_secs(1) || self.visibility > LONGEST_VISIBILITY {
            return wrong(
                "visibility",
                "write 1 second to 12 hours; it is extended while a handler works",
            );
        }
        if self.first_pause > self.longest_pause {
            return wrong("first_pause", "write no more than longest_pause");
        }
        if self.max_receives == Some(0) {
            return wrong("max_receives", "write 1 or more");
        }
        Ok(())
    }

    /// Pause before an event that was received so many times comes again; `part`, of 0 to 65,535, spreads it.
    pub(super) fn pause(&self, receives: Option<u32>, part: u16) -> Duration {
        let times = receives.unwrap_or(1).max(1) - 1;
        let factor = 4_u32.saturating_pow(times);
        let whole = self
            .first_pause
            .saturating_mul(factor)
            .min(self.longest_pause);
        share(whole, part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_by_four_up_to_the_longest() {
        let settings = Settings::default();
        let pauses = [
            None,
            Some(0),
            Some(1),
            Some(2),
            Some(3),
            Some(4),
            Some(9),
            Some(u32::MAX),
        ]
        .map(|receives| settings.pause(receives, u16::MAX).as_secs());
        assert_eq!(pauses, [10, 10, 10, 40, 160, 640, 900, 900]);
        assert_eq!(settings.pause(Some(2), 0).as_secs(), 20);
    }

    #[test]
    fn settings_that_cannot_be_are_named() {
        let wrong = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.check().unwrap_err().to_string()
        };
        assert!(wrong(|of| of.concurrency = 0).contains("concurrency"));
        assert!(wrong(|of| of.visibility = Duration::ZERO).contains("visibility"));
        assert!(wrong(|of| of.longest_pause = Duration::ZERO).contains("first_pause"));
        assert!(wrong(|of| of.max_receives = Some(0)).contains("max_receives"));
        assert!(Settings::default().check().is_ok());
    }
}
