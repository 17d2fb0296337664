//! The token of the page: a file beside the record, for its owner alone. It stays, so the page's URL does.

use crate::error::CliError;
use crate::random_secret::new_secret;
use labelrelay_files::{OwnFileError, foreign_file, own_file};
use labelrelay_page::PageToken;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// More than any token of ours.
const LONGEST: u64 = 512;

/// The token's file beside the record in the file `record`.
fn beside(record: &Path) -> PathBuf {
    let mut name = record.as_os_str().to_owned();
    name.push(".token");
    PathBuf::from(name)
}

/// The token, made where there is none. One that others could read is no secret any more, and another takes its place.
pub(crate) fn make(record: &Path) -> Result<String, CliError> {
    let path = beside(record);
    let failed = |error: std::io::Error| {
        CliError::failed(format_args!(
            "the page's token cannot be kept in {}: {error}; see that its directory is there and may be written",
            path.display()
        ))
    };
    let mut file = own_file(&path, record).map_err(|error| match error {
        OwnFileError::ForeignFile(foreign) => CliError::failed(foreign),
        OwnFileError::Io(error) => failed(error),
    })?;
    let is_private = is_private(&file).map_err(failed)?;
    if let Some(token) = token_in(&file).map_err(failed)?.filter(|_| is_private) {
        return Ok(token);
    }
    let token = new_secret()?;
    let mut write = || {
        make_private(&file)?;
        file.rewind()?;
        file.set_len(0)?;
        // Not synced, which a start would wait for: one that a loss of power costs is made anew.
        file.write_all(format!("{token}\n").as_bytes())
    };
    write().map_err(failed)?;
    Ok(token)
}

/// The token that a `serve` has made; `None` where none has.
pub(crate) fn read(record: &Path) -> Result<Option<String>, CliError> {
    let path = beside(record);
    let failed = |error: std::io::Error| {
        CliError::failed(format_args!(
            "the page's token in {} cannot be read: {error}; run this as the user of `serve`",
            path.display()
        ))
    };
    if let Some(foreign) = foreign_file(&path).map_err(failed)? {
        return Err(CliError::failed(foreign));
    }
    match File::open(&path) {
        Ok(file) => token_in(&file).map_err(failed),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// What is said of a token that is not there, though a `serve` runs.
pub(crate) fn missing(record: &Path) -> String {
    format!(
        "`serve` runs, and the page's token is not in {}: `serve` could not make it (`page_off` in its log says why), or somebody removed it. See that the user of `serve` may write there, and start `serve` again: each start makes the token",
        beside(record).display()
    )
}

/// The page's URL, with its token.
pub(crate) fn url(admin: SocketAddr, token: &str) -> String {
    format!("http://{admin}/?token={token}")
}

/// What the file holds, if that is a token.
fn token_in(file: &File) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim();
    Ok(PageToken::new(text).is_ok().then(|| text.to_owned()))
}

#[cfg(unix)]
fn is_private(file: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    let others = file.metadata()?.permissions().mode() & 0o077;
    Ok(others == 0)
}

#[cfg(unix)]
fn make_private(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the other systems' form can fail")]
fn is_private(_: &File) -> std::io::Result<bool> {
    Ok(true)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the other systems' form can fail")]
fn make_private(_: &File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stays_until_it_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let record = directory.path().join("queue.db.record");
        assert_eq!(read(&record).unwrap(), None);
        let token = make(&record).unwrap();
        assert_eq!(make(&record).unwrap(), token);
        assert_eq!(read(&record).unwrap().as_deref(), Some(&*token));
        for cut_off in ["", "short\n", "\u{fffd}"] {
            std::fs::write(beside(&record), cut_off).unwrap();
            assert_eq!(read(&record).unwrap(), None);
            let other = make(&record).unwrap();
            assert_ne!(other, token);
            assert_eq!(read(&record).unwrap(), Some(other));
        }
    }

    #[cfg(unix)]
    #[test]
    fn it_is_its_owners_alone() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let directory = tempfile::tempdir().unwrap();
        let record = directory.path().join("queue.db.record");
        let token = make(&record).unwrap();
        let mode = || {
            let about = std::fs::metadata(beside(&record)).unwrap();
            about.permissions().mode() & 0o777
        };
        assert_eq!(mode(), 0o600);
        // Somebody let others read it.
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(beside(&record), open).unwrap();
        assert_ne!(make(&record).unwrap(), token);
        assert_eq!(mode(), 0o600);
        // A link leads to somebody's file.
        let victim = directory.path().join("victim");
        std::fs::write(&victim, "of somebody else").unwrap();
        std::fs::remove_file(beside(&record)).unwrap();
        symlink(&victim, beside(&record)).unwrap();
        assert!(make(&record).is_err());
        assert!(read(&record).is_err());
        assert_eq!(
            std::fs::read_to_string(&victim).unwrap(),
            "of somebody else"
        );
    }
}
