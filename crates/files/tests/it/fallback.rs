//! A directory as a fallback.

use bytes::Bytes;
use futures_executor::block_on;
use labelrelay_core::fallback::body_name;
use labelrelay_core::{FallbackStore as _, Payload};
use labelrelay_files::FileFallback;
use labelrelay_testkit::fallback_suite::{
    keeps_bodies_beside_envelopes, keeps_envelopes_until_they_are_removed, lists_more_than_a_page,
    lists_traces_from_a_moment_on,
};
use std::fs::File;
use std::time::{Duration, SystemTime};
use tempfile::tempdir;

#[test]
fn it_passes_the_conformance_suite() {
    let dir = tempdir().unwrap();
    let store = FileFallback::open(dir.path().join("made")).unwrap();
    block_on(keeps_envelopes_until_they_are_removed(&store));
    block_on(keeps_bodies_beside_envelopes(&store));
    block_on(lists_more_than_a_page(&store));
    block_on(lists_traces_from_a_moment_on(&store));
}

#[test]
fn files_of_others_are_left_alone() {
    let dir = tempdir().unwrap();
    std::fs::write(dir.path().join("README"), "not an event").unwrap();
    std::fs::write(dir.path().join(".hidden.json"), "being written").unwrap();
    let store = FileFallback::open(dir.path()).unwrap();
    assert!(block_on(store.list(None, 10)).unwrap().is_empty());
    assert!(block_on(store.get("../secret")).is_err());
}

#[test]
fn an_abandoned_body_without_its_envelope_is_swept() {
    let dir = tempdir().unwrap();
    let store = FileFallback::open(dir.path()).unwrap();
    let put = |key: &str, envelope: bool| {
        let name = body_name(key, "digest");
        let body = Payload::from(Bytes::from_static(b"body"));
        block_on(store.put_body(&name, &body)).unwrap();
        if envelope {
            block_on(store.put(key, Bytes::from_static(b"{}"))).unwrap();
        }
        name
    };
    let (whole, alone, young) = (put("1", true), put("2", false), put("3", false));
    let long_ago = SystemTime::now() - Duration::from_secs(2 * 3600);
    for key in ["1", "2"] {
        let body = File::open(dir.path().join("bodies").join(key)).unwrap();
        body.set_modified(long_ago).unwrap();
    }
    let again = FileFallback::open(dir.path()).unwrap();
    for (name, there) in [(whole, true), (alone, false), (young, true)] {
        let body = block_on(again.get_body(&name)).unwrap();
        assert_eq!(body.is_some(), there, "{name}");
    }
}
