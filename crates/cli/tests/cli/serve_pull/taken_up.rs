//! A section `[source.pull]` that the configuration gets while `serve` runs is taken up; everything else needs a start.

use super::platform::{Mode, Platform, TOKEN};
use super::{
    annotation_created, assert_each_once, config, deliver, looked_again, place, printed, queued,
};
use crate::support::{Place, until};

/// The configuration before it has the section.
fn without_pull(place: &Place) -> String {
    let whole = place.read("labelrelay.toml");
    let (without, _) = whole.split_once("[source.pull]").unwrap();
    without.to_owned()
}

#[test]
fn a_new_section_is_taken_up_and_whatever_else_changes_is_said() {
    let platform = Platform::start();
    platform.add_task(1, &[11]);
    let place = place(&platform, "sqlite:queue.db");
    let whole = config(&platform, "sqlite:queue.db");
    place.write("labelrelay.toml", without_pull(&place));
    let serving = place.serve(&[]);
    place.replace("labelrelay.toml", &whole);
    until("what is there already came", || queued(&place).len() == 2);
    let log = place.logged(&["has a new [source.pull]: taken up"]);
    assert!(!log.contains("says something else now"), "{log}");

    place.replace("labelrelay.toml", whole.replace("\"1s\"", "\"7s\""));
    place.logged(&["says something else now", "start `labelrelay serve` again"]);
    place.replace("labelrelay.toml", format!("{whole}[[source]]\nname = 1\n"));
    place.logged(&["would not let `serve` start"]);
    // The command line reads it as well.
    place.replace("labelrelay.toml", &whole);
    platform.add_annotation(1, 12);
    until("it goes by what it had read", || queued(&place).len() == 3);
    looked_again(&place);
    assert_each_once(&queued(&place));
    assert_eq!(serving.stop(), 0);
}

#[test]
fn what_is_delivered_after_it_was_taken_up_is_not_sent_again_by_any_queue() {
    let platform = Platform::start();
    platform.add_task(1, &[11]);
    let place = place(&platform, "stdout:");
    place.write("labelrelay.toml", without_pull(&place));
    let serving = place.serve(&[]);
    place.replace("labelrelay.toml", config(&platform, "stdout:"));
    until("what is there already came", || printed(&place).len() == 2);
    platform.set(Mode::Hangs);
    until("a request hangs", || platform.is_waited_for());
    platform.add_annotation(1, 12);
    deliver(&serving, &annotation_created(12, 1));
    // The last delivery is recorded before `serve` ends.
    assert_eq!(serving.stop(), 0);
    assert_eq!(printed(&place).len(), 3);
    platform.set(Mode::Works);
    let serving = place.serve(&[]);
    looked_again(&place);
    assert_eq!(printed(&place), []);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_section_that_cannot_work_is_said_and_taken_up_once_it_is_mended() {
    let platform = Platform::start();
    platform.add_task(1, &[11]);
    let place = place(&platform, "sqlite:queue.db");
    let whole = place.read("labelrelay.toml");
    place.write("labelrelay.toml", without_pull(&place));
    let serving = place.serve(&[]);
    let broken = format!("{whole}token = \"env:NOWHERE_AT_ALL\"\n");
    place.replace("labelrelay.toml", broken);
    place.logged(&["which cannot work", "NOWHERE_AT_ALL is not set"]);
    place.replace("labelrelay.toml", &whole);
    until("what is there already came", || queued(&place).len() == 2);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_section_in_another_file_that_comes_first_now_is_not_taken_up() {
    let platform = Platform::start();
    let place = Place::new()
        .with("LABEL_STUDIO_API_KEY", TOKEN)
        .with("LABELRELAY_ADMIN_LISTEN", "127.0.0.1:0");
    let serving = place.serve(&[]);
    let source = "name = \"label-studio\"\nprovider = \"label-studio\"\nsecret = \"file:.labelrelay/label-studio.secret\"";
    let other = format!(
        "[[source]]\n{source}\n[source.pull]\nevery = \"1s\"\nurl = \"{}\"\n",
        platform.url
    );
    place.replace("labelrelay.toml", other);
    // Its own file is read again once it changes.
    let own = ".labelrelay/labelrelay.toml";
    place.write(own, format!("{}\n# changed\n", place.read(own)));
    let log = place.logged(&["another configuration comes first now"]);
    assert!(!log.contains("[source.pull]: taken up"), "{log}");
    assert_eq!(serving.stop(), 0);
}
