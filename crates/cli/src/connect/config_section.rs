//! Writes a section into a configuration's file, and leaves every other byte as it is.

use crate::env::Env;
use crate::file_beside::{could_be_written, folder_of, sync_folder, written};
use labelrelay_core::config::Config;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Puts `section`, a table of `[source.pull]`, below the source `name` of the file at `path`. The file is replaced
/// whole, and only when the new text reads as the old one with that section.
///
/// # Errors
/// The reason why the file stays as it is.
pub(super) fn add(path: &Path, name: &str, section: &str, env: &Env<'_>) -> Result<(), String> {
    let change = changed(path, name, section, env)?;
    replace(path, &change).map_err(|error| error.to_string())
}

/// Tells whether [`add`] would do it; changes nothing.
///
/// # Errors
/// The reason why the file would stay as it is.
pub(super) fn could_be_added(
    path: &Path,
    name: &str,
    section: &str,
    env: &Env<'_>,
) -> Result<(), String> {
    let change = changed(path, name, section, env)?;
    could_be_written(folder_of(path), &change.there, |mode| mode).map_err(|error| error.to_string())
}

/// A file, and what it would be.
struct Change {
    there: fs::Metadata,
    old: String,
    new: String,
}

fn changed(path: &Path, name: &str, section: &str, env: &Env<'_>) -> Result<Change, String> {
    let there = fs::symlink_metadata(path).map_err(|error| match error.kind() {
        // The text may be in a variable.
        ErrorKind::NotFound => "it is no file".to_owned(),
        _ => error.to_string(),
    })?;
    if !there.is_file() {
        return Err(
            "it is a link or no regular file: whatever keeps it there would undo the change"
                .to_owned(),
        );
    }
    if has_other_names(&there) {
        return Err(
            "it has several names (hard links), and the others would keep the old text".to_owned(),
        );
    }
    let old = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let read = |text: &str| {
        let base = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        let origin = path.display().to_string();
        Config::from_toml(text, &origin, base, env.lookup()).map_err(|error| error.to_string())
    };
    let before = read(&old)?;
    let index = before.sources.iter().position(|one| one.name == name);
    let new = index
        .and_then(|index| inserted(&old, index, section))
        .ok_or("its section of the source was not found")?;
    let after = read(&new)?;
    if !differs_by_pull_alone(&before, &after, name) {
        return Err("it is written in a way that this program does not change safely".to_owned());
    }
    Ok(Change { there, old, new })
}

#[cfg(unix)]
fn has_other_names(there: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    there.nlink() > 1
}

#[cfg(not(unix))]
fn has_other_names(_: &fs::Metadata) -> bool {
    false
}

/// Tells whether the source `name` pulls now, and everything else is what it was.
fn differs_by_pull_alone(before: &Config, after: &Config, name: &str) -> bool {
    let mut bare = after.clone();
    let source = bare.sources.iter_mut().find(|source| source.name == name);
    let is_new = source.is_some_and(|source| source.pull.take().is_some());
    bare.warnings.clone_from(&before.warnings);
    is_new && bare == *before
}

/// `text` with `section` behind the keys of its table `[[source]]` of this number.
fn inserted(text: &str, index: usize, section: &str) -> Option<String> {
    let (mut tables, mut at, mut end) = (0, 0, None);
    for line in text.split_inclusive('\n') {
        at += line.len();
        let bare: String = line.chars().filter(|c| !c.is_whitespace()).collect();
        if bare.starts_with('[') {
            tables += usize::from(bare.starts_with("[[source]]"));
            if end.is_some() {
                break;
            }
            if tables != index + 1 {
                continue;
            }
            end = Some(at);
        } else if end.is_some() && !bare.is_empty() && !bare.starts_with('#') {
            // Comments before the next table are about that one.
            end = Some(at);
        }
    }
    let (before, after) = text.split_at_checked(end?)?;
    // Lines end as the others do.
    let newline = if before.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let section = section.replace('\n', newline);
    let line_end = if before.ends_with('\n') { "" } else { newline };
    let blank = if after.starts_with(['\n', '\r']) || after.is_empty() {
        ""
    } else {
        newline
    };
    Some(format!(
        "{before}{line_end}{newline}{section}{newline}{blank}{after}"
    ))
}

/// Whole or not at all, for those who may read the file now.
fn replace(path: &Path, change: &Change) -> io::Result<()> {
    let folder = folder_of(path);
    let new = written(folder, ".labelrelay-", &change.new, &change.there, |mode| {
        mode
    })?;
    // Somebody may have saved it while the new file went to the disk.
    if fs::read_to_string(path)? != change.old {
        return Err(io::Error::other(
            "it was changed at the same moment: run this again",
        ));
    }
    new.persist(path).map_err(|error| error.error)?;
    sync_folder(folder);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECTION: &str = "[source.pull]\nevery = \"10s\"";
    const FILE: &str = "\
# mine
[[source]] # first
name = \"a\"
provider = \"label-studio\"
secret = \"env:A\"

# about the second
[[source]]
name = \"b\"
provider = \"label-studio\"
secret = \"env:B\"
[source.webhook]
projects = [1]";

    #[test]
    fn the_section_comes_behind_the_keys_of_its_source() {
        let first = inserted(FILE, 0, SECTION).unwrap();
        let place = "secret = \"env:A\"\n\n[source.pull]\nevery = \"10s\"\n\n# about the second\n";
        assert!(first.contains(place), "{first}");
        let second = inserted(FILE, 1, SECTION).unwrap();
        let place = "secret = \"env:B\"\n\n[source.pull]\nevery = \"10s\"\n\n[source.webhook]";
        assert!(second.contains(place), "{second}");
        assert!(second.starts_with(FILE.split("[source.webhook]").next().unwrap()));
        assert_eq!(inserted(FILE, 2, SECTION), None);
        for index in [0, 1] {
            let windows = FILE.replace('\n', "\r\n");
            let inserted_there = inserted(&windows, index, SECTION).unwrap();
            let whole = inserted(FILE, index, SECTION).unwrap();
            assert_eq!(inserted_there, whole.replace('\n', "\r\n"));
        }
        let short = "[[ source ]]\nname = \"a\"";
        let whole = format!("{short}\n\n{SECTION}\n");
        assert_eq!(inserted(short, 0, SECTION), Some(whole));
    }

    #[test]
    fn a_file_that_cannot_be_changed_safely_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labelrelay.toml");
        let nothing = |_: &str| None::<String>;
        let env = Env::new(&nothing, folder.path().to_owned());
        let has_one = format!("{FILE}\n{SECTION}");
        let in_a_list =
            "source = [{ name = \"b\", provider = \"label-studio\", secret = \"env:B\" }]";
        let many_lines = FILE.replace("# mine", "queue = \"\"\"\n[[source]]\n\"\"\"");
        for text in [
            has_one.as_str(),
            in_a_list,
            many_lines.as_str(),
            "not TOML",
            "",
        ] {
            fs::write(&path, text).unwrap();
            add(&path, "b", SECTION, &env).unwrap_err();
            could_be_added(&path, "b", SECTION, &env).unwrap_err();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        fs::write(&path, FILE).unwrap();
        could_be_added(&path, "b", SECTION, &env).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), FILE);
        add(&path, "b", SECTION, &env).unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains(SECTION));
        #[cfg(unix)]
        {
            fs::write(&path, FILE).unwrap();
            let other = folder.path().join("other.toml");
            fs::hard_link(&path, &other).unwrap();
            let why = add(&path, "b", SECTION, &env).unwrap_err();
            assert!(why.contains("hard links"), "{why}");
            fs::remove_file(other).unwrap();
        }
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "no other file is left");
    }
}
