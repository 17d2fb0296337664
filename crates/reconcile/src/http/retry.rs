//! When a request is sent again, and after how long.

use http::StatusCode;
use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A server that asks for more is asked again after this: whoever waits shall see that something goes on.
const LONGEST_ASKED_PAUSE: Duration = Duration::from_secs(300);

/// Whether the same request may be answered otherwise later, though nobody changes it.
pub(super) fn may_pass(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// The pause after the attempt of this number, the first being 1: what the server asked for, else doubled
/// each time.
pub(super) fn pause(attempt: u32, asked: Option<Duration>) -> Duration {
    match asked {
        Some(asked) => asked.min(LONGEST_ASKED_PAUSE),
        None => FIRST_PAUSE
            .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)))
            .min(LONGEST_PAUSE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        let millis = |attempt| pause(attempt, None).as_millis();
        assert_eq!(
            [1, 2, 3, 4, 7, 99].map(millis),
            [500, 1000, 2000, 4000, 30_000, 30_000]
        );
        let asked = |seconds| pause(1, Some(Duration::from_secs(seconds))).as_secs();
        assert_eq!([0, 7, 9999].map(asked), [0, 7, 300]);
    }

    #[test]
    fn what_the_server_says_of_itself_passes_and_what_it_says_of_us_stays() {
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
                may_pass(StatusCode::from_u16(status).unwrap()),
                passes,
                "{status}"
            );
        }
    }
}
