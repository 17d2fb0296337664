//! The directory of our own, `.labelrelay`, that zero configuration lives in: secrets, configuration, queue.
//!
//! Two starts at once find each other by a lock on the ignore file, so that neither makes secrets
//! that the other one overwrites.

use crate::failure::Failure;
use crate::output::say;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

const DIRECTORY: &str = ".labelrelay";
const CONFIG: &str = "labelrelay.toml";
const IGNORE: &str = ".gitignore";
const IGNORE_TEXT: &[u8] = b"*\n";
const SECRETS: [&str; 2] = ["labelbox", "label-studio"];

/// 62^40 possibilities are 238 bits: more than the 160 of the HMAC-SHA1 that the secret keys.
const SECRET_CHARACTERS: usize = 40;

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

pub(crate) struct Home {
    directory: PathBuf,
}

impl Home {
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
        self.directory.join("queue.db")
    }

    /// Whether zero configuration was here before.
    pub(crate) fn has_configuration(&self) -> Result<bool, Failure> {
        let file = self.config_file();
        file.try_exists().map_err(|error| match error.kind() {
            ErrorKind::NotADirectory => self.is_no_directory(),
            _ => Failure::config(format_args!("cannot read {}: {error}", file.display())),
        })
    }

    /// Takes the directory back from everybody else, if it is ours: copying and unpacking widen modes.
    #[cfg(unix)]
    pub(crate) fn keep_private(&self) {
        use std::os::unix::fs::PermissionsExt as _;
        let ours = fs::read(self.directory.join(IGNORE)).is_ok_and(|text| text == IGNORE_TEXT);
        let Ok(there) = fs::metadata(&self.directory) else {
            return;
        };
        if !ours || there.permissions().mode().trailing_zeros() >= 6 {
            return;
        }
        let directory = self.directory.display();
        match fs::set_permissions(&self.directory, fs::Permissions::from_mode(0o700)) {
            Ok(()) => say(format_args!(
                "{directory} was open to others: it is private again (mode 0700)"
            )),
            // Its owner has to decide; the secrets in it have modes of their own.
            Err(error) => say(format_args!(
                "warning: {directory} is open to others and cannot be made private: {error}"
            )),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn keep_private(&self) {}

    /// Makes the directory, unless it is there.
    pub(crate) fn make(&self) -> Result<(), Failure> {
        self.lock().map(drop)
    }

    /// Makes secrets and configuration, whatever of them is not there yet. Returns the secrets that
    /// this call made, each with its source's name.
    pub(crate) fn make_configuration(&self) -> Result<Vec<(String, String)>, Failure> {
        let lock = self.lock()?;
        let mut made = Vec::new();
        for name in SECRETS {
            let file = self.directory.join(format!("{name}.secret"));
            let secret = new_secret()?;
            if self.write_once(&file, secret.as_bytes())? {
                made.push((name.to_owned(), secret));
            }
        }
        self.write_once(&self.config_file(), CONFIG_TEXT.as_bytes())?;
        drop(lock);
        Ok(made)
    }

    /// The directory, made if need be, and its ignore file, locked.
    fn lock(&self) -> Result<File, Failure> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&self.directory) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if !self.directory.is_dir() {
                    return Err(self.is_no_directory());
                }
                self.keep_private();
            }
            Err(error) => return Err(self.cannot_write(&error)),
        }
        let ignore = || -> std::io::Result<File> {
            let mut options = private();
            let mut file = options
                .read(true)
                .create(true)
                .open(self.directory.join(IGNORE))?;
            file.lock()?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            if text.is_empty() {
                file.write_all(IGNORE_TEXT)?;
            }
            Ok(file)
        };
        ignore().map_err(|error| self.cannot_write(&error))
    }

    /// Writes a file that is not there yet, whole or not at all. Called with the lock held.
    fn write_once(&self, file: &Path, contents: &[u8]) -> Result<bool, Failure> {
        let write = || -> std::io::Result<bool> {
            if file.try_exists()? {
                return Ok(false);
            }
            let mut temporary = file.to_owned().into_os_string();
            temporary.push(".new");
            // What a start that was killed left behind is written over.
            let mut out = private().create(true).truncate(true).open(&temporary)?;
            out.write_all(contents)?;
            out.sync_all()?;
            fs::rename(&temporary, file)?;
            Ok(true)
        };
        write().map_err(|error| self.cannot_write(&error))
    }

    fn is_no_directory(&self) -> Failure {
        Failure::config(format_args!(
            "{} is no directory, and labelrelay keeps its own in one of that name; move it away, \
             start elsewhere, or give --config FILE",
            self.directory.display()
        ))
    }

    fn cannot_write(&self, error: &std::io::Error) -> Failure {
        Failure::config(format_args!(
            "cannot write {}: {error}; start in a directory that may be written, or give --config FILE",
            self.directory.display()
        ))
    }
}

/// Opens files that only their owner may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Letters and digits alone: both platforms take them, and no shell, URL or header changes them.
pub(crate) fn new_secret() -> Result<String, Failure> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut secret = String::with_capacity(SECRET_CHARACTERS);
    while secret.len() < SECRET_CHARACTERS {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes).map_err(|error| {
            Failure::failed(format_args!("the system has no random bytes: {error}"))
        })?;
        // Six bits name 64 places; the last two are thrown away, so that all 62 are equally likely.
        let letters = bytes
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte & 63)));
        secret.extend(
            letters
                .map(|&letter| char::from(letter))
                .take(SECRET_CHARACTERS - secret.len()),
        );
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_alphanumeric_and_differ() {
        let (one, two) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), SECRET_CHARACTERS);
        assert!(one.bytes().all(|b| b.is_ascii_alphanumeric()));
    }

    #[test]
    fn many_starts_at_once_agree_on_the_secrets() {
        let directory = tempfile::tempdir().unwrap();
        let made: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..16)
                .map(|_| {
                    scope.spawn(|| Home::below(directory.path()).make_configuration().unwrap())
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
            fs::read_to_string(Home::below(directory.path()).config_file()).unwrap(),
            CONFIG_TEXT
        );
    }
}
