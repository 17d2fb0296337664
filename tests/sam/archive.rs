//! The archive of a release, from which the function is deployed without a toolchain.

use crate::stack::architecture;
use crate::tool::{output, root};
use labelrelay_tests::servers::{boto3, installed};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Puts the archive's files into `folder`; returns the template. Without an archive, the function that was built for
/// tests is packed as a release packs it.
pub(crate) fn pack(folder: &Path) -> PathBuf {
    let mut python = Command::new(boto3::python());
    match std::env::var_os("LABELRELAY_TEST_LAMBDA_ARCHIVE") {
        Some(archive) => python
            .args(["-m", "zipfile", "--extract"])
            .arg(archive)
            .arg(folder),
        None => python
            .arg(root().join("packaging/pack_lambda.py"))
            .arg(installed("LABELRELAY_TEST_LAMBDA"))
            .arg(architecture())
            .arg(folder),
    };
    output(&mut python);
    folder.join("template.yaml")
}
