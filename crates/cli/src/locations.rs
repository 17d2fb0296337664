//! URLs of queues and stores, taken apart.

use crate::clouds::Cloud;
use labelrelay_core::BackEndError;
use labelrelay_local::path_in;
use std::path::{Path, PathBuf};

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QueueLocation {
    /// The embedded queue, in this file.
    Sqlite(PathBuf),
    /// One envelope a line on stdout.
    Stdout,
    /// A cloud's, which the cloud's own crate understands.
    Cloud(Cloud, String),
}

/// A store for claim checks, or a fallback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StoreLocation {
    /// A directory.
    Directory(PathBuf),
    /// A cloud's, which the cloud's own crate understands.
    Cloud(Cloud, String),
}

impl StoreLocation {
    /// The location of this name within this one.
    pub(crate) fn below(&self, name: &str) -> Self {
        match self {
            Self::Directory(directory) => Self::Directory(directory.join(name)),
            Self::Cloud(cloud, url) => {
                // A query, which may be a signature, stays the end.
                let (path, query) = url.split_at(url.find('?').unwrap_or(url.len()));
                let path = path.trim_end_matches('/');
                Self::Cloud(*cloud, format!("{path}/{name}{query}"))
            }
        }
    }
}

impl std::fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Directory(directory) => write!(f, "{}", directory.display()),
            // A query may be a signature.
            Self::Cloud(_, url) => f.write_str(url.split('?').next().unwrap_or_default()),
        }
    }
}

impl std::fmt::Display for QueueLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
            Self::Stdout => f.write_str("stdout:"),
            // A query may be a signature.
            Self::Cloud(_, url) => f.write_str(url.split('?').next().unwrap_or_default()),
        }
    }
}

/// Takes a queue's URL apart; `base` is what a relative path is relative to.
pub(crate) fn queue(url: &str, base: &Path) -> Result<QueueLocation, BackEndError> {
    let wrong = |problem: &str| {
        let cure = "write sqlite:FILE, sqlite:///absolute/FILE, stdout:, sqs://…, pubsub://…, azure-queue://…, servicebus://…, nats://… or postgres://…";
        BackEndError::new(url, problem, cure)
    };
    let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
    match scheme {
        "sqlite" => {
            let file = path_in(rest, base).ok_or_else(|| wrong("names no file"))?;
            Ok(QueueLocation::Sqlite(file))
        }
        "stdout" if rest.is_empty() => Ok(QueueLocation::Stdout),
        _ => match Cloud::of_queue(url) {
            // Wherever this location is shown, its URL is.
            Some(Cloud::Postgres) if has_password(rest) => Err(BackEndError::new(
                "",
                "the URL of the queue has a password in it, which files and logs would show",
                "leave it out, and name its place: postgres://USER@HOST/DATABASE?password=env:NAME, or ?password=file:PATH",
            )),
            // Here as well. A name alone may be a token, and a token may have any character: so no `@` stands for
            // itself anywhere, not in a parameter's value either.
            Some(Cloud::Nats) if rest.contains('@') => Err(BackEndError::new(
                "",
                "the URL of the queue has a user or a token in it, which files and logs would show",
                "write nats://HOST:4222/STREAM/SUBJECT?user=NAME&password=env:NAME, ?token=env:NAME, ?nkey=file:PATH or ?credentials=file:PATH, and %40 for an @ in a value",
            )),
            Some(cloud) => Ok(QueueLocation::Cloud(cloud, url.to_owned())),
            None => Err(wrong("is not the URL of a queue")),
        },
    }
}

/// Tells whether what follows the scheme of a URL names a user together with a password. A password that is not encoded
/// may itself have any character: so a colon before the first `@` tells it, wherever that stands.
fn has_password(rest: &str) -> bool {
    let user = rest.split_once('@').map(|(user, _)| user);
    let authority = rest.trim_start_matches('/').split(['/', '?']).next();
    let whole_user = authority.and_then(|authority| authority.rsplit_once('@'));
    user.is_some_and(|user| user.contains(':'))
        || whole_user.is_some_and(|(user, _)| user.contains(':'))
}

/// Takes the URL of a store, for claim checks or as a fallback, apart.
pub(crate) fn store(url: &str, base: &Path) -> Result<StoreLocation, BackEndError> {
    let wrong = |problem: &str| {
        let cure = "write file:///absolute/DIRECTORY, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://ACCOUNT/CONTAINER/PREFIX";
        BackEndError::new(url, problem, cure)
    };
    if let Some(("file", rest)) = url.split_once(':') {
        let directory = path_in(rest, base).ok_or_else(|| wrong("names no directory"))?;
        return Ok(StoreLocation::Directory(directory));
    }
    match Cloud::of_store(url) {
        Some(cloud) => Ok(StoreLocation::Cloud(cloud, url.to_owned())),
        None => Err(wrong("is not the URL of a store")),
    }
}

/// Where ledgers lie beside a queue in Postgres.
pub(crate) fn ledger_in_postgres(queue: &str) -> StoreLocation {
    StoreLocation::Cloud(Cloud::Postgres, queue.to_owned()).below("ledger")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_queues() {
        let base = Path::new("/base");
        let sqlite = |path: &str| Some(QueueLocation::Sqlite(PathBuf::from(path)));
        for (url, location) in [
            ("sqlite:queue.db", sqlite("/base/queue.db")),
            ("sqlite:sub/queue.db", sqlite("/base/sub/queue.db")),
            ("sqlite:/abs/queue.db", sqlite("/abs/queue.db")),
            ("sqlite:///abs/queue.db", sqlite("/abs/queue.db")),
            ("stdout:", Some(QueueLocation::Stdout)),
            ("sqlite:", None),
            ("sqlite://queue.db", None),
            ("sqlite::memory:", None),
            ("stdout:x", None),
            (
                "sqs://region/account/name",
                Some(QueueLocation::Cloud(
                    Cloud::Aws,
                    "sqs://region/account/name".to_owned(),
                )),
            ),
            ("kafka://host/topic", None),
            ("queue.db", None),
            ("", None),
        ] {
            assert_eq!(queue(url, base).ok(), location, "{url}");
        }
    }

    #[test]
    fn a_signature_is_not_shown() {
        let url = "https://account.queue.core.windows.net/events?sv=1&sig=secret";
        let location = queue(url, Path::new("/")).unwrap();
        assert_eq!(
            location.to_string(),
            "https://account.queue.core.windows.net/events"
        );
        for url in [
            "x?sig=secret",
            "postgres://relay:secret@db/events",
            "nats://relay:secret@n/EVENTS/labels",
            "tls://secret@n/EVENTS/labels",
            "nats://secret?x@n/EVENTS/labels",
            "nats://a/b/secret?x@n/EVENTS/labels",
            "postgres://relay:se/secret@db/events",
            "postgres://relay:/se@secret@db/events",
            "postgres://relay:secret?x@db/events",
        ] {
            let message = queue(url, Path::new("/")).unwrap_err().to_string();
            assert!(!message.contains("secret"), "{message}");
        }
        let location = queue(
            "nats://n/EVENTS/labels?monitor=http://n:8222",
            Path::new("/"),
        );
        let shown = location.unwrap().to_string();
        assert_eq!(shown, "nats://n/EVENTS/labels");
        let location = queue("postgres://relay@db:5433/events?pool=2", Path::new("/"));
        let shown = location.unwrap().to_string();
        assert_eq!(shown, "postgres://relay@db:5433/events");
    }

    #[test]
    fn urls_of_stores() {
        let store = |url: &str| store(url, Path::new("/base")).ok();
        let directory = |path: &str| Some(StoreLocation::Directory(path.into()));
        assert_eq!(store("file:///dir"), directory("/dir"));
        assert_eq!(store("file:dir"), directory("/base/dir"));
        for (url, cloud) in [
            ("s3://bucket/prefix", Cloud::Aws),
            ("gs://bucket/prefix", Cloud::Google),
            ("az://account/container", Cloud::Azure),
            (
                "https://account.blob.core.windows.net/container",
                Cloud::Azure,
            ),
        ] {
            assert_eq!(
                store(url),
                Some(StoreLocation::Cloud(cloud, url.to_owned()))
            );
        }
        for (url, below) in [
            ("file:dir", "/base/dir/ledger"),
            ("s3://bucket", "s3://bucket/ledger"),
            ("gs://bucket/prefix/", "gs://bucket/prefix/ledger"),
            (
                "https://account.blob.core.windows.net/container?sig=secret",
                "https://account.blob.core.windows.net/container/ledger",
            ),
        ] {
            let below_it = store(url).unwrap().below("ledger");
            assert_eq!(below_it.to_string(), below);
            let StoreLocation::Cloud(_, full) = below_it else {
                continue;
            };
            assert_eq!(full.ends_with("?sig=secret"), url.ends_with("?sig=secret"));
        }
        assert_eq!(store("sqs://x"), None);
        assert_eq!(store("file:"), None);
    }
}
