//! A directory as a fallback.

use futures_executor::block_on;
use labelrelay_core::FallbackStore as _;
use labelrelay_files::FileFallback;
use labelrelay_testkit::fallback_suite::{
    keeps_bodies_beside_envelopes, keeps_envelopes_until_they_are_removed, lists_more_than_a_page,
};
use tempfile::tempdir;

#[test]
fn the_suite() {
    let dir = tempdir().unwrap();
    let store = FileFallback::open(dir.path().join("made")).unwrap();
    block_on(keeps_envelopes_until_they_are_removed(&store));
    block_on(keeps_bodies_beside_envelopes(&store));
    block_on(lists_more_than_a_page(&store));
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
