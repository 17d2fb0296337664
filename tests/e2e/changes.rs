//! Changes of an event do not depend on the language that it is read in.

use crate::changes_differential;

#[test]
fn both_readers_say_the_same_of_what_was_recorded() {
    let tally = changes_differential::run_originals();
    assert_eq!(tally.first, None, "{} differ", tally.differences);
    assert!(tally.changes > 200, "{tally:?}");
}

#[test]
fn both_readers_say_the_same_of_what_is_almost_an_event() {
    let tally = changes_differential::run(20_261_129, 20_000);
    assert_eq!(tally.first, None, "{} differ", tally.differences);
    assert!(tally.changes > 9_000 && tally.errors > 2_000, "{tally:?}");
}
