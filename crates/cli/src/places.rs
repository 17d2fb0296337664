//! URLs of queues and blob stores: which ones this build can open.

use crate::failure::Failure;
use std::path::{Path, PathBuf};

/// A queue that this build can open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QueuePlace {
    /// The embedded queue, in this file.
    Sqlite(PathBuf),
    /// One envelope a line on stdout.
    Stdout,
}

impl std::fmt::Display for QueuePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
            Self::Stdout => f.write_str("stdout:"),
        }
    }
}

/// Places that labelrelay knows, but that need a build with that cloud's back end.
const CLOUD_QUEUES: [&str; 5] = ["sqs", "pubsub", "azure-queue", "servicebus", "https"];
const CLOUD_STORES: [&str; 4] = ["s3", "gs", "az", "https"];

/// Takes a queue's URL apart. `at` says where it stands, `base` what a relative path is relative to.
/// The URL itself is not repeated in errors: some carry a signature.
pub(crate) fn queue(url: &str, base: &Path, at: &str) -> Result<QueuePlace, Failure> {
    let known = "write sqlite:FILE, sqlite:///absolute/FILE or stdout:";
    let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
    match scheme {
        "sqlite" => Ok(QueuePlace::Sqlite(path(rest, base).ok_or_else(|| {
            Failure::config(format_args!("{at}: names no file; {known}"))
        })?)),
        "stdout" if rest.is_empty() => Ok(QueuePlace::Stdout),
        cloud if CLOUD_QUEUES.contains(&cloud) => Err(missing_back_end(at, cloud, known)),
        _ => Err(Failure::config(format_args!(
            "{at}: is not the URL of a queue; {known}"
        ))),
    }
}

/// Takes the URL of a store, for claim checks or as a fallback, apart: the directory of a `file:` URL.
pub(crate) fn store(url: &str, base: &Path, at: &str) -> Result<PathBuf, Failure> {
    let known = "write file:///absolute/DIRECTORY";
    let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
    match scheme {
        "file" => path(rest, base)
            .ok_or_else(|| Failure::config(format_args!("{at}: names no directory; {known}"))),
        cloud if CLOUD_STORES.contains(&cloud) => Err(missing_back_end(at, cloud, known)),
        _ => Err(Failure::config(format_args!(
            "{at}: is not the URL of a store; {known}"
        ))),
    }
}

fn missing_back_end(at: &str, scheme: &str, known: &str) -> Failure {
    Failure::config(format_args!(
        "{at}: this build has no back end for `{scheme}:` URLs; {known}"
    ))
}

/// `FILE`, `/FILE` or `///FILE`. Two slashes would begin a host name, which a file has not.
fn path(rest: &str, base: &Path) -> Option<PathBuf> {
    let path = match rest.strip_prefix("//") {
        Some(absolute) if absolute.starts_with('/') => absolute,
        Some(_) => return None,
        None => rest,
    };
    (!path.is_empty() && !path.starts_with(':')).then(|| base.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_queues() {
        let base = Path::new("/base");
        let sqlite = |path: &str| Some(QueuePlace::Sqlite(PathBuf::from(path)));
        for (url, place) in [
            ("sqlite:queue.db", sqlite("/base/queue.db")),
            ("sqlite:sub/queue.db", sqlite("/base/sub/queue.db")),
            ("sqlite:/abs/queue.db", sqlite("/abs/queue.db")),
            ("sqlite:///abs/queue.db", sqlite("/abs/queue.db")),
            ("stdout:", Some(QueuePlace::Stdout)),
            ("sqlite:", None),
            ("sqlite://queue.db", None),
            ("sqlite::memory:", None),
            ("stdout:x", None),
            ("sqs://region/account/name", None),
            ("queue.db", None),
            ("", None),
        ] {
            assert_eq!(queue(url, base, "queue").ok(), place, "{url}");
        }
    }

    #[test]
    fn a_missing_back_end_is_named() {
        for url in [
            "sqs://x",
            "pubsub://p/t",
            "azure-queue://a/q",
            "servicebus://x",
            "https://sqs.example/1/q?sig=secret",
        ] {
            let Err(Failure::Config(message)) = queue(url, Path::new("/"), "`queue`") else {
                panic!("{url}")
            };
            assert!(message.contains("this build has no back end"), "{message}");
            assert!(!message.contains("secret"), "{message}");
        }
        assert!(store("s3://bucket", Path::new("/"), "`blob_store`").is_err());
        assert_eq!(
            store("file:///dir", Path::new("/"), "`blob_store`").ok(),
            Some(PathBuf::from("/dir"))
        );
    }
}
