//! Files of a snapshot: written whole, with their digests.

use crate::DatasetError;
use labelrelay_files::private_file;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// A file that is being written.
pub(crate) struct Output {
    file: BufWriter<File>,
    hash: Sha256,
    path: PathBuf,
}

impl Output {
    pub(crate) fn create(path: &Path) -> Result<Self, DatasetError> {
        if let Some(dir) = path.parent() {
            private_dir(dir)?;
        }
        Ok(Self {
            file: BufWriter::new(private_file(path).map_err(DatasetError::io(path))?),
            hash: Sha256::new(),
            path: path.to_owned(),
        })
    }

    pub(crate) fn write(&mut self, text: &str) -> Result<(), DatasetError> {
        self.hash.update(text);
        self.file
            .write_all(text.as_bytes())
            .map_err(DatasetError::io(&self.path))
    }

    /// Writes a value and a line's end.
    pub(crate) fn line(&mut self, value: &serde_json::Value) -> Result<(), DatasetError> {
        self.write(&format!("{value}\n"))
    }

    /// Adds what is in another file.
    pub(crate) fn append(&mut self, path: &Path) -> Result<(), DatasetError> {
        let mut other = File::open(path).map_err(DatasetError::io(path))?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = other.read(&mut buffer).map_err(DatasetError::io(path))?;
            let Some(some) = buffer.get(..read).filter(|some| !some.is_empty()) else {
                return Ok(());
            };
            self.hash.update(some);
            self.file
                .write_all(some)
                .map_err(DatasetError::io(&self.path))?;
        }
    }

    /// Writes the rest; the file's digest in hexadecimal digits. [`sync_below`] brings it to the disk, with many others.
    pub(crate) fn end(mut self) -> Result<String, DatasetError> {
        self.file.flush().map_err(DatasetError::io(&self.path))?;
        Ok(hex(&self.hash.finalize()))
    }
}

/// For whoever writes bytes of its own.
impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Makes a directory, and those above it, for this user alone.
pub(crate) fn private_dir(dir: &Path) -> Result<(), DatasetError> {
    labelrelay_files::private_dir(dir).map_err(DatasetError::io(dir))
}

/// Opens a file to write, and makes it for this user alone where there is none.
pub(crate) fn own_file(path: &Path) -> Result<File, DatasetError> {
    let opened = match private_file(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            File::options().write(true).open(path)
        }
        made => made,
    };
    opened.map_err(DatasetError::io(path))
}

/// What Windows says of a file that another process has open and lets nobody write.
#[cfg(not(target_os = "linux"))]
const IN_USE: i32 = 32;

/// Brings all that lies below a directory to the disk.
pub(crate) fn sync_below(dir: &Path) -> Result<(), DatasetError> {
    // One call for a million files.
    #[cfg(target_os = "linux")]
    {
        let opened = File::open(dir).map_err(DatasetError::io(dir))?;
        rustix::fs::syncfs(&opened).map_err(|error| DatasetError::io(dir)(error.into()))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let failed = DatasetError::io(dir);
        for entry in std::fs::read_dir(dir).map_err(&failed)? {
            let path = entry.map_err(&failed)?.path();
            if path.is_dir() {
                sync_below(&path)?;
            } else {
                match File::options().write(true).open(&path) {
                    // Somebody reads it: so an earlier snapshot has it too, and it is on the disk.
                    Err(error) if cfg!(windows) && error.raw_os_error() == Some(IN_USE) => {}
                    opened => opened
                        .and_then(|file| file.sync_all())
                        .map_err(DatasetError::io(&path))?,
                }
            }
        }
        sync_dir(dir)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Brings the names in a directory to the disk.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), DatasetError> {
    if cfg!(unix) {
        let opened = File::open(dir).and_then(|dir| dir.sync_all());
        opened.map_err(DatasetError::io(dir))?;
    }
    Ok(())
}

/// A name for files of a task: short, and of plain characters, its parts with a dot between. If something had to be
/// changed, a digest stands behind it, so that no two tasks share a name.
pub(crate) fn file_name(parts: &[&str]) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_');
    let whole = parts.join(".");
    let whole = whole.strip_prefix('/').unwrap_or(&whole);
    let are_plain = parts.iter().enumerate().all(|(place, part)| {
        let part = if place == 0 {
            part.strip_prefix('/').unwrap_or(part)
        } else {
            part
        };
        part.chars().all(is_plain)
    });
    let plain: String = whole
        .chars()
        .take(100)
        .map(|it| {
            if is_plain(it) || (are_plain && it == '.') {
                it
            } else {
                '_'
            }
        })
        .collect();
    if are_plain && plain.len() == whole.len() {
        return plain;
    }
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let digest: String = hex(&hash.finalize()).chars().take(12).collect();
    format!("{plain}.{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_differ() {
        assert_eq!(file_name(&["/label-studio", "1", "7"]), "label-studio.1.7");
        let names = [
            file_name(&["/ls", "1", "../../etc"]),
            file_name(&["/ls", "1", "..-..-etc"]),
            file_name(&["/ls", "1-2", "3"]),
            file_name(&["/ls", "1.2", "3"]),
            file_name(&["/ls", "1", "2.3"]),
            file_name(&["/ls", "1", "2", "3"]),
            file_name(&["/ls", "1", "2-3"]),
            file_name(&["/ls", "1", &"x".repeat(4000)]),
            file_name(&["/ls", "1", &"x".repeat(4001)]),
        ];
        for (place, name) in names.iter().enumerate() {
            assert!(name.len() < 120 && !name.contains('/'), "{name}");
            assert!(!name.starts_with('.') && !name.contains(".."), "{name}");
            assert!(!names[..place].contains(name), "{name}");
        }
    }
}
