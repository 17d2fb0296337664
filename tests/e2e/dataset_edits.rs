//! A dataset beside a real Label Studio whose deliveries come shuffled and some of them twice:
//! `python/tests/dataset_suite.py`.

use crate::python_consumer::edit_a_label_studio;

/// Edits of the test; the campaign makes more of them.
const EDITS: &str = "100";

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e dataset_edits`"]
fn a_dataset_is_equal_in_whatever_order_deliveries_come_and_whatever_is_killed() {
    let _machine = crate::beside_others();
    edit_a_label_studio("dataset_suite.py", EDITS, None);
}
