//! The contract as files: a JSON Schema of the envelope and of each shape of data, and an `AsyncAPI` document.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod asyncapi;
mod data;
mod envelope;
mod text;

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// The dialect of all schemas.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A file's name, and what it holds.
type File = (String, Value);

fn files() -> Vec<File> {
    let mut files = vec![envelope::file()];
    files.extend(data::files());
    files.push(asyncapi::file());
    for (_, value) in &mut files {
        text::without_links(value);
    }
    files
}

/// With `LABELRELAY_TEST_WRITE_SCHEMAS` set, it writes them: `cargo xtask schemas` does that.
#[test]
fn files_say_what_the_types_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas");
    let writes = std::env::var_os("LABELRELAY_TEST_WRITE_SCHEMAS").is_some();
    let mut names = BTreeSet::from(["README.md".to_owned()]);
    for (name, value) in files() {
        let wanted = serde_json::to_string_pretty(&value).unwrap() + "\n";
        let path = folder.join(&name);
        if writes {
            std::fs::write(&path, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == wanted,
            "schemas/{name} is not what the types say: run `cargo xtask schemas`"
        );
        names.insert(name);
    }
    let entries = std::fs::read_dir(&folder).unwrap();
    let found = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(
        found.collect::<BTreeSet<_>>(),
        names,
        "files that nobody writes"
    );
}
