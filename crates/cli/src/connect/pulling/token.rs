//! The token for the API, where `serve` finds it: a reference stays what it is, and a token that is in a variable of this
//! shell alone is put where the source's secret is kept, into a file or a cloud's store.

use crate::connect::kept_secret;
use crate::env::Env;
use crate::file_beside::{could_be_written, folder_of, sync_folder, written};
use labelrelay_core::Secret;
use labelrelay_core::config::SecretRef;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A source's token, as the command line, the configuration and the environment say.
pub(in crate::connect) struct KnownToken<'a> {
    /// Name of the source.
    pub(in crate::connect) source: &'a str,
    /// Reference to the token.
    pub(in crate::connect) reference: &'a SecretRef,
    /// The token itself, where nobody says where it is: it is in the usual variable of this shell.
    pub(in crate::connect) unnamed: Option<&'a Secret>,
    /// Reference to the secret of the source's webhooks.
    pub(in crate::connect) secret: &'a SecretRef,
    /// Option that says where the token is.
    pub(in crate::connect) option: &'static str,
}

/// The same token, as `serve` will find it.
pub(in crate::connect) struct PullToken {
    /// As it stands in the configuration.
    reference: SecretRef,
    place: Place,
    option: &'static str,
}

/// The place that the token has to be put into.
enum Place {
    /// It is where its reference says.
    There,
    File(TokenFile),
    Store(Secret),
}

/// A file beside that of the source's secret; where the secret is in no file, beside the configuration.
struct TokenFile {
    path: PathBuf,
    token: Secret,
    /// The file whose readers may read this one: the secret's, or the configuration's where that is nowhere yet.
    like: PathBuf,
}

impl PullToken {
    /// The token, for the configuration in the file `config`.
    pub(in crate::connect) fn of(known: &KnownToken<'_>, config: &Path, env: &Env<'_>) -> Self {
        let option = known.option;
        let Some(token) = known.unnamed else {
            return Self {
                reference: known.reference.clone(),
                place: Place::There,
                option,
            };
        };
        if let Some(reference) = in_the_store_of(known.secret) {
            return Self {
                reference,
                place: Place::Store(token.clone()),
                option,
            };
        }
        let beside = match known.secret {
            SecretRef::File(secret) => env.cwd().join(secret),
            _ => config.to_owned(),
        };
        let name = PathBuf::from(format!("{}.token", known.source));
        let path = folder_of(&beside).join(&name);
        // Relative to the configuration where it can be: both may be moved together.
        let is_beside = folder_of(&beside) == folder_of(config);
        // A secret that is nowhere yet is made before the token is put there.
        let like = if beside.exists() {
            beside
        } else {
            config.to_owned()
        };
        Self {
            reference: SecretRef::File(if is_beside { name } else { path.clone() }),
            place: Place::File(TokenFile {
                path,
                token: token.clone(),
                like,
            }),
            option,
        }
    }

    pub(in crate::connect) fn reference(&self) -> &SecretRef {
        &self.reference
    }

    /// Where the token is put, and who may read it there.
    pub(in crate::connect) fn words(&self) -> String {
        match &self.place {
            Place::File(file) => format!("{}, which no others may read", file.path.display()),
            Place::There | Place::Store(_) => {
                format!("{}, which `serve` must be allowed to read", self.reference)
            }
        }
    }

    /// Puts the token into its place, whole or not at all; `true` where this made it. Nothing that is there is replaced.
    ///
    /// # Errors
    /// The reason why it is not there.
    pub(in crate::connect) async fn put(&self, env: &Env<'_>) -> Result<bool, String> {
        match &self.place {
            Place::There => Ok(false),
            Place::File(file) => file.put().map_err(|error| self.problem(file, &error)),
            Place::Store(token) => self.put_into_store(token, false, env).await,
        }
    }

    /// Tells whether [`put`](Self::put) would make it. Changes nothing.
    ///
    /// # Errors
    /// The reason why it could not, as far as that shows.
    pub(in crate::connect) async fn could_be_put(&self, env: &Env<'_>) -> Result<bool, String> {
        match &self.place {
            Place::There => Ok(false),
            Place::File(file) => file
                .could_be_put()
                .map_err(|error| self.problem(file, &error)),
            Place::Store(token) => self.put_into_store(token, true, env).await,
        }
    }

    /// Takes back what [`put`](Self::put) made. A store keeps it: the words say so.
    pub(in crate::connect) fn take_back(&self) -> Option<String> {
        match &self.place {
            Place::There => None,
            Place::File(file) => {
                let _ = fs::remove_file(&file.path);
                None
            }
            Place::Store(_) => Some(format!("the token stays in {}", self.reference)),
        }
    }

    async fn put_into_store(
        &self,
        token: &Secret,
        plan: bool,
        env: &Env<'_>,
    ) -> Result<bool, String> {
        let reference = &self.reference;
        let store = kept_secret::store(reference, env).await;
        let store = store.map_err(|error| error.message().to_owned())?;
        let held = store.held().await.map_err(|error| error.message)?;
        match held.first() {
            Some(held) if held.expose() == token.expose() => return Ok(false),
            Some(_) => {
                return Err(format!(
                    "{reference} is there already and holds something else: put the token there yourself, or say where it is with {}",
                    self.option
                ));
            }
            None => {}
        }
        if plan {
            return Ok(true);
        }
        let value = std::str::from_utf8(token.expose());
        let value = value.map_err(|_| "the token is no text".to_owned())?;
        let put = store.create(value).await;
        put.map(|()| true).map_err(|error| error.message)
    }

    fn problem(&self, file: &TokenFile, error: &io::Error) -> String {
        let (path, option) = (file.path.display(), self.option);
        if error.kind() == ErrorKind::AlreadyExists {
            format!(
                "{path} is there already and holds something else: remove it, or say where the token is with {option} file:/path"
            )
        } else {
            format!(
                "the token cannot be put into {path}: {error}; run this as the user of `serve`, in a directory that it may write to, or say where the token is with {option} file:/path"
            )
        }
    }
}

/// The place of a token in the store that a source's secret is in: a name beside that of the secret. `None` where the
/// secret is in no store, and where its name is one that the store made, which no other name follows from.
fn in_the_store_of(secret: &SecretRef) -> Option<SecretRef> {
    let &SecretRef::Store { scheme, ref name } = secret else {
        return None;
    };
    let name = match scheme {
        // Behind `#` is a member of the value, and behind a colon a version of a parameter.
        "aws-secretsmanager" if !name.starts_with("arn:") => name.split('#').next()?,
        "aws-ssm" if !name.starts_with("arn:") => name.split(['#', ':']).next()?,
        "gcp-secretmanager" => name.split("/versions/").next()?,
        "azure-keyvault" => {
            let begin = name
                .find("/secrets/")
                .map_or(0, |at| at + "/secrets/".len());
            let slashes = name.get(begin..)?.match_indices('/');
            // VAULT/SECRET, or the identifier; a version may follow.
            let end = slashes
                .map(|(at, _)| begin + at)
                .nth(usize::from(begin == 0));
            name.get(..end.unwrap_or(name.len()))?
        }
        _ => return None,
    };
    Some(SecretRef::Store {
        scheme,
        name: format!("{name}-token"),
    })
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
}

/// Mode of the token's file: nobody but the owner, and the group of a file that others cannot read.
fn private(like: u32) -> u32 {
    let (group, others) = (like & 0o060, like & 0o007);
    if others == 0 { 0o600 | group } else { 0o600 }
}

#[cfg(test)]
mod tests;
