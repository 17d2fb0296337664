//! Requests that were recorded from real senders, and the samples of the documents.

use crate::sender;
use std::path::{Path, PathBuf};

/// A recorded request of Label Studio.
pub struct Recorded {
    /// Folder and file, without extension: `1.23.2/013_TASKS_CREATED_…`.
    pub name: String,
    /// Request line and header lines.
    head: Vec<String>,
    /// Body, byte for byte.
    pub body: Vec<u8>,
}

/// Everything recorded of Label Studio, in order.
pub fn label_studio() -> Vec<Recorded> {
    let folder = folder().join("label_studio");
    files(&folder, "http")
        .iter()
        .map(|path| Recorded::read(path, &folder))
        .collect()
}

impl Recorded {
    fn read(path: &Path, folder: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let end = bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .expect("a head");
        let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of text");
        Self {
            name: path
                .strip_prefix(folder)
                .unwrap()
                .with_extension("")
                .display()
                .to_string(),
            head: head.split("\r\n").map(str::to_owned).collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    /// Tells whether the sender reported an event, and did not ask something of an ML back end.
    pub fn is_event(&self) -> bool {
        self.body.starts_with(br#"{"action""#)
    }

    /// The request as it was recorded, sent to the source `label-studio`, with `authorization` in
    /// place of the header of this name; that is all that a user of the relay sets differently.
    pub fn request(&self, authorization: &str) -> Vec<u8> {
        let mut parts = self.head[0].split(' ');
        let (method, target) = (parts.next().unwrap(), parts.next().unwrap());
        let (path, query) = target
            .split_once('?')
            .map_or((target, String::new()), |(path, query)| {
                (path, format!("?{query}"))
            });
        let below = path.strip_prefix("/ml").unwrap_or_default();
        let mut head = format!("{method} /label-studio{below}{query} HTTP/1.1\r\n");
        for line in &self.head[1..] {
            if !line.to_ascii_lowercase().starts_with("authorization:") {
                head.push_str(line);
                head.push_str("\r\n");
            }
        }
        head = format!("{head}Authorization: {authorization}\r\n\r\n");
        [head.as_bytes(), &self.body].concat()
    }
}

/// A sample of Labelbox's documents.
pub struct Sample {
    /// File, without extension.
    pub name: String,
    /// Body, byte for byte.
    pub body: Vec<u8>,
}

/// Every sample of a webhook in Labelbox's documents, in order of their names, which tell the event.
pub fn labelbox() -> Vec<Sample> {
    let folder = folder().join("labelbox");
    let read = |path: &PathBuf| Sample {
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        body: std::fs::read(path).unwrap(),
    };
    files(&folder, "json")
        .iter()
        // The folder below has annotations, which nobody sends alone.
        .filter(|path| path.parent() == Some(folder.as_path()))
        .map(read)
        .collect()
}

impl Sample {
    /// The delivery, with this signature.
    pub fn request(&self, signature: &str) -> Vec<u8> {
        self.request_with(signature, &self.body)
    }

    /// The delivery, with this signature and another body.
    pub fn request_with(&self, signature: &str, body: &[u8]) -> Vec<u8> {
        let path = if self.name.contains("model_run") {
            "/labelbox/model_run"
        } else {
            "/labelbox"
        };
        let head = sender::Head {
            path,
            event: self.event(),
            delivery: "ckfgcfsjk09jn06624cy7gb26",
            signature,
            more: "",
        };
        head.followed_by(body)
    }

    /// Value of `X-Labelbox-Event`.
    fn event(&self) -> &'static str {
        let events = [
            ("label_deleted", "LABEL_DELETED"),
            ("label_updated", "LABEL_UPDATED"),
            ("review", "REVIEW_UPDATED"),
            ("workflow", "WORKFLOW_ACTION"),
        ];
        events
            .iter()
            .find(|(part, _)| self.name.contains(part))
            .map_or("LABEL_CREATED", |(_, event)| *event)
    }
}

/// Path of the fixtures.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Files below `folder` with this extension, sorted; there must be some.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(
        !found.is_empty(),
        "no .{extension} below {}",
        folder.display()
    );
    found
}
