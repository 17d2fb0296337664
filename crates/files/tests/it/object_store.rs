//! The object store in a directory.

use bytes::Bytes;
use futures_executor::block_on;
use labelrelay_core::ObjectStore as _;
use labelrelay_core::object_store::NewObject;
use labelrelay_files::FileObjectStore;
use labelrelay_testkit::object_suite;
use tempfile::TempDir;

#[test]
fn conforms() {
    let dir = TempDir::new().unwrap();
    let store = FileObjectStore::open(dir.path().join("new")).unwrap();
    block_on(async {
        object_suite::an_object_is_created_once(&store).await;
        object_suite::names_are_listed(&store).await;
        object_suite::lists_more_than_a_page(&store).await;
    });
}

#[test]
fn no_name_leads_out_of_the_directory() {
    let dir = TempDir::new().unwrap();
    let store = FileObjectStore::open(dir.path().join("store")).unwrap();
    let long = "x".repeat(300);
    for name in [
        "",
        "..",
        "../x",
        "a/../../x",
        "/etc/x",
        "a//b",
        ".x",
        "a\\b",
        "a\nb",
        &long,
    ] {
        let created = block_on(store.create(name, NewObject::of(Bytes::from_static(b"x"))));
        let error = created.unwrap_err();
        assert!(!error.retryable, "{error}");
        assert!(block_on(store.get(name)).is_err());
        assert!(block_on(store.remove(name)).is_err());
        assert!(block_on(store.replace(name, Bytes::new())).is_err());
    }
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[cfg(unix)]
#[test]
fn links_and_hidden_files_are_not_listed() {
    let dir = TempDir::new().unwrap();
    let store = FileObjectStore::open(dir.path().join("store")).unwrap();
    std::fs::create_dir(dir.path().join("elsewhere")).unwrap();
    std::fs::write(dir.path().join("elsewhere/secret"), "of somebody").unwrap();
    std::os::unix::fs::symlink("../elsewhere", dir.path().join("store/link")).unwrap();
    std::os::unix::fs::symlink("../elsewhere/secret", dir.path().join("store/file")).unwrap();
    std::fs::write(dir.path().join("store/.hidden"), "half").unwrap();
    block_on(store.replace("a/b", Bytes::from_static(b"x"))).unwrap();
    assert_eq!(block_on(store.list("")).unwrap(), ["a/b"]);
}
