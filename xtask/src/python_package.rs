//! `cargo xtask python`: tests of the Python package, and what two type checkers say of it.

use crate::Outcome;
use crate::npm::PYRIGHT;
use crate::paths::root;
use crate::python::PYTHON_PACKAGE;
use crate::runtimes;
use crate::step::status;
use std::process::Command;

/// Checks everything, though one of them fails: each says something else.
pub(crate) fn run(args: &[String]) -> Outcome {
    let python = PYTHON_PACKAGE.ensure()?;
    let mut pytest = Command::new(&python);
    pytest.args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"]);
    pytest.args(args);
    if !args.is_empty() {
        return status(pytest.current_dir(root()));
    }
    let mut mypy = Command::new(&python);
    mypy.args(["-m", "mypy", "--cache-dir", "target/mypy"]);
    let mut pyright = Command::new(runtimes::node()?);
    pyright.arg(PYRIGHT.ensure()?.join("node_modules/pyright/index.js"));
    let failures: Vec<String> = [("pytest", pytest), ("mypy", mypy), ("pyright", pyright)]
        .into_iter()
        .filter_map(|(name, mut check)| {
            let error = status(check.current_dir(root())).err()?;
            Some(format!("{name}: {error}"))
        })
        .collect();
    if failures.is_empty() {
        return Ok(());
    }
    Err(failures.join("; ").into())
}

/// Installs what it needs.
pub(crate) fn install() -> Outcome {
    PYTHON_PACKAGE.ensure()?;
    PYRIGHT.ensure()?;
    Ok(())
}
