//! A few seeds of the fault laboratory, and proof that it can fail.
//!
//! `cargo xtask lab` runs as many as are wanted, against a release build.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use labelrelay_tests::program;
use std::process::{Command, Output};

fn lab(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .arg("--program")
        .arg(program::labelrelay())
        .args(arguments.split(' '))
        .output()
        .expect("the laboratory runs")
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn twelve_seeds_break_nothing() {
    let output = lab("--seeds 0..12 --deliveries 800");
    let said = said(&output);
    println!("{said}");
    assert!(output.status.success(), "{said}");
    assert!(said.contains("12 seeds"), "{said}");
    assert!(!said.contains(" 0 derived events"), "{said}");
}

/// A laboratory server that breaks a promise is found out, and the seed is named.
#[test]
fn every_sabotage_is_noticed() {
    for (sabotage, seeds, violations) in [
        ("early", "0..6", "lost: delivery"),
        ("drop", "0..12", "lost: delivery"),
        ("swallow", "0..12", "lost: delivery"),
        ("flip", "0..6", "changed:"),
        ("forge", "0..6", "forged: delivery"),
        // No clock jumps here, which would allow it.
        ("twice", "7..8", "twice: delivery"),
        ("merge", "7..8", "lost: delivery"),
        // The queue's file is taken away in these, and the process asked to stop in that.
        ("blind", "12..14", "lost: delivery"),
        ("hasty", "3..4", "silence: delivery"),
        // Derived events are on in this one.
        ("forget", "7..8", ", is not in the queue"),
        ("echo", "7..8", "no event in the queue demands this one"),
    ] {
        let output = lab(&format!(
            "--seeds {seeds} --deliveries 1200 --sabotage {sabotage}"
        ));
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{sabotage}: {said}");
        assert!(said.contains(violations), "{sabotage}: {said}");
        assert!(
            said.contains("again with: cargo xtask lab --seed "),
            "{sabotage}: {said}"
        );
    }
}
