//! The programs that tests run against: each pinned, installed on first use, and told to the tests by
//! an environment variable of its own.

use crate::Outcome;
use crate::npm::FAUXQS;
use crate::python::{CARGO_LAMBDA, CFN_LINT, CHECKOV, LABEL_STUDIO, MINISTACK, SAM, SEAWEEDFS};
use std::path::PathBuf;

/// Variables, each with the path of a program or folder.
pub(crate) type Told = Vec<(&'static str, PathBuf)>;

/// What the end-to-end tests of one machine need.
pub(crate) fn one_machine() -> Outcome<Told> {
    Ok(vec![(
        "LABELRELAY_TEST_LABEL_STUDIO",
        LABEL_STUDIO.ensure()?,
    )])
}

/// What the tests of AWS need besides.
pub(crate) fn aws() -> Outcome<Told> {
    let sam = SAM.ensure()?;
    Ok(vec![
        ("LABELRELAY_TEST_MINISTACK", MINISTACK.ensure()?),
        ("LABELRELAY_TEST_FAUXQS", FAUXQS.ensure()?),
        ("LABELRELAY_TEST_SEAWEEDFS", SEAWEEDFS.ensure()?),
        ("LABELRELAY_TEST_CARGO_LAMBDA", CARGO_LAMBDA.ensure()?),
        ("LABELRELAY_TEST_RIE", runtime_emulator(&sam)?),
        ("LABELRELAY_TEST_SAM", sam),
        ("LABELRELAY_TEST_CFN_LINT", CFN_LINT.ensure()?),
        ("LABELRELAY_TEST_CHECKOV", CHECKOV.ensure()?),
    ])
}

/// The Lambda runtime interface emulator, which lies among the files of the SAM command line.
fn runtime_emulator(sam: &std::path::Path) -> Outcome<PathBuf> {
    let name = match std::env::consts::ARCH {
        "aarch64" => "aws-lambda-rie-arm64",
        _ => "aws-lambda-rie-x86_64",
    };
    let environment = sam
        .ancestors()
        .nth(2)
        .ok_or("sam does not lie in an environment")?;
    for python in std::fs::read_dir(environment.join("lib"))? {
        let program = python?
            .path()
            .join("site-packages/samcli/local/rapid")
            .join(name);
        if program.exists() {
            return Ok(program);
        }
    }
    Err(format!("{} holds no {name}", environment.display()).into())
}
