//! The secret of a source, from where the configuration says that it is kept. One that is not there yet is made, and put
//! there before any webhook gets it.

use super::facts::Action;
use super::report::{Problem, Report};
use crate::env::Env;
use crate::error::CliError;
use crate::file_beside::{folder_of, sync_folder};
use crate::open::BackEnds;
use crate::random_secret::new_secret;
use crate::secret_reference;
use labelrelay_core::backend::CommandLineBackEnd as _;
use labelrelay_core::config::SecretRef;
use labelrelay_core::{Clock, Secret, SecretStore};
use labelrelay_local::Options;
use labelrelay_startup::SystemClock;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) struct KeptSecret {
    reference: SecretRef,
    secret: Secret,
    /// The place that the secret still has to be put in.
    missing_in: Option<SecretLocation>,
}

enum SecretLocation {
    File(PathBuf),
    Store(Box<dyn SecretStore>),
}

/// The cloud's store that `reference` names.
pub(super) async fn store(
    reference: &SecretRef,
    env: &Env<'_>,
) -> Result<Box<dyn SecretStore>, CliError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let back_ends = BackEnds::new(Options::default(), env, clock);
    back_ends
        .secret_store(reference)
        .await
        .map_err(CliError::config)
}

impl KeptSecret {
    /// Reads the secret behind `reference`, or makes one, which is nowhere yet.
    pub(super) async fn find(reference: &SecretRef, env: &Env<'_>) -> Result<Self, CliError> {
        let missing_in = match reference {
            SecretRef::File(path) => {
                let path = env.cwd().join(path);
                let is_missing = fs::symlink_metadata(&path)
                    .is_err_and(|error| error.kind() == ErrorKind::NotFound);
                is_missing.then_some(SecretLocation::File(path))
            }
            SecretRef::Store { .. } => {
                let store = store(reference, env).await?;
                let held = store.held().await.map_err(CliError::config)?;
                if let Some(secret) = held.into_iter().next() {
                    return Ok(Self {
                        reference: reference.clone(),
                        secret,
                        missing_in: None,
                    });
                }
                Some(SecretLocation::Store(store))
            }
            _ => None,
        };
        let secret = if missing_in.is_some() {
            Secret::new(reference.to_string(), new_secret()?).map_err(CliError::failed)?
        } else {
            secret_reference::read(reference, env).await?
        };
        Ok(Self {
            reference: reference.clone(),
            secret,
            missing_in,
        })
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Tells whether the secret is nowhere yet.
    pub(super) fn is_missing(&self) -> bool {
        self.missing_in.is_some()
    }

    /// Puts a secret that is nowhere yet where it belongs; what became of it. Nothing that is there is replaced.
    pub(super) async fn put(
        &self,
        plan: bool,
        report: &mut Report,
    ) -> Result<Option<Action>, Problem> {
        let Some(place) = &self.missing_in else {
            return Ok(None);
        };
        let reference = &self.reference;
        if plan {
            report.done(format_args!(
                "a new secret would be put into {reference}, which has none"
            ))?;
            return Ok(Some(Action::Made));
        }
        let no_text = || Problem::Step("the new secret is no text".to_owned());
        let value = std::str::from_utf8(self.secret.expose()).map_err(|_| no_text())?;
        let readers = match place {
            SecretLocation::File(path) => {
                put_file(path, value).map_err(|error| {
                    Problem::Step(format!(
                        "a new secret cannot be put into {reference}: {error}; run this as the user of `serve`, in a directory that it may write to"
                    ))
                })?;
                ", which this user alone may read"
            }
            SecretLocation::Store(store) => {
                let put = store.create(value).await;
                put.map_err(|error| Problem::Step(error.message))?;
                ""
            }
        };
        report.done(format_args!("a new secret put into {reference}{readers}"))?;
        Ok(Some(Action::Made))
    }
}

/// Writes a file that is not there yet, whole or not at all.
pub(super) fn put_file(path: &Path, value: &str) -> io::Result<()> {
    let folder = folder_of(path);
    let mut new = tempfile::Builder::new()
        .prefix(".labelrelay-secret-")
        .tempfile_in(folder)?;
    new.write_all(value.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(folder);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once_and_for_one_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.secret");
        put_file(&path, "one").unwrap();
        let error = put_file(&path, "two").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
