//! Folders of the cache that take minutes to fill. A run can be ended in the middle, so the last thing that is
//! written into one says that it is whole. A file that the installation brings would not: Python's own comes first.

use crate::Outcome;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Written into a folder last.
const WHOLE: &str = ".whole";

/// Fills `folder` with `fill`, unless that was done to its end. What a run left that was ended goes first. Where it
/// fails, it is tried once more: most of it comes over the network.
pub(crate) fn ensure(folder: &Path, fill: impl Fn() -> Outcome) -> Outcome {
    let whole = folder.join(WHOLE);
    if whole.exists() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    // Held until this ends, however it ends: what another run fills is not taken for left.
    let lock = File::create(lock_beside(folder))?;
    lock.lock()?;
    if whole.exists() {
        return Ok(());
    }
    if let Err(error) = anew(folder, &fill) {
        println!("{}: {error}; once more", folder.display());
        anew(folder, &fill)?;
    }
    File::create(whole)?.sync_all()?;
    Ok(())
}

/// Nothing is left of a filling that failed.
fn anew(folder: &Path, fill: &impl Fn() -> Outcome) -> Outcome {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir(folder)?;
    let filled = fill();
    if filled.is_err() {
        fs::remove_dir_all(folder)?;
    }
    filled
}

fn lock_beside(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_of_an_ended_run_are_not_whole() {
        let base =
            std::env::temp_dir().join(format!("labelrelay-installed-{}", std::process::id()));
        let folder = base.join("readers-1");
        let program = folder.join("bin/python");
        // As a run leaves it that is ended while pip works.
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::write(&program, "half").unwrap();
        let fill = || -> Outcome {
            assert!(!program.exists(), "it begins with nothing");
            fs::create_dir(folder.join("bin"))?;
            Ok(fs::write(&program, "whole")?)
        };
        let failed = ensure(&folder, || Err("no room".into())).unwrap_err();
        assert_eq!(
            (failed.to_string(), folder.exists()),
            ("no room".to_owned(), false)
        );
        let tries = std::cell::Cell::new(0);
        let second = || -> Outcome {
            tries.set(tries.get() + 1);
            if tries.get() == 1 {
                return Err("the network is away".into());
            }
            fill()
        };
        ensure(&folder, second).unwrap();
        assert_eq!(tries.get(), 2);
        assert_eq!(fs::read_to_string(&program).unwrap(), "whole");
        ensure(&folder, || panic!("it is whole")).unwrap();
        fs::remove_dir_all(base).unwrap();
    }
}
