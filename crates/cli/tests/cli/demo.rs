//! `serve --demo`.

use crate::support::Place;

#[test]
fn it_accepts_what_is_real_refuses_what_is_forged_and_leaves_nothing() {
    let place = Place::new();
    let temporary = place.path("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let place = place.with("TMPDIR", temporary.to_str().unwrap());
    let ran = place.run(&["serve", "--demo"]);
    insta::assert_snapshot!("demo", ran.good());
    assert!(
        ran.stderr.contains("labelrelay demo at http://127.0.0.1:"),
        "{ran:?}"
    );
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
    assert!(!place.path(".labelrelay").exists());
}
