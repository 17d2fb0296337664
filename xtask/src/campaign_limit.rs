//! The time that a campaign may take.

use crate::Outcome;
use std::time::Duration;

const OPTION: &str = "--minutes";

/// Takes `--minutes N` out of the command line; the rest of it, and the time.
pub(crate) fn taken_from(args: &[String]) -> Outcome<(Vec<String>, Option<Duration>)> {
    let mut rest = args.to_vec();
    let Some(at) = rest.iter().position(|arg| arg == OPTION) else {
        return Ok((rest, None));
    };
    let value = rest.get(at + 1).and_then(|value| value.parse().ok());
    let minutes: u32 = value
        .filter(|minutes| *minutes > 0)
        .ok_or("--minutes needs a number of minutes above 0")?;
    rest.drain(at..=at + 1);
    Ok((rest, Some(Duration::from_secs(60) * minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red if a campaign takes the limit for a number of its own.
    #[test]
    fn the_limit_is_taken_out_wherever_it_stands() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let five = Some(Duration::from_secs(300));
        for line in ["derived 200 --minutes 5", "derived --minutes 5 200"] {
            let taken = taken_from(&words(line)).unwrap();
            assert_eq!(taken, (words("derived 200"), five), "{line}");
        }
        assert_eq!(
            taken_from(&words("derived")).unwrap(),
            (words("derived"), None)
        );
        for line in [
            "derived --minutes",
            "derived --minutes 0",
            "derived --minutes soon",
        ] {
            assert!(taken_from(&words(line)).is_err(), "{line}");
        }
    }
}
