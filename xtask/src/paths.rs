//! Paths: the repository, cargo's output, the cache that is kept between runs.

use crate::Outcome;
use std::path::{Path, PathBuf};

/// Root of the work tree: of the one that cargo runs us in. Two of them may share a target directory, and cargo then
/// takes a program of the one for one of the other.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    manifest.parent().unwrap_or(&manifest).to_owned()
}

/// Cargo's output directory: this program is in `<target>/<profile>/`.
pub(crate) fn target() -> Outcome<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program
        .ancestors()
        .nth(2)
        .ok_or("this program does not lie in a target directory")?;
    Ok(target.to_owned())
}

/// A program that was built with this profile.
pub(crate) fn built(profile: &str, name: &str) -> Outcome<PathBuf> {
    Ok(target()?
        .join(profile)
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// Our folder for what costs minutes to make and is the same every time: Python environments, a
/// freshly migrated Label Studio database.
pub(crate) fn cache() -> Outcome<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(dir) if Path::new(&dir).is_absolute() => PathBuf::from(dir),
        _ => {
            let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
            PathBuf::from(home.ok_or("neither XDG_CACHE_HOME nor HOME is set: set one")?)
                .join(".cache")
        }
    };
    Ok(base.join("labelrelay"))
}
