//! Both secrets of a rotation, and where they are kept: in two files, or as the newest two values of a cloud's store.

use super::in_store::InStore;
use crate::rotation_files::RotationFiles;
use labelrelay_core::Secret;
use labelrelay_core::secret::SecretRing;
use std::time::Duration;

/// Time for `serve` to read a file again, which it does before each delivery.
const READ_WITHIN: Duration = Duration::from_secs(10);

pub(super) enum Halves {
    Files(RotationFiles),
    Store(InStore),
}

/// The words that end a rotation by hand.
pub(super) fn end_by_hand(files: &RotationFiles) -> String {
    format!("mv {} {}", files.next.display(), files.current.display())
}

impl Halves {
    /// Name of the place of the new secret, for people.
    pub(super) fn of_new(&self) -> String {
        match self {
            Self::Files(files) => files.next.display().to_string(),
            Self::Store(store) => store.reference.to_string(),
        }
    }

    /// Name of the place of the old one.
    pub(super) fn of_old(&self) -> String {
        match self {
            Self::Files(files) => files.current.display().to_string(),
            Self::Store(store) => format!("{}, or its version before the newest", store.reference),
        }
    }

    /// Time within which one relay that is asked again and again has read what is there now. It reads a store after a
    /// refusal, and not more often than this.
    pub(super) fn read_within(&self) -> Duration {
        match self {
            Self::Files(_) => READ_WITHIN,
            Self::Store(_) => SecretRing::MISS_FLOOR + READ_WITHIN,
        }
    }

    /// Takes the old secret away. Words about what is left behind, if something is.
    ///
    /// # Errors
    /// Words that say which secrets are good, and what to do.
    pub(super) async fn end(&self, new: &Secret) -> Result<Option<String>, String> {
        let files = match self {
            Self::Files(files) => files,
            Self::Store(store) => return store.end(new).await.map(|()| None),
        };
        let (next, current) = (files.next.display(), files.current.display());
        match files.end() {
            Ok(()) => Ok(None),
            Err(error) if files.is_under_way() => Err(format!(
                "the new secret cannot take the old one's place: {error}; both are good. Run this again, or do it by hand: {}",
                end_by_hand(files)
            )),
            Err(error) => Ok(Some(format!(
                "the new secret is in {current}; what the rotation kept beside it cannot be removed: {error}. Remove {next}.old and {next}.shown"
            ))),
        }
    }
}
