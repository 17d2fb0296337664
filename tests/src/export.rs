//! Content of the embedded queue, read the way that scripts read it.

use crate::program;
use labelrelay_event::{Attributes, Envelope};
use std::path::Path;

/// One event of the queue.
#[derive(Debug, Clone)]
pub struct Exported {
    /// Attributes.
    pub attributes: Attributes,
    /// The envelope, as queued.
    pub envelope: Vec<u8>,
    /// The sender's bytes.
    pub body: Vec<u8>,
}

/// All events of the queue at `url`, in order of arrival; consumes nothing. Of each it is asserted
/// that the envelope is one, and that digest, data and exported body agree.
pub fn export(url: &str) -> Vec<Exported> {
    let folder = tempfile::tempdir().unwrap();
    let output = program::command()
        .args(["events", "export", "--queue", url, "--dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "events export: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    names.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    names.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Exported {
    let envelope = std::fs::read(path).unwrap();
    let body = std::fs::read(path.with_extension("body")).unwrap();
    let event = event(&envelope, path);
    assert!(
        event.body == body,
        "{}: the data in the envelope is not the body",
        path.display()
    );
    event
}

/// The event of an envelope that comes from `path`, with its data in it. It is asserted that digest and data agree.
pub fn event(envelope: &[u8], path: &Path) -> Exported {
    let decoded =
        Envelope::decode(envelope).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let body = decoded
        .data
        .bytes()
        .unwrap()
        .expect("the data lies in the envelope")
        .into_owned();
    assert!(
        decoded.matches_digest(&body),
        "{}: datasha256 is not that of the body",
        path.display()
    );
    Exported {
        attributes: decoded.attributes,
        envelope: envelope.to_vec(),
        body,
    }
}
