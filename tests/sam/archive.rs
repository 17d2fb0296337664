//! The archive of a release, from which the function is deployed without a toolchain.

use crate::stack::architecture;
use crate::tool::{output, root};
use labelrelay_tests::servers::{boto3, installed};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Packs the function that was built for tests into `folder`, as a release does; returns the template.
pub(crate) fn pack(folder: &Path) -> PathBuf {
    output(
        Command::new(boto3::python())
            .arg(root().join(".github/function-archive"))
            .arg(installed("LABELRELAY_TEST_LAMBDA"))
            .arg(architecture())
            .arg(folder),
    );
    folder.join("template.yaml")
}
