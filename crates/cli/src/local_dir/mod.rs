//! The directory of our own, `.labelrelay`, that zero configuration lives in: secrets, configuration, queue.
//!
//! Two starts at once find each other by a lock on the ignore file, so that neither makes secrets
//! that the other one overwrites. It is a real directory of this user's, which nobody else can write: whoever can
//! put a file there chooses the secrets and where events go.

mod error;
#[cfg(not(unix))]
mod not_unix;
#[cfg(unix)]
mod unix;

use crate::error::CliError;
use crate::output::say;
use crate::random_secret::new_secret;
use error::LocalDirError;
#[cfg(not(unix))]
use not_unix::Private;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use unix::Private;

const DIRECTORY: &str = ".labelrelay";
const CONFIG: &str = "labelrelay.toml";
const QUEUE: &str = "queue.db";

/// The queue in it, relative to where the process was started.
pub(crate) const QUEUE_URL: &str = "sqlite:.labelrelay/queue.db";
const IGNORE: &str = ".gitignore";
const IGNORE_TEXT: &[u8] = b"*\n";
const SECRETS: [&str; 2] = ["labelbox", "label-studio"];

const CONFIG_TEXT: &str = "\
# Made by `labelrelay serve` because there was no configuration. Change it as you like; it is not
# written again. Paths are relative to this file. Secrets stand in files of their own.
queue = \"sqlite:queue.db\"

[[source]]
name = \"labelbox\"
provider = \"labelbox\"
secret = \"file:labelbox.secret\"

[[source]]
name = \"label-studio\"
provider = \"label-studio\"
secret = \"file:label-studio.secret\"
";

pub(crate) struct LocalDir {
    directory: PathBuf,
}

impl LocalDir {
    /// The one below `cwd`, whether it exists or not.
    pub(crate) fn below(cwd: &Path) -> Self {
        Self {
            directory: cwd.join(DIRECTORY),
        }
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.directory.join(CONFIG)
    }

    pub(crate) fn queue_file(&self) -> PathBuf {
        self.directory.join(QUEUE)
    }

    /// The ledger of a source whose queue is elsewhere.
    pub(crate) fn ledger_file(&self, source: &str) -> PathBuf {
        self.directory.join(format!("{source}.ledger"))
    }

    /// Tells whether zero configuration has made its file here before.
    pub(crate) fn has_configuration(&self) -> Result<bool, CliError> {
        self.has(CONFIG)
    }

    /// Tells whether a queue is here.
    pub(crate) fn has_queue(&self) -> Result<bool, CliError> {
        self.has(QUEUE)
    }

    fn has(&self, name: &str) -> Result<bool, CliError> {
        let has = || match Private::open(&self.directory)? {
            Some(directory) => directory.has(name),
            None => Ok(false),
        };
        has().map_err(|trouble| trouble.about(&self.directory))
    }

    /// The text of the configuration, and nothing that a link leads to, nor secrets that one leads to.
    pub(crate) fn configuration(&self) -> Result<String, CliError> {
        let read = || {
            let directory = Private::make(&self.directory)?;
            for name in SECRETS {
                directory.has(&secret_file(name))?;
            }
            directory.read(CONFIG)
        };
        let bytes = read().map_err(|trouble: LocalDirError| trouble.about(&self.directory))?;
        String::from_utf8(bytes).map_err(|_| {
            CliError::config(format_args!(
                "cannot read {}: it is not UTF-8; save the file in UTF-8",
                self.config_file().display()
            ))
        })
    }

    /// Takes the directory back from everybody else, if it is ours: copying and unpacking widen modes.
    pub(crate) fn keep_private(&self) {
        if let Ok(Some(directory)) = Private::open(&self.directory) {
            self.close(&directory);
        }
    }

    fn close(&self, directory: &Private) {
        let is_ours = directory.read(IGNORE).is_ok_and(|text| text == IGNORE_TEXT);
        if !is_ours || !directory.is_open_to_others().unwrap_or_default() {
            return;
        }
        let shown = self.directory.display();
        match directory.close_to_others() {
            Ok(()) => say(format_args!(
                "{shown} was open to others: it is private again (mode 0700)"
            )),
            // Its owner has to decide; the secrets in it have modes of their own.
            Err(error) => say(format_args!(
                "warning: {shown} is open to others and cannot be made private: {error}"
            )),
        }
    }

    /// Makes the directory, unless it is there. A queue in it is no link.
    pub(crate) fn make(&self) -> Result<(), CliError> {
        self.locked(|directory| directory.has(QUEUE).map(drop))
    }

    /// Makes secrets and configuration, whatever of them is not there yet. Returns the secrets that
    /// this call made, each with its source's name.
    pub(crate) fn make_configuration(&self) -> Result<Vec<(String, String)>, CliError> {
        let mut secrets = Vec::new();
        for name in SECRETS {
            secrets.push((name.to_owned(), new_secret()?));
        }
        self.locked(|directory| {
            let mut made = Vec::new();
            for (name, secret) in secrets {
                if directory.make_once(&secret_file(&name), secret.as_bytes())? {
                    made.push((name, secret));
                }
            }
            directory.make_once(CONFIG, CONFIG_TEXT.as_bytes())?;
            Ok(made)
        })
    }

    /// Does something in the directory, which is made if need be, while no other start does.
    fn locked<T>(
        &self,
        work: impl FnOnce(&Private) -> Result<T, LocalDirError>,
    ) -> Result<T, CliError> {
        let done = || {
            let directory = Private::make(&self.directory)?;
            self.close(&directory);
            let lock = directory.locked(IGNORE, IGNORE_TEXT)?;
            let done = work(&directory);
            drop(lock);
            done
        };
        done().map_err(|trouble| trouble.about(&self.directory))
    }
}

fn secret_file(source: &str) -> String {
    format!("{source}.secret")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn many_starts_at_once_agree_on_the_secrets() {
        let directory = tempfile::tempdir().unwrap();
        let made: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..16)
                .map(|_| {
                    scope.spawn(|| {
                        LocalDir::below(directory.path())
                            .make_configuration()
                            .unwrap()
                    })
                })
                .collect();
            starts
                .into_iter()
                .flat_map(|start| start.join().unwrap())
                .collect()
        });
        assert_eq!(made.len(), SECRETS.len(), "each secret was made once");
        for (name, secret) in made {
            let file = directory
                .path()
                .join(DIRECTORY)
                .join(format!("{name}.secret"));
            assert_eq!(fs::read_to_string(file).unwrap(), secret);
        }
        assert_eq!(
            fs::read_to_string(LocalDir::below(directory.path()).config_file()).unwrap(),
            CONFIG_TEXT
        );
    }
}
