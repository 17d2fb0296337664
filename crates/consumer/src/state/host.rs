//! A process among others: its own name, and the clock of its host.

#[cfg(any(feature = "dynamodb", feature = "postgres"))]
use super::StateError;
#[cfg(any(feature = "dynamodb", feature = "sqlite"))]
use std::time::{SystemTime, UNIX_EPOCH};

/// A name that no other process has.
#[cfg(any(feature = "dynamodb", feature = "postgres"))]
pub(super) fn random_name() -> Result<String, StateError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| StateError::new(format!("the system gives no random numbers: {error}")))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Seconds since 1970.
#[cfg(any(feature = "dynamodb", feature = "sqlite"))]
pub(super) fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}
