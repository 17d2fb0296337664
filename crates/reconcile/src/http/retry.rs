//! When a request is sent again, and after how long.

use http::StatusCode;
use labelrelay_core::Entropy;
use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A server that asks for more is asked again after this: whoever waits shall see that something goes on.
const LONGEST_ASKED_PAUSE: Duration = Duration::from_secs(300);

/// Tells whether the same request may be answered otherwise later, although nobody changes it.
pub(super) fn is_retryable(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// The pause after the attempt of this number, the first being 1: what the server asked for, else doubled
/// each time. Both are spread, so that those whom a server sent away together do not come back together: what
/// was asked for grows by a tenth at most, and never shrinks.
pub(super) fn pause(attempt: u32, asked: Option<Duration>, entropy: &dyn Entropy) -> Duration {
    if let Some(asked) = asked {
        let asked = asked.min(LONGEST_ASKED_PAUSE);
        // A spread fifth is a tenth to a fifth; less a tenth, that is nothing to a tenth.
        return asked + entropy.spread(asked / 5).saturating_sub(asked / 10);
    }
    entropy.spread(
        FIRST_PAUSE
            .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)))
            .min(LONGEST_PAUSE),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Entropy for Always {
        fn ten_bytes(&self) -> [u8; 10] {
            [self.0; 10]
        }
    }

    #[test]
    fn pauses_are_jittered() {
        assert_eq!(pause(2, None, &Always(0)).as_millis(), 500);
        assert_eq!(pause(2, None, &Always(0x80)).as_millis(), 750);
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let millis = |attempt| pause(attempt, None, &Always(0xff)).as_millis();
        assert_eq!(
            [1, 2, 3, 4, 7, 99].map(millis),
            [500, 1000, 2000, 4000, 30_000, 30_000]
        );
        let asked =
            |seconds, byte| pause(1, Some(Duration::from_secs(seconds)), &Always(byte)).as_millis();
        assert_eq!([0, 7, 9999].map(|s| asked(s, 0)), [0, 7_000, 300_000]);
        assert_eq!([0, 7, 9999].map(|s| asked(s, 0xff)), [0, 7_700, 330_000]);
    }

    #[test]
    fn server_errors_are_retryable_and_client_errors_are_not() {
        for (status, passes) in [
            (200, false),
            (302, false),
            (400, false),
            (401, false),
            (404, false),
            (429, true),
            (500, true),
            (502, true),
            (503, true),
            (504, true),
        ] {
            assert_eq!(
                is_retryable(StatusCode::from_u16(status).unwrap()),
                passes,
                "{status}"
            );
        }
    }
}
