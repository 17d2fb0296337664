//! The contract's `AsyncAPI` document, read by the official parser.

use labelrelay_tests::contract;
use labelrelay_tests::servers::installed;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
#[ignore = "needs the AsyncAPI parser: run it with `cargo xtask e2e`"]
fn the_official_parser_finds_nothing_wrong_with_the_asyncapi_document() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/contract/parse.cjs");
    let output = Command::new(installed("LABELRELAY_TEST_NODE"))
        .arg(script)
        .arg(installed("LABELRELAY_TEST_ASYNCAPI"))
        .arg(contract::folder().join("asyncapi.json"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // The parser resolved each reference to another file, or there would be fewer.
    assert_eq!(said.trim(), "13 messages, 0 found wrong");
}
