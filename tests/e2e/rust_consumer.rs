//! The consumer in Rust over the embedded queue, beside a `serve` that takes deliveries and a real Label Studio:
//! `crates/consumer/examples/keep_copy.rs`, as the workers of `python/tests/label_studio_suite.py`.

use crate::python_consumer::edit_a_label_studio;
use labelrelay_tests::program;

/// Edits of the test; the campaign makes more of them.
const EDITS: &str = "100";

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e rust_consumer`"]
fn a_copy_of_a_real_label_studio_is_its_export() {
    let _machine = crate::beside_others();
    let worker = program::example_of_another_package("keep_copy");
    edit_a_label_studio("label_studio_suite.py", EDITS, Some(&worker));
}
