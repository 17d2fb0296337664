//! The token for the API, where `serve` finds it: a reference stays what it is, and a token that is in a variable of this
//! shell alone is put into a file.

use super::target::Target;
use crate::env::Env;
use crate::file_beside::{folder_of, sync_folder, written};
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
        let put = file.put().map_err(|error| {
            let path = file.path.display();
            if error.kind() == ErrorKind::AlreadyExists {
                format!("{path} is there already and holds something else: remove it, or say where the token is with --token file:/path")
            } else {
                format!("the token cannot be put into {path}: {error}; run this as the user of `serve`, in a directory that it may write to, or say where the token is with --token file:/path")
            }
        })?;
        Ok(put.then_some(file.path.as_path()))
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
            Err(taken) => {
                let is_same = fs::read(&self.path).is_ok_and(|there| there == text.as_bytes());
                if is_same { Ok(false) } else { Err(taken.error) }
            }
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
        assert!(file(folder.path(), "one").put().unwrap());
        assert!(!file(folder.path(), "one").put().unwrap());
        let error = file(folder.path(), "two").put().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        let path = folder.path().join("a.token");
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
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
