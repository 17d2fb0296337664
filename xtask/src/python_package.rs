//! `cargo xtask python`: tests of the Python package, and what two type checkers say of it.

use crate::Outcome;
use crate::npm::PYRIGHT;
use crate::paths::{root, target};
use crate::python::PYTHON_PACKAGE;
use crate::runtimes;
use crate::step::status;
use std::path::Path;
use std::process::Command;

/// Checks everything, though one of them fails: each says something else.
pub(crate) fn run(args: &[String]) -> Outcome {
    let python = PYTHON_PACKAGE.ensure()?;
    if !args.is_empty() {
        let mut pytest = Command::new(&python);
        pytest.args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"]);
        return status(pytest.args(args).current_dir(root()));
    }
    let mut mypy = Command::new(&python);
    mypy.args(["-m", "mypy", "--cache-dir", "target/mypy"]);
    let mut pyright = Command::new(runtimes::node()?);
    pyright.arg(PYRIGHT.ensure()?.join("node_modules/pyright/index.js"));
    let checked = [
        ("pytest", tests(&python)),
        ("mypy", status(mypy.current_dir(root()))),
        ("pyright", status(pyright.current_dir(root()))),
    ];
    let failures: Vec<String> = checked
        .into_iter()
        .filter_map(|(name, outcome)| Some(format!("{name}: {}", outcome.err()?)))
        .collect();
    if failures.is_empty() {
        return Ok(());
    }
    Err(failures.join("; ").into())
}

/// Runs all tests, and what failed once more by itself, as those in Rust.
fn tests(python: &Path) -> Outcome {
    let failed = target()?.join("python-tests");
    let pytest = |options: &[&str]| {
        let mut pytest = Command::new(python);
        pytest.args(["-m", "pytest", "--quiet", "-o"]);
        pytest.arg(format!("cache_dir={}", failed.display()));
        pytest.args(options).current_dir(root());
        pytest
    };
    let Err(error) = status(&mut pytest(&["--cache-clear"])) else {
        return Ok(());
    };
    println!("once more, what failed:");
    // Where nothing is known to have failed, none is run, and that is a failure, too.
    let again = ["--last-failed", "--last-failed-no-failures=none", "-rA"];
    status(&mut pytest(&again)).map_err(|_| error)
}

/// Installs what it needs.
pub(crate) fn install() -> Outcome {
    PYTHON_PACKAGE.ensure()?;
    PYRIGHT.ensure()?;
    Ok(())
}
