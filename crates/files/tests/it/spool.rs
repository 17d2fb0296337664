//! Bodies on their way, in a real directory.

use bytes::Bytes;
use futures_executor::block_on;
use futures_util::TryStreamExt as _;
use labelrelay_core::{BlobStore as _, Payload, Spool as _, Spooled};
use labelrelay_files::{FileBlobStore, FileSpool};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

fn spooled(spool: &FileSpool, pieces: &[&[u8]]) -> Arc<dyn Spooled> {
    block_on(async {
        let mut writer = spool.begin().await.unwrap();
        for piece in pieces {
            writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        writer.finish().await.unwrap()
    })
}

fn read(body: &dyn Spooled) -> Vec<u8> {
    block_on(body.stream().try_collect::<Vec<_>>())
        .unwrap()
        .concat()
}

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).unwrap().next().is_none()
}

#[test]
fn a_body_can_be_read_many_times() {
    let dir = TempDir::new().unwrap();
    let spool = FileSpool::open(dir.path(), 1 << 30).unwrap();
    let large: Vec<u8> = (0..20_000_003_u32).map(|n| n.to_le_bytes()[1]).collect();
    let mut pieces: Vec<&[u8]> = large.chunks(65_536).collect();
    pieces.splice(3..3, [&b""[..], b"x", b"yz"]);
    let body = spooled(&spool, &pieces);
    let expected = pieces.concat();
    assert_eq!(body.bytes(), expected.len() as u64);
    assert!(read(&*body) == expected);
    assert!(read(&*body) == expected);
    assert!(is_empty(dir.path()), "it has no name");
    drop(body);
    assert!(is_empty(dir.path()));
}

#[test]
fn a_store_on_the_same_disk_takes_a_body_over() {
    let dir = TempDir::new().unwrap();
    let spool = FileSpool::open(dir.path(), 1 << 30).unwrap();
    let store = FileBlobStore::open(dir.path()).unwrap();
    let body = spooled(&spool, &[b"some ", b"bytes"]);
    let before = fs::metadata(dir.path()).unwrap();
    let payload = Payload::from(Arc::clone(&body));
    let uri = block_on(store.put_payload("day/source/digest", &payload)).unwrap();
    assert!(uri.ends_with("/day/source/digest"));
    let path = dir.path().join("day/source/digest");
    assert_eq!(fs::read(&path).unwrap(), b"some bytes");
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let about = fs::metadata(&path).unwrap();
        assert_eq!(about.dev(), before.dev());
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
        // A second name of the body itself, not a copy: it can be linked once more.
        assert!(block_on(body.link(&dir.path().join("again"))).unwrap());
        let again = fs::metadata(dir.path().join("again")).unwrap();
        assert_eq!((again.ino(), again.nlink()), (about.ino(), 2));
        fs::remove_file(dir.path().join("again")).unwrap();
    }
    // The name stays when the delivery ends; and the file there is left alone.
    let other = Payload::from(spooled(&spool, &[b"other bytes"]));
    block_on(store.put_payload("day/source/digest", &other)).unwrap();
    drop((body, payload, other));
    assert_eq!(fs::read(&path).unwrap(), b"some bytes");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

/// A directory in memory is on another file system than the one for temporary files, usually.
#[cfg(target_os = "linux")]
#[test]
fn a_store_on_another_disk_gets_a_copy() {
    use std::os::unix::fs::MetadataExt as _;
    let store_dir = TempDir::new().unwrap();
    let spool_dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let device = |dir: &TempDir| fs::metadata(dir.path()).unwrap().dev();
    assert_ne!(device(&store_dir), device(&spool_dir));
    let spool = FileSpool::open(spool_dir.path(), 1 << 30).unwrap();
    let store = FileBlobStore::open(store_dir.path()).unwrap();
    let body = spooled(&spool, &[b"some ", b"bytes"]);
    assert!(!block_on(body.link(&store_dir.path().join("no"))).unwrap());
    block_on(store.put_payload("yes", &body.into())).unwrap();
    assert_eq!(
        fs::read(store_dir.path().join("yes")).unwrap(),
        b"some bytes"
    );
    assert!(is_empty(spool_dir.path()));
}

#[test]
fn the_quota_is_given_back_with_every_body() {
    let dir = TempDir::new().unwrap();
    let spool = FileSpool::open(dir.path(), 10).unwrap();
    let first = spooled(&spool, &[b"12345678"]);
    block_on(async {
        let mut second = spool.begin().await.unwrap();
        second.write(Bytes::from_static(b"12")).await.unwrap();
        let error = second.write(Bytes::from_static(b"3")).await.unwrap_err();
        let message = error.to_string();
        let dir = dir.path().to_str().unwrap();
        assert!(
            message.contains("spool.max_bytes") && message.contains(dir),
            "{message}"
        );
    });
    drop(first);
    assert_eq!(read(&*spooled(&spool, &[b"0123456789"])), b"0123456789");
}

#[test]
fn a_path_that_is_no_directory_is_refused_at_once() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = FileSpool::open(&file, 1).unwrap_err().to_string();
    assert!(
        error.contains("spool.dir") && error.contains("/file"),
        "{error}"
    );
    let made = dir.path().join("made/below");
    let spool = FileSpool::open(&made, 1).unwrap();
    block_on(spool.check()).unwrap();
}

#[test]
fn a_directory_that_was_removed_is_made_again_and_nothing_else_in_its_place_is_used() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("spool");
    let spool = FileSpool::open(&path, 1 << 20).unwrap();
    fs::remove_dir(&path).unwrap();
    block_on(spool.check()).unwrap();
    fs::remove_dir(&path).unwrap();
    assert_eq!(read(&*spooled(&spool, &[b"body"])), b"body");
    fs::remove_dir(&path).unwrap();
    fs::write(&path, b"").unwrap();
    block_on(spool.check()).unwrap_err();
    assert!(block_on(spool.begin()).is_err());
}
