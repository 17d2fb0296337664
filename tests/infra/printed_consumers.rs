//! The consumers that the documents of the clouds print, run as printed, over a queue with what a platform sends:
//! `publish_changes.py` says what that is.

use crate::tool::{output, root, run};
use labelrelay_tests::azure::sas::ACCOUNT;
use labelrelay_tests::servers::{Azurite, FakeGcs, Ministack, PubSub, boto3, installed};
use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "needs MiniStack and boto3: cargo xtask test"]
fn the_printed_consumer_over_sqs() {
    let ministack = Ministack::start();
    Cloud {
        document: "docs/aws.md",
        python: &boto3::python(),
        name: "aws",
        environment: ministack.environment(),
    }
    .ends_where_the_platform_is();
}

#[test]
#[ignore = "needs Google's emulators and clients: cargo xtask test"]
fn the_printed_consumer_over_pubsub() {
    let (pubsub, gcs) = (PubSub::start(), FakeGcs::start());
    let mut environment = pubsub.environment();
    environment.extend(gcs.environment());
    // The client asks for one, and the emulator takes any.
    let project = "labelrelay-printed".to_owned();
    environment.push(("GOOGLE_CLOUD_PROJECT".to_owned(), project));
    Cloud {
        document: "docs/google.md",
        python: &installed("LABELRELAY_TEST_GOOGLE_PYTHON"),
        name: "google",
        environment,
    }
    .ends_where_the_platform_is();
}

#[test]
#[ignore = "needs Azurite and Azure's clients: cargo xtask test"]
fn the_printed_consumer_over_a_storage_queue() {
    let azurite = Azurite::start();
    let environment = [
        (
            "AZURE_STORAGE_CONNECTION_STRING",
            azurite.connection_string(),
        ),
        ("ACCOUNT", ACCOUNT.to_owned()),
    ];
    Cloud {
        document: "docs/azure.md",
        python: &installed("LABELRELAY_TEST_AZURE_PYTHON"),
        name: "azure",
        environment: environment
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
    }
    .ends_where_the_platform_is();
}

struct Cloud<'c> {
    document: &'static str,
    /// The Python that has the cloud's clients.
    python: &'c Path,
    /// Its name in `publish_changes.py`.
    name: &'static str,
    environment: Vec<(String, String)>,
}

impl Cloud<'_> {
    fn ends_where_the_platform_is(&self) {
        let folder = tempfile::tempdir().unwrap();
        let published = output(self.python().args([
            root().join("tests/infra/publish_changes.py").as_path(),
            Path::new(self.name),
        ]));
        let places: Vec<&str> = published.split_whitespace().collect();
        std::fs::write(folder.path().join("consumer.py"), printed(self.document)).unwrap();
        for expected in [
            "7 events, 2 annotations and labels\n",
            // It remembers, and nothing is left.
            "0 events, 2 annotations and labels\n",
        ] {
            let mut consumer = self.python();
            consumer
                .arg("consumer.py")
                .args(&places)
                .current_dir(folder.path());
            let said = run(&mut consumer);
            let errors = String::from_utf8_lossy(&said.stderr);
            assert!(said.status.success() && errors.is_empty(), "{errors}");
            assert_eq!(String::from_utf8_lossy(&said.stdout), expected);
        }
    }

    /// Python with the package of this tree, and this cloud.
    fn python(&self) -> Command {
        let mut command = Command::new(self.python);
        command
            .env("PYTHONPATH", root().join("python"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The block of Python in a document that begins with the consumer's name.
fn printed(document: &str) -> String {
    let text = std::fs::read_to_string(root().join(document)).unwrap();
    let block = &text[text.find("# consumer.py").unwrap()..];
    block[..block.find("\n```").unwrap()].to_owned()
}
