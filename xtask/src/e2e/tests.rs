//! No test of `labelrelay` that needs a cloud's servers is left out by the suites of all clouds.

use crate::paths::root;

/// Those whose suites run tests of `labelrelay` itself.
const CLOUDS: [&str; 5] = ["aws", "azure", "google", "nats", "postgres"];

#[test]
fn each_test_that_needs_servers_is_run_with_its_cloud() {
    let tests = root().join("crates/cli/tests/cli");
    let mut folders = vec![tests.clone()];
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let module = path.strip_prefix(&tests).unwrap().with_extension("");
            let text = std::fs::read_to_string(&path).unwrap();
            for left_out in text.split("#[ignore = \"needs ").skip(1) {
                let (_, name) = left_out.split_once("fn ").unwrap();
                let (name, _) = name.split_once('(').unwrap();
                let is_run = CLOUDS.iter().any(|cloud| {
                    module.starts_with(format!("clouds/{cloud}"))
                        || name.starts_with(&format!("{cloud}_"))
                });
                assert!(
                    is_run,
                    "{}: no suite runs {name}: begin its name with that of its cloud",
                    path.display()
                );
                found += 1;
            }
        }
    }
    assert!(found > 50, "{found}");
}
