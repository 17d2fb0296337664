//! Every document of the repository that its users read.

use std::path::{Path, PathBuf};

pub(super) struct Page {
    /// Path below the root of the repository.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Page {
    /// Blocks of TOML, which together are one configuration.
    pub(super) fn toml(&self) -> String {
        let parts = self.text.split("```toml\n").skip(1);
        parts.filter_map(|part| part.split("```").next()).collect()
    }
}

pub(super) fn all() -> Vec<Page> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = of(&root);
    paths.extend(of(&root.join("docs")));
    paths.extend(of(&root.join("fuzz")));
    for folder in ["crates", "infra"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            paths.extend(of(&entry.unwrap().path()));
        }
    }
    paths.sort();
    let pages: Vec<_> = paths.into_iter().map(|path| page(&root, path)).collect();
    assert!(pages.len() > 15, "{} pages only", pages.len());
    pages
}

/// Documents in `folder` itself, not below it. The changelog tells of the past.
fn of(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == "md"))
        .filter(|path| !path.ends_with("CHANGELOG.md"))
        .collect()
}

fn page(root: &Path, path: PathBuf) -> Page {
    Page {
        name: path.strip_prefix(root).unwrap().display().to_string(),
        text: std::fs::read_to_string(&path).unwrap(),
        path,
    }
}
