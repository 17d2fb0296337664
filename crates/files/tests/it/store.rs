//! The blob store in a directory.

use bytes::Bytes;
use futures_executor::block_on;
use futures_util::{StreamExt as _, stream};
use labelrelay_core::blob::Fetched;
use labelrelay_core::{BlobError, BlobStore as _};
use labelrelay_files::FileBlobStore;
use labelrelay_testkit::blob_suite;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

fn put(
    store: &FileBlobStore,
    key: &str,
    length: u64,
    chunks: &[&'static [u8]],
) -> Result<String, BlobError> {
    let chunks: Vec<_> = chunks
        .iter()
        .map(|chunk| Ok(Bytes::from_static(chunk)))
        .collect();
    block_on(store.put(key, length, Box::pin(stream::iter(chunks))))
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Waits for what another thread does.
fn until(condition: impl Fn() -> bool, what: &str) {
    for _ in 0..100_000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("never: {what}");
}

#[test]
fn a_store_gives_back_its_own_objects_alone() {
    let dir = TempDir::new().unwrap();
    let store = FileBlobStore::open(dir.path().join("two words")).unwrap();
    block_on(blob_suite::gives_back_its_own_objects_alone(&store));
}

/// Whoever can write into the directory must not make the store read what only its user may.
#[cfg(unix)]
#[test]
fn a_link_in_the_directory_leads_nowhere_else() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("secret"), "of somebody").unwrap();
    let store = FileBlobStore::open(dir.path().join("claims")).unwrap();
    let uri = put(&store, "object", 2, &[b"{}"]).unwrap();
    let base = uri.strip_suffix("object").unwrap();
    let link = dir.path().join("claims/link");
    std::os::unix::fs::symlink("../secret", link).unwrap();
    let got = block_on(store.get(&format!("{base}link"))).unwrap();
    assert_eq!(got, Fetched::Elsewhere);
    // A directory that is named by a link is the same directory.
    std::os::unix::fs::symlink("claims", dir.path().join("by-link")).unwrap();
    let by_link = uri.replace("/claims/", "/by-link/");
    let got = block_on(store.get(&by_link)).unwrap();
    assert_eq!(got, Fetched::Body(Bytes::from_static(b"{}")));
}

#[test]
fn an_object_is_stored_at_its_uri() {
    let dir = TempDir::new().unwrap();
    let store = FileBlobStore::open(dir.path().join("two words")).unwrap();
    let uri = put(
        &store,
        "labelbox/ab12.body",
        6,
        &[b"\x00\xffa", b"", b"bcd"],
    )
    .unwrap();
    assert!(
        uri.starts_with("file:///") && uri.ends_with("/two%20words/labelbox/ab12.body"),
        "{uri}"
    );
    let path = dir.path().join("two words/labelbox/ab12.body");
    assert_eq!(std::fs::read(&path).unwrap(), b"\x00\xffabcd");
    assert_eq!(files(dir.path()), [path], "nothing else is left");
}

#[test]
fn an_object_is_never_overwritten() {
    let dir = TempDir::new().unwrap();
    let store = FileBlobStore::open(dir.path()).unwrap();
    let first = put(&store, "a", 1, &[b"1"]).unwrap();
    assert_eq!(put(&store, "a", 1, &[b"2"]).unwrap(), first);
    assert_eq!(std::fs::read(dir.path().join("a")).unwrap(), b"1");
}

#[test]
fn a_truncated_body_leaves_nothing() {
    let dir = TempDir::new().unwrap();
    let store = FileBlobStore::open(dir.path()).unwrap();
    put(&store, "short", 3, &[b"1"]).unwrap_err();
    put(&store, "long", 1, &[b"12"]).unwrap_err();
    let broken = stream::iter([
        Ok(Bytes::from_static(b"1")),
        Err(std::io::ErrorKind::ConnectionReset.into()),
    ]);
    block_on(store.put("broken", 2, Box::pin(broken))).unwrap_err();
    assert_eq!(files(dir.path()), Vec::<PathBuf>::new());
    let mut dropped = store.put("dropped", 2, Box::pin(stream::pending()));
    assert!(block_on(async { futures_util::poll!(&mut dropped) }).is_pending());
    until(|| files(dir.path()).len() == 1, "it is being written");
    drop(dropped);
    until(|| files(dir.path()).is_empty(), "nothing is left of it");
    put(&store, "short", 1, &[b"1"]).unwrap();
}

#[test]
fn a_large_body_that_arrives_slowly_passes_through_in_pieces() {
    let dir = TempDir::new().unwrap();
    let store = FileBlobStore::open(dir.path()).unwrap();
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let pieces: Vec<_> = body.chunks(10_007).map(Bytes::copy_from_slice).collect();
    let slow = stream::iter(pieces).then(|piece| async move {
        std::thread::yield_now();
        Ok(piece)
    });
    let length = body.len() as u64;
    block_on(store.put("large", length, Box::pin(slow))).unwrap();
    assert!(std::fs::read(dir.path().join("large")).unwrap() == body);
}

#[test]
fn a_stalled_body_does_not_block_others() {
    let dir = TempDir::new().unwrap();
    let store = FileBlobStore::open(dir.path()).unwrap();
    // One thread: while a put waits for its body, another one is stored.
    let (body, arrives) = futures_channel::mpsc::unbounded();
    let mut waiting = store.put("waiting", 1, Box::pin(arrives));
    block_on(async {
        assert!(futures_util::poll!(&mut waiting).is_pending());
        let other = stream::iter([Ok(Bytes::from_static(b"2"))]);
        store.put("other", 1, Box::pin(other)).await.unwrap();
        body.unbounded_send(Ok(Bytes::from_static(b"1"))).unwrap();
        drop(body);
        waiting.await.unwrap();
    });
    assert_eq!(std::fs::read(dir.path().join("waiting")).unwrap(), b"1");
    assert_eq!(files(dir.path()).len(), 2);
}

#[test]
fn only_files_of_killed_processes_are_swept() {
    let dir = TempDir::new().unwrap();
    let random = "0123456789abcdef0123456789abcdef";
    let long_ago = SystemTime::now() - Duration::from_secs(2 * 3600);
    let abandoned = format!(".{random}.tmp");
    let kept = [
        "body".to_owned(),
        ".tmp".to_owned(),
        format!("{random}.tmp"),
        format!(".{random}"),
        format!(".{random}0.tmp"),
        format!(".{}.tmp", random.replace("0123", "FEDC")),
        format!(".x{}.tmp", &random[1..]),
    ];
    for name in kept.iter().chain([&abandoned]) {
        let file = std::fs::File::create(dir.path().join(name)).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    let young = format!(".{}.tmp", random.replace('0', "1"));
    std::fs::write(dir.path().join(&young), b"").unwrap();
    FileBlobStore::open(dir.path()).unwrap();
    let mut expected: Vec<_> = kept
        .iter()
        .chain([&young])
        .map(|name| dir.path().join(name))
        .collect();
    expected.sort();
    assert_eq!(files(dir.path()), expected);
}

#[test]
fn no_key_leads_out_of_the_directory() {
    let dir = TempDir::new().unwrap();
    let store = FileBlobStore::open(dir.path().join("store")).unwrap();
    for key in [
        "", "/a", "../a", "a/../b", "a//b", "a/", "./a", "a/./b", ".hidden", "a\\b", "a b", "a\0b",
        "ä", "C:a",
    ] {
        let error = put(&store, key, 1, &[b"1"]).unwrap_err();
        assert!(!error.retryable, "{key:?}");
    }
    put(&store, &"a".repeat(201), 1, &[b"1"]).unwrap_err();
    assert_eq!(files(dir.path()), Vec::<PathBuf>::new());
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_what_it_makes() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = TempDir::new().unwrap();
    let store = FileBlobStore::open(dir.path().join("store")).unwrap();
    put(&store, "a/b", 1, &[b"1"]).unwrap();
    let mode = |path: &str| {
        dir.path()
            .join(path)
            .metadata()
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(
        (mode("store"), mode("store/a"), mode("store/a/b")),
        (0o700, 0o700, 0o600)
    );
}

#[test]
fn a_check_reports_the_error_of_a_put() {
    let dir = TempDir::new().unwrap();
    let store = FileBlobStore::open(dir.path().join("store")).unwrap();
    block_on(store.check()).unwrap();
    assert_eq!(files(dir.path()), Vec::<PathBuf>::new());
    std::fs::remove_dir_all(dir.path().join("store")).unwrap();
    block_on(store.check()).unwrap_err();
    std::fs::write(dir.path().join("file"), b"").unwrap();
    FileBlobStore::open(dir.path().join("file")).unwrap_err();
}
