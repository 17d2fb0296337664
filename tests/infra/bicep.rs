//! `infra/azure`: that it is Bicep, and that what it asks for has the names that Azure knows.

use crate::tool::{output, root};
use labelrelay_tests::passed_checks::Input;
use labelrelay_tests::servers::installed;
use std::process::Command;

/// Every property of every resource is one that the models of Azure's own management clients have, and every
/// value of an enumeration one of theirs. Types of expressions and references only the compiler knows.
#[test]
#[ignore = "needs the models of Azure's resources: cargo xtask test"]
fn properties_are_those_that_azure_knows() {
    let folder = root().join("infra/azure");
    input("bicep-properties").unless_passed(|| {
        let printed = output(&mut checker(&folder));
        let resources = printed.lines().last().unwrap();
        let count: usize = resources.split(' ').next().unwrap().parse().unwrap();
        assert!(count >= 39, "the check saw the resources: {resources}");
    });
}

#[test]
#[ignore = "needs the models of Azure's resources: cargo xtask test"]
fn mistakes_are_found() {
    input("bicep-mistakes").unless_passed(each_mistake_is_found);
}

fn each_mistake_is_found() {
    for (name, right, wrong) in [
        (
            "events.bicep",
            "allowSharedKeyAccess",
            "allowSharedKeysAccess",
        ),
        ("events.bicep", "'StorageV2'", "'StorageV5'"),
        ("events.bicep", "resource claims ", "resource = "),
        ("reconcile.bicep", "replicaTimeout", "replicaTimeOut"),
        ("reconcile.bicep", "'Schedule'", "'Scheduled'"),
        // In a list that is put together, in a branch, in a map.
        ("reconcile.bicep", "secretRef", "secretReference"),
        ("reconcile.bicep", "{ server:", "{ servers:"),
        ("reconcile.bicep", "}': {}", "}': { id: '' }"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let text = read(name);
        assert!(text.contains(right));
        let file = folder.path().join(name);
        std::fs::write(file, text.replacen(right, wrong, 1)).unwrap();
        let output = crate::tool::run(&mut checker(folder.path()));
        assert!(!output.status.success(), "{wrong}");
    }
}

/// Events in the fallback, and the memory of reconcile, stay until somebody removes them.
#[test]
fn nothing_expires_but_claims() {
    let events = read("events.bicep");
    let prefixes: Vec<_> = events
        .lines()
        .filter(|line| line.contains("prefixMatch:"))
        .map(str::trim)
        .collect();
    assert_eq!(prefixes, ["prefixMatch: ['claims/']"]);
    assert_eq!(events.matches("type: 'Lifecycle'").count(), 1);
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join("infra/azure").join(name)).unwrap()
}

/// The result of the check depends on its script, its models and the files, and on the questions in this one.
fn input(name: &'static str) -> Input {
    let models = installed("LABELRELAY_TEST_AZURE_MODELS");
    Input::new(name, &models, include_str!("bicep.rs"))
        .with(&root().join("tests/infra/bicep_schema.py"))
        .with(&root().join("infra/azure"))
}

fn checker(folder: &std::path::Path) -> Command {
    let mut command = Command::new(installed("LABELRELAY_TEST_AZURE_MODELS"));
    command
        .arg(root().join("tests/infra/bicep_schema.py"))
        .arg(folder);
    command
}
