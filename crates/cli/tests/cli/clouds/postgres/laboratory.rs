//! A few seeds of the fault laboratory with replicas over Postgres, and proof that it can fail.
//!
//! `cargo xtask campaign lab-postgres` runs as many as are wanted, against a release build.

use labelrelay_tests::program;
use std::process::{Command, Output};

fn lab(arguments: &str) -> Output {
    Command::new(program::of_another_package("lab"))
        .arg("--program")
        .arg(env!("CARGO_BIN_EXE_labelrelay"))
        .arg("--replicas")
        .args(arguments.split(' '))
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    said.concat()
}

/// Killed and stopped replicas, ones that are cut off, a database that stops, crashes and hangs, a standby that goes and
/// one that takes over.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn six_seeds_of_three_replicas_break_nothing() {
    let output = lab("--seeds 2..8 --deliveries 800");
    let said = said(&output);
    println!("{said}");
    assert!(output.status.success(), "{said}");
    assert!(said.contains("6 seeds"), "{said}");
}

/// A standby takes over for which no commit had waited.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_laboratory_whose_standby_is_asynchronous_loses_events() {
    let output = lab("--seeds 7..8 --deliveries 800 --sabotage asynchronous");
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("lost: delivery"), "{said}");
    let again = "again with: cargo xtask lab --seed 7 --deliveries 800 --replicas";
    assert!(said.contains(again), "{said}");
}
