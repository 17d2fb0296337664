//! The commands that run the tests which need more than Rust.

use super::TestSetup;
use crate::step::cargo;
use std::process::Command;

/// Part of the names of the tests that need older versions of Label Studio.
const OLDER_VERSIONS: &str = "older_versions::";

/// Features with which everything is linted and tested. One set, so that what comes from others is compiled
/// once: what it does without `load`, xtask does with it.
pub(crate) const PLAIN: &str = "xtask/load";

/// The same with the back ends of all clouds, of Postgres, and with OpenTelemetry, which are off by default. Nothing but
/// `labelrelay` and the functions differs.
pub(crate) const ALL: &str = "xtask/load,labelrelay/aws,labelrelay/azure,labelrelay/google,labelrelay/nats,labelrelay/otlp,labelrelay/postgres,labelrelay-lambda/otlp,labelrelay-cloud-function/otlp,labelrelay-azure-function/otlp";

impl TestSetup {
    /// The end-to-end tests, all of them one at a time: several load all cores.
    pub(crate) fn tests(&self) -> Command {
        self.e2e_tests(&[
            "--include-ignored",
            "--test-threads=1",
            "--skip",
            OLDER_VERSIONS,
        ])
    }

    /// The tests that `cargo test` leaves out. They wait for other programs half of the time, so two run at once.
    pub(crate) fn long_tests(&self) -> Command {
        self.e2e_tests(&["--ignored", "--test-threads=2", "--skip", OLDER_VERSIONS])
    }

    /// Those with older versions of Label Studio, which a campaign installs.
    pub(crate) fn older_label_studio_tests(&self) -> Command {
        self.e2e_tests(&[
            "--ignored",
            "--test-threads=1",
            "--nocapture",
            OLDER_VERSIONS,
        ])
    }

    fn e2e_tests(&self, options: &[&str]) -> Command {
        // The whole workspace is named, so that its features, hence its crates, are those of `test`.
        let mut tests = cargo(
            "test --workspace --no-fail-fast --features xtask/load --test e2e -- --show-output",
        );
        self.tell(tests.args(options));
        tests
    }

    /// The tests of AWS that need more than Rust, or those with one of `names` in theirs.
    pub(crate) fn aws_tests(&self, names: &[String]) -> [Command; 3] {
        let own = "test --workspace --no-fail-fast --test aws --test lambda --test sam --features xtask/load -- --show-output --ignored";
        [
            self.named(own, names),
            self.serve_tests("aws", names),
            self.exported_tests("lambda", names),
        ]
    }

    /// The tests of Google Cloud that need more than Rust: each starts servers of its own, and loads them.
    pub(crate) fn google_tests(&self, names: &[String]) -> [Command; 3] {
        let own = "test --workspace --no-fail-fast --test google --test cloud_function --features xtask/load -- --test-threads=2 --show-output --ignored";
        [
            self.named(own, names),
            self.serve_tests("google", names),
            self.exported_tests("cloud_function", names),
        ]
    }

    /// The tests of Azure that need more than Rust: each starts an Azurite of its own, and some load it.
    pub(crate) fn azure_tests(&self, names: &[String]) -> [Command; 3] {
        let own = "test --workspace --no-fail-fast --test azure --test azure_function --features xtask/load -- --test-threads=2 --show-output --ignored";
        [
            self.named(own, names),
            self.serve_tests("azure", names),
            self.exported_tests("azure_function", names),
        ]
    }

    /// The tests of Postgres that need more than Rust: each starts a server of its own.
    pub(crate) fn postgres_tests(&self, names: &[String]) -> [Command; 2] {
        let own = "test --workspace --no-fail-fast --test postgres --features xtask/load -- --test-threads=2 --show-output --ignored";
        [self.named(own, names), self.serve_tests("postgres", names)]
    }

    /// The tests of NATS that need more than Rust: each starts a server of its own.
    pub(crate) fn nats_tests(&self, names: &[String]) -> [Command; 2] {
        let own = "test --workspace --no-fail-fast --test nats --features xtask/load -- --test-threads=2 --show-output --ignored";
        [self.named(own, names), self.serve_tests("nats", names)]
    }

    /// Tests of `labelrelay` itself with a cloud's queue and stores. All of the workspace is named with it, so
    /// that nothing but `labelrelay` is compiled again.
    fn serve_tests(&self, cloud: &str, names: &[String]) -> Command {
        let mut tests = cargo("test --workspace --no-fail-fast --test cli");
        tests.args(["--features", ALL]);
        tests.args(["--", "--test-threads=2", "--show-output", "--ignored"]);
        if names.is_empty() {
            tests.arg(format!("clouds::{cloud}::"));
            // In modules of no cloud's own, a test's name begins with its cloud's.
            tests.arg(format!("::{cloud}_"));
        }
        for name in names {
            tests.arg(format!("clouds::{cloud}::{name}"));
        }
        self.tell(&mut tests);
        tests
    }

    /// The tests of a function that is built with OpenTelemetry, some of which need a collector. All of the workspace is
    /// named with it, so that nothing but the functions is compiled again.
    fn exported_tests(&self, target: &str, names: &[String]) -> Command {
        let mut tests = cargo("test --workspace --no-fail-fast");
        tests.args(["--test", target, "--features", ALL]);
        tests.args(["--", "--test-threads=2", "--show-output"]);
        tests.arg("--include-ignored");
        if names.is_empty() {
            tests.arg("exported::");
        }
        for name in names {
            tests.arg(format!("exported::{name}"));
        }
        self.tell(&mut tests);
        tests
    }

    fn named(&self, arguments: &str, names: &[String]) -> Command {
        let mut tests = cargo(arguments);
        self.tell(tests.args(names));
        tests
    }

    /// The tests of what is deployed elsewhere than on AWS: each starts Terraform, a scanner or a build.
    pub(crate) fn infra_tests(&self) -> Command {
        let mut tests = cargo(
            "test --workspace --features xtask/load --test infra -- --test-threads=2 --show-output --ignored",
        );
        self.tell(&mut tests);
        tests
    }
}
