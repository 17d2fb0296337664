//! The licences of the crates that a program links, which ask to be given along with it.

use crate::Outcome;
use crate::paths::root;
use crate::step::{cargo, output};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Name of the file, in the root of the work tree (where maturin takes it from) and in every archive.
const FILE: &str = "LICENSE-THIRD-PARTY.txt";

/// Beginnings of the names of files that hold a licence.
const NAMES: [&str; 6] = [
    "license",
    "licence",
    "copying",
    "notice",
    "unlicense",
    "copyright",
];

/// The program with all that is ours.
const PROGRAM: &str = "labelrelay";

/// Writes the file for that program to where maturin looks for it; returns its path.
pub(super) fn write(target: &str) -> Outcome<PathBuf> {
    let path = root().join(FILE);
    std::fs::write(&path, text(PROGRAM, features(PROGRAM), target)?)?;
    Ok(path)
}

/// Puts our own licences, and those of what `package` links, into a folder that is given to somebody.
pub(super) fn put(folder: &Path, package: &str, target: &str) -> Outcome {
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        std::fs::copy(root().join(file), folder.join(file))?;
    }
    std::fs::write(folder.join(FILE), text(package, features(package), target)?)?;
    Ok(())
}

/// Features that a program is released with.
fn features(package: &str) -> &'static str {
    if package == PROGRAM {
        super::FEATURES
    } else {
        ""
    }
}

fn text(package: &str, features: &str, target: &str) -> Outcome<String> {
    let mut tree = cargo("tree --locked --edges normal --prefix none --format {p}|{l}");
    tree.args([
        "--package",
        package,
        "--features",
        features,
        "--target",
        target,
    ]);
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, licence) in crates(&output(&mut tree)?) {
        for text in licences(&name, &licence)? {
            texts
                .entry(text)
                .or_default()
                .push(format!("{name} ({licence})"));
        }
    }
    // Those of most crates first.
    let mut texts: Vec<_> = texts.into_iter().collect();
    texts.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.1.cmp(&b.1)));
    let line = "=".repeat(80);
    let mut parts = vec![format!(
        "Licences of what {package} links. Each text stands once, below the names of the crates that bring it; in brackets, all that a crate may be used under.\n"
    )];
    for (text, crates) in texts {
        parts.push(format!("{line}\n{}\n\n{text}\n", crates.join("\n")));
    }
    Ok(parts.join("\n"))
}

/// Name and version, and the licence, of each crate that is not ours.
fn crates(tree: &str) -> BTreeMap<String, String> {
    let mut crates = BTreeMap::new();
    for line in tree.lines() {
        let line = line.trim_end_matches(" (*)");
        let Some((package, licence)) = line.split_once('|') else {
            continue;
        };
        // Ours have a path there.
        if package.contains("(/") || package.contains(":\\") {
            continue;
        }
        let mut words = package.split(' ');
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            let version = version.trim_start_matches('v');
            crates.insert(format!("{name} {version}"), licence.to_owned());
        }
    }
    crates
}

/// Texts in a crate's package; without any, that of the licence that it names.
fn licences(name: &str, licence: &str) -> Outcome<Vec<String>> {
    let folder = sources(name)?;
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().to_lowercase();
        if entry.file_type()?.is_file() && NAMES.iter().any(|begin| file.starts_with(begin)) {
            texts.push(tidy(&String::from_utf8_lossy(&std::fs::read(
                entry.path(),
            )?)));
        }
    }
    texts.sort();
    texts.dedup();
    if !texts.is_empty() {
        return Ok(texts);
    }
    let ours = |file: &str| std::fs::read_to_string(root().join(file));
    if licence.contains("Apache-2.0") {
        Ok(vec![tidy(&ours("LICENSE-APACHE")?)])
    } else if licence == "MIT" {
        let text = below_copyright(&ours("LICENSE-MIT")?);
        Ok(vec![format!(
            "MIT License\n\nCopyright (c) the authors of the crates above\n\n{}",
            tidy(&text)
        )])
    } else {
        Err(format!("{name} brings no licence, and the text of {licence} is not known here").into())
    }
}

/// The part of a licence that stands below its line of copyright.
fn below_copyright(text: &str) -> String {
    let lines = text.lines();
    let below = lines.skip_while(|line| !line.starts_with("Copyright"));
    below.skip(1).collect::<Vec<_>>().join("\n")
}

/// The same text in another layout is the same text.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// Folder in which cargo keeps a crate's package.
fn sources(name: &str) -> Outcome<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| {
            let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?;
            Some(Path::new(&home).join(".cargo"))
        });
    let registries = home
        .ok_or("neither CARGO_HOME nor HOME is set")?
        .join("registry/src");
    let folder = name.replace(' ', "-");
    for registry in std::fs::read_dir(&registries)? {
        let path = registry?.path().join(&folder);
        if path.is_dir() {
            return Ok(path);
        }
    }
    Err(format!(
        "{name} is not below {}: run `cargo fetch`",
        registries.display()
    )
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_of_others_are_named_once() {
        let tree = "labelrelay v0.1.0 (/src/crates/cli)|MIT OR Apache-2.0\nsyn v2.0.1|MIT\nserde_derive v1.0.2 (proc-macro)|MIT OR Apache-2.0\nsyn v2.0.1|MIT (*)\n";
        let found: Vec<_> = crates(tree).into_iter().collect();
        let pair = |name: &str, licence: &str| (name.to_owned(), licence.to_owned());
        assert_eq!(
            found,
            [
                pair("serde_derive 1.0.2", "MIT OR Apache-2.0"),
                pair("syn 2.0.1", "MIT")
            ]
        );
    }
}
