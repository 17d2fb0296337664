//! The token for the API, where `serve` finds it: a reference stays what it is, and a token that is in a variable of this
//! shell alone is put into a file.

use super::target::Target;
use crate::env::Env;
use crate::file_beside::{could_be_written, folder_of, sync_folder, written};
use labelrelay_core::Secret;
use labelrelay_core::config::SecretRef;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

pub(super) struct PullToken {
    /// As it stands in the configuration.
    reference: SecretRef,
    /// The file that the token has to be put into.
    file: Option<TokenFile>,
}

/// A file beside that of the source's secret; where the secret is in no file, beside the configuration.
struct TokenFile {
    path: PathBuf,
    token: Secret,
    /// The file whose readers may read this one.
    like: PathBuf,
}

impl PullToken {
    /// The token of `target`, for the configuration in the file `config`.
    pub(super) fn of(target: &Target, config: &Path, env: &Env<'_>) -> Self {
        let Some(token) = &target.unnamed_token else {
            return Self {
                reference: target.token.clone(),
                file: None,
            };
        };
        let like = match target.rotatable.reference() {
            SecretRef::File(secret) => Some(env.cwd().join(secret)),
            _ => None,
        };
        let like = like.filter(|secret| secret.exists());
        let like = like.unwrap_or_else(|| config.to_owned());
        let name = PathBuf::from(format!("{}.token", target.source));
        let path = folder_of(&like).join(&name);
        // Relative to the configuration where it can be: both may be moved together.
        let is_beside = folder_of(&like) == folder_of(config);
        Self {
            reference: SecretRef::File(if is_beside { name } else { path.clone() }),
            file: Some(TokenFile {
                path,
                token: token.clone(),
                like,
            }),
        }
    }

    pub(super) fn reference(&self) -> &SecretRef {
        &self.reference
    }

    /// Puts the token into its file, whole or not at all; the file, where this made it. Nothing that is there is
    /// replaced.
    ///
    /// # Errors
    /// The reason why it is not there.
    pub(super) fn put(&self) -> Result<Option<&Path>, String> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let put = file.put().map_err(|error| file.problem(&error))?;
        Ok(put.then_some(file.path.as_path()))
    }

    /// The file into which [`put`](Self::put) would put the token. Changes nothing.
    ///
    /// # Errors
    /// The reason why it could not.
    pub(super) fn could_be_put(&self) -> Result<Option<&Path>, String> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let could_be = file.could_be_put().map_err(|error| file.problem(&error))?;
        Ok(could_be.then_some(file.path.as_path()))
    }
}

impl TokenFile {
    /// `false` where it holds this token already.
    fn put(&self) -> io::Result<bool> {
        let text = std::str::from_utf8(self.token.expose());
        let text = text.map_err(|_| io::Error::other("it is no text"))?;
        let folder = folder_of(&self.path);
        let like = fs::metadata(&self.like)?;
        let new = written(folder, ".labelrelay-token-", text, &like, private)?;
        match new.persist_noclobber(&self.path) {
            Ok(_) => {
                sync_folder(folder);
                Ok(true)
            }
            Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists => {
                self.is_this().map(|()| false)
            }
            Err(other) => Err(other.error),
        }
    }

    /// `false` where it holds this token already.
    fn could_be_put(&self) -> io::Result<bool> {
        // Also a link that leads nowhere is there.
        if fs::symlink_metadata(&self.path).is_ok() {
            return self.is_this().map(|()| false);
        }
        let like = fs::metadata(&self.like)?;
        could_be_written(folder_of(&self.path), &like, private).map(|()| true)
    }

    /// Whoever wrote the token by hand ended the line.
    fn is_this(&self) -> io::Result<()> {
        let is_this = |there: Vec<u8>| there.trim_ascii_end() == self.token.expose();
        if fs::read(&self.path).is_ok_and(is_this) {
            return Ok(());
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    fn problem(&self, error: &io::Error) -> String {
        let path = self.path.display();
        if error.kind() == ErrorKind::AlreadyExists {
            format!(
                "{path} is there already and holds something else: remove it, or say where the token is with --token file:/path"
            )
        } else {
            format!(
                "the token cannot be put into {path}: {error}; run this as the user of `serve`, in a directory that it may write to, or say where the token is with --token file:/path"
            )
        }
    }
}

/// Mode of the token's file: nobody but the owner, and the group of a file that others cannot read.
fn private(like: u32) -> u32 {
    let (group, others) = (like & 0o060, like & 0o007);
    if others == 0 { 0o600 | group } else { 0o600 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, token: &str) -> TokenFile {
        let like = folder.join("a.secret");
        fs::write(&like, "a secret").unwrap();
        TokenFile {
            path: folder.join("a.token"),
            token: Secret::new("token", token.to_owned()).unwrap(),
            like,
        }
    }

    #[test]
    fn a_token_is_put_once_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(file(folder.path(), "one").could_be_put().unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(file(folder.path(), "one").put().unwrap());
        assert!(!file(folder.path(), "one").put().unwrap());
        for refused in [
            file(folder.path(), "two").put(),
            file(folder.path(), "two").could_be_put(),
        ] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        let path = folder.path().join("a.token");
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        fs::write(&path, "one\r\n").unwrap();
        assert!(!file(folder.path(), "one").put().unwrap());
    }

    #[test]
    fn others_never_read_it() {
        for (like, mode) in [
            (0o644, 0o600),
            (0o640, 0o640),
            (0o600, 0o600),
            (0o100_600, 0o600),
            (0o664, 0o600),
        ] {
            assert_eq!(private(like), mode, "{like:o}");
        }
    }
}
