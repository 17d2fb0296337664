//! The archive, unpacked.

use crate::clean_root::{CleanRoot, demo_ran};
use crate::files;
use std::path::Path;

#[test]
#[ignore = "needs files of a release and a root: cargo xtask release --dry-run"]
fn it_runs_where_it_is_unpacked() {
    let root = CleanRoot::new();
    let archive = files::one(files::ARCHIVE);
    let name = files::name(&archive).strip_suffix(".tar.gz").unwrap();
    root.put(&archive, "/dist");
    let (demo, took) = root.timed(
        "archive: unpacked, and the demo",
        &format!("tar --extract --gzip --file /dist/*.tar.gz --directory /opt; /opt/{name}/labelrelay serve --demo"),
    );
    demo_ran(&demo, took);
    for file in [
        "README.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "LICENSE-THIRD-PARTY.txt",
        "docs/operations.md",
    ] {
        assert!(
            root.path(&format!("/opt/{name}/{file}")).is_file(),
            "{file}"
        );
    }
}

/// `cargo binstall` looks for the file of this name, and for the program at this place in it.
#[test]
fn cargo_binstall_knows_its_name_and_layout() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/cli/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    for line in [
        "pkg-url = \"{ repo }/releases/download/v{ version }/{ name }-{ version }-{ target }{ archive-suffix }\"",
        "bin-dir = \"{ name }-{ version }-{ target }/{ bin }{ binary-ext }\"",
        "pkg-fmt = \"tgz\"",
    ] {
        assert!(manifest.contains(line), "{line}");
    }
}
