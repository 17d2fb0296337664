//! Gives a sample new ids and times, as text, before it is signed: else it would be a repeat.

use super::Sample;
use crate::error::CliError;
use crate::random_secret::new_secret;
use jiff::Timestamp;

impl Sample {
    /// The sample's bytes with a new id and the time `now`.
    pub(crate) fn fresh(&self, now: Timestamp) -> Result<Vec<u8>, CliError> {
        let mut text = std::str::from_utf8(self.body)
            .map_err(CliError::failed)?
            .to_owned();
        let number = now.as_microsecond().to_string();
        let (id, uuid) = (labelbox_id()?, uuid(now)?);
        let (seconds, millis, micros) = (
            now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
        );
        for (old, new) in self.fresh {
            let new = new
                .replace("{number}", &number)
                .replace("{id}", &id)
                .replace("{uuid}", &uuid)
                .replace("{seconds}", &seconds)
                .replace("{millis}", &millis)
                .replace("{micros}", &micros);
            text = text.replace(old, &new);
        }
        Ok(text.into_bytes())
    }
}

/// An id in the form of Labelbox's: `c` and 24 of `a-z0-9`.
pub(crate) fn labelbox_id() -> Result<String, CliError> {
    let letters = new_secret()?.to_ascii_lowercase();
    Ok(format!("c{}", letters.get(..24).unwrap_or(&letters)))
}

/// The form of a UUID, with the time in front.
fn uuid(now: Timestamp) -> Result<String, CliError> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(|error| {
        CliError::failed(format_args!("the system has no random bytes: {error}"))
    })?;
    let [a, b, tail @ ..] = random;
    let tail = tail
        .iter()
        .fold(0_u64, |word, byte| word << 8 | u64::from(*byte))
        & 0xffff_ffff_ffff;
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
    Ok(format!(
        "{:08x}-{:04x}-7{:03x}-8{:03x}-{tail:012x}",
        (millis >> 16) & 0xffff_ffff,
        millis & 0xffff,
        u16::from(a),
        u16::from(b)
    ))
}

#[cfg(test)]
mod tests {
    use crate::samples::SAMPLES;
    use jiff::Timestamp;

    #[test]
    fn every_sample_with_something_to_renew_becomes_another_event() {
        let now: Timestamp = "2026-01-02T03:04:05.678901Z".parse().unwrap();
        for sample in SAMPLES {
            for (old, _) in sample.fresh {
                let text = std::str::from_utf8(sample.body).unwrap();
                assert!(text.contains(old), "{}: no {old}", sample.event);
            }
            let (one, two) = (
                sample.fresh(now).unwrap(),
                sample
                    .fresh(now + jiff::SignedDuration::from_secs(1))
                    .unwrap(),
            );
            assert!(
                serde_json::from_slice::<&serde_json::value::RawValue>(&one).is_ok(),
                "{}",
                sample.event
            );
            assert_eq!(one == two, sample.fresh.is_empty(), "{}", sample.event);
        }
    }
}
