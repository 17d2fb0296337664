//! Terraform in a folder of its own, with the stand-in for its providers.

use crate::tool::{output, root, run};
use labelrelay_tests::servers::installed;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A cloud's configuration below `infra`.
pub(crate) struct Module {
    /// The cloud, by the name of its folder and of its provider.
    pub(crate) cloud: &'static str,
    /// Variable with the Python that has the provider's schema.
    pub(crate) python: &'static str,
    /// Variables without a default.
    pub(crate) set: &'static [&'static str],
}

pub(crate) const GOOGLE: Module = Module {
    cloud: "google",
    python: "LABELRELAY_TEST_TERRAFORM_GOOGLE",
    set: &["project=a-project", "region=europe-west1", "image=image:1"],
};

pub(crate) const AWS: Module = Module {
    cloud: "aws",
    python: "LABELRELAY_TEST_TERRAFORM_AWS",
    // Any file: nothing reads it.
    set: &["package=versions.tf"],
};

/// A module, and what is deployed of it. The stand-in ends with this value.
pub(crate) struct Deployment {
    module: &'static Module,
    folder: TempDir,
    providers: Child,
    reattach: String,
}

/// One operation that the stand-in for the provider carried out.
pub(crate) struct Operation {
    /// `create`, `update` or `delete`.
    pub(crate) what: String,
    pub(crate) kind: String,
    pub(crate) state: Value,
    pub(crate) config: Value,
}

impl Deployment {
    /// Starts the providers and initialises a copy of the configuration.
    pub(crate) fn new(module: &'static Module) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(root().join("infra").join(module.cloud)).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_some_and(|end| end == "tf") {
                let name = file.file_name().unwrap();
                std::fs::copy(&file, folder.path().join(name)).unwrap();
            }
        }
        let mut providers = Command::new(installed(module.python))
            .arg("-B")
            .arg(root().join("tests/infra/stand_in_provider.py"))
            .arg(module.cloud)
            .arg(folder.path().join("journal"))
            // It ends when this pipe does, even if these tests are killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut reattach = String::new();
        BufReader::new(providers.stdout.take().unwrap())
            .read_line(&mut reattach)
            .unwrap();
        let deployment = Self {
            module,
            folder,
            providers,
            reattach,
        };
        output(&mut deployment.terraform("init", &["-input=false"]));
        deployment
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command of Terraform with the variables that have no default.
    pub(crate) fn with_variables(&self, verb: &str, flags: &[&str], set: &[&str]) -> Output {
        let mut command = self.terraform(verb, flags);
        for variable in self.module.set.iter().chain(set) {
            command.args(["-var", variable]);
        }
        run(&mut command)
    }

    /// Deploys, which must succeed.
    pub(crate) fn apply(&self, set: &[&str]) {
        let output = self.with_variables("apply", &["-auto-approve", "-input=false"], set);
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    pub(crate) fn terraform(&self, verb: &str, flags: &[&str]) -> Command {
        let mut command = Command::new(installed("LABELRELAY_TEST_TERRAFORM"));
        command.args([verb, "-no-color"]).args(flags);
        self.surround(&mut command);
        command
    }

    /// Runs `command` where it finds the configuration, and its Terraform the stand-in.
    pub(crate) fn surround(&self, command: &mut Command) {
        command
            .env("TF_REATTACH_PROVIDERS", self.reattach.trim())
            .env("TF_IN_AUTOMATION", "1")
            // Without this, Terraform asks a server for newer versions.
            .env("CHECKPOINT_DISABLE", "1")
            .current_dir(self.folder());
    }

    /// Changes since the last call.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let journal = self.folder().join("journal");
        let text = std::fs::read_to_string(&journal).unwrap();
        // Both sides append; a file that is cut goes on at its new end.
        std::fs::write(&journal, "").unwrap();
        let operation = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            Operation {
                what: line["operation"].as_str().unwrap().to_owned(),
                kind: line["type"].as_str().unwrap().to_owned(),
                state: line["state"].clone(),
                config: line["config"].clone(),
            }
        };
        text.lines().map(operation).collect()
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let _ = self.providers.kill();
        let _ = self.providers.wait();
    }
}
