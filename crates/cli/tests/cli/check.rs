//! `check`.

use crate::support::configured;

#[test]
fn a_good_configuration_is_good_and_nothing_is_made() {
    let place = configured();
    assert!(
        place
            .run(&["check"])
            .good()
            .starts_with("good: labelrelay.toml")
    );
    let ran = place.run(&["check", "--json"]);
    assert_eq!(ran.json()[0]["ok"], true);
    assert_eq!(
        ran.json()[0]["sources"],
        serde_json::json!(["labelbox", "label-studio"])
    );
    assert!(!place.path("queue.db").exists());
}

#[test]
fn a_short_secret_is_a_warning() {
    let place = configured();
    place.write("labelbox.secret", "example_secret");
    let ran = place.run(&["check"]);
    ran.good();
    assert!(ran.stderr.contains("has 14 bytes"), "{ran:?}");
    assert!(!ran.stderr.contains("example_secret"));
}

#[test]
fn it_works_beside_a_running_serve() {
    let place = configured();
    let serving = place.serve(&[]);
    place.run(&["check"]).good();
    assert_eq!(serving.stop(), 0);
}
