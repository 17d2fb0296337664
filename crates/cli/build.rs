//! Tells the program which commit it is built from and with which features, for `labelrelay --version`.
//!
//! Git is asked in optimised builds alone: asked in the others, each commit would compile the program and its
//! tests again.

use std::path::Path;
use std::process::Command;

/// Set where the sources come without git, as in an image's build.
const COMMIT: &str = "LABELRELAY_COMMIT";

/// Written by `cargo package` into what it packs.
const PACKED: &str = ".cargo_vcs_info.json";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={COMMIT}");
    let commit = from_environment()
        .or_else(packed)
        .or_else(checked_out)
        .unwrap_or_else(|| unknown().to_owned());
    // Not called as a setting: `cargo run` hands them to the program too.
    println!("cargo::rustc-env=BUILT_FROM_COMMIT={commit}");
    println!("cargo::rustc-env=BUILT_WITH_FEATURES={}", features());
}

fn features() -> String {
    let enabled = |name: &str| std::env::var_os(format!("CARGO_FEATURE_{name}")).is_some();
    let mut features = Vec::new();
    for (name, feature) in [
        ("AWS", "aws"),
        ("AZURE", "azure"),
        ("GOOGLE", "google"),
        ("NATS", "nats"),
        ("OTLP", "otlp"),
        ("POSTGRES", "postgres"),
    ] {
        if enabled(name) {
            features.push(feature);
        }
    }
    if features.is_empty() {
        "none".to_owned()
    } else {
        features.join(" ")
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn is_optimised() -> bool {
    variable("PROFILE") == "release"
}

fn unknown() -> &'static str {
    if is_optimised() {
        "unknown: built from an archive of the sources"
    } else {
        "unknown: a debug build"
    }
}

fn from_environment() -> Option<String> {
    Some(variable(COMMIT)).filter(|commit| is_commit(commit))
}

fn packed() -> Option<String> {
    let text = std::fs::read_to_string(PACKED).ok()?;
    let (_, after) = text.split_once("\"sha1\": \"")?;
    let commit = after.split('"').next()?;
    is_commit(commit).then(|| commit.to_owned())
}

/// The commit of the clone that this file is checked in to. Sources that were unpacked inside another project's
/// clone are not that project's.
fn checked_out() -> Option<String> {
    if !is_optimised() {
        return None;
    }
    git(&["ls-files", "--error-unmatch", "build.rs"])?;
    for file in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        // A file that is not there would have this run at each build.
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "HEAD"]).filter(|commit| is_commit(commit))
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn is_commit(text: &str) -> bool {
    text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
