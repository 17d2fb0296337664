//! Both secrets of a rotation, and where they are kept: in two files, or as the newest two values of a cloud's store.

use crate::connect::report::Problem;
use crate::rotation_files::RotationFiles;
use labelrelay_core::config::SecretRef;
use labelrelay_core::secret::SecretRing;
use labelrelay_core::{Secret, SecretStore};
use std::time::Duration;

/// Time for `serve` to read a file again, which it does before each delivery.
const READ_WITHIN: Duration = Duration::from_secs(10);

pub(super) enum Halves {
    Files(RotationFiles),
    Store {
        store: Box<dyn SecretStore>,
        reference: SecretRef,
    },
}

impl Halves {
    /// Name of the place of the new secret, for people.
    pub(super) fn of_new(&self) -> String {
        match self {
            Self::Files(files) => files.next.display().to_string(),
            Self::Store { reference, .. } => reference.to_string(),
        }
    }

    /// Name of the place of the old one.
    pub(super) fn of_old(&self) -> String {
        match self {
            Self::Files(files) => files.current.display().to_string(),
            Self::Store { reference, .. } => {
                format!("the version of {reference} before the newest")
            }
        }
    }

    /// The words that end the rotation by hand.
    pub(super) fn end_by_hand(&self) -> String {
        match self {
            Self::Files(files) => {
                format!("mv {} {}", files.next.display(), files.current.display())
            }
            Self::Store { reference, .. } => {
                format!("put the newest value of {reference} there once more")
            }
        }
    }

    /// Time within which one relay that is asked again and again has read what is there now. It reads a store after a
    /// refusal, and not more often than this.
    pub(super) fn read_within(&self) -> Duration {
        match self {
            Self::Files(_) => READ_WITHIN,
            Self::Store { .. } => SecretRing::MISS_FLOOR + READ_WITHIN,
        }
    }

    /// Puts the new secret into a store, beside the old one. Of files, that is done when they are made.
    pub(super) async fn add(&self, new: &Secret) -> Result<(), String> {
        let Self::Store { store, .. } = self else {
            return Ok(());
        };
        let value = std::str::from_utf8(new.expose()).map_err(|error| error.to_string())?;
        store.add(value).await.map_err(|error| error.message)
    }

    /// Takes the old secret away. Readers take the newest two values of a store: both are the new one then.
    pub(super) async fn end(&self, new: &Secret) -> Result<(), String> {
        match self {
            Self::Files(files) => files.end().map_err(|error| error.to_string()),
            Self::Store { .. } => self.add(new).await,
        }
    }
}

/// What a store holds when a rotation begins: the old secret, and the new one if a rotation broke off.
pub(super) async fn held(
    store: &dyn SecretStore,
    reference: &SecretRef,
) -> Result<(Secret, Option<Secret>), Problem> {
    let held = store.held().await;
    let mut held = held
        .map_err(|error| Problem::Step(error.message))?
        .into_iter();
    match (held.next(), held.next()) {
        (Some(newest), Some(before)) if newest.expose() != before.expose() => {
            Ok((before, Some(newest)))
        }
        (Some(newest), _) => Ok((newest, None)),
        (None, _) => Err(Problem::Step(format!(
            "there is no secret in {reference}: leave out --rotate, and one is made"
        ))),
    }
}
