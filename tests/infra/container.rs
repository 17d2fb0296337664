//! The Dockerfile, without an engine: its `RUN` commands build in a copy of what an image's context holds,
//! and what its last stages copy runs in a root of its own with nothing in it but the libraries that the
//! base image has, as the user that the image names. `cargo xtask campaign images` builds the programs as they are
//! deployed, and weighs them; the tests build them as everything that is tested is built, which takes minutes less.

use crate::dockerfile::{Stage, stage, stages};
use crate::image::{Image, LICENCES, USER, is_root};
use crate::tool::{output, root};
use labelrelay_tests::client::Client;
use labelrelay_tests::program::as_by_hand;
use labelrelay_tests::relay::eventually;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A program, and the most bytes that it may have when deployed.
const BUDGETS: [(&str, u64); 3] = [
    // Each start of an instance reads it.
    ("labelrelay-cloud-function", 12_000_000),
    ("labelrelay-azure-function", 12_000_000),
    // With all clouds' back ends and the embedded queue.
    ("labelrelay", 30_000_000),
];

#[test]
#[ignore = "builds releases for minutes: cargo xtask test"]
fn both_images_hold_a_program_that_runs_there() {
    let stages = stages();
    let built = Built::new(&stages);
    if is_released() {
        built.weigh();
    }

    let serve = Image::of(&stages, "serve", built.path());
    let data = serve.root().join("data");
    if is_root() {
        let owner = format!("{USER}:{USER}");
        output(Command::new("chown").arg(owner).arg(&data));
    }
    let mut running = Running(
        serve
            .command(&["serve", "--log", "json", "--ready-file", "/data/ready"])
            .env("LABELRELAY_QUEUE", "sqlite:///data/queue.db")
            // Loopback alone, where the image says all addresses.
            .env("LABELRELAY_LISTEN", "127.0.0.1:0")
            .env("LABELBOX_WEBHOOK_SECRET", "a-secret-of-this-test-alone")
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap(),
    );
    let address = eventually("the container answers", || {
        assert!(running.0.try_wait().unwrap().is_none(), "it ended");
        std::fs::read_to_string(data.join("ready")).ok()
    });
    let mut client = Client::connect(address.trim().parse().unwrap()).unwrap();
    let ready = client
        .exchange(b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    assert_eq!(ready.status, 200);
    assert!(data.join("queue.db").exists());

    // Without a configuration it says what is missing; that is all that can be asked of it here.
    let function = Image::of(&stages, "cloud-function", built.path());
    let ended = crate::tool::run(&mut function.command(&[]));
    let line: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(78), "{line}");
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("LABELRELAY_CONFIG_TOML"), "{message}");

    serve.has_licences_of(&["aws-sdk-sqs", "azure_storage_queue", "google-cloud-pubsub"]);
    function.has_licences_of(&["google-cloud-pubsub"]);
}

#[test]
fn images_run_as_a_user_that_is_not_root_and_copy_what_is_built() {
    let stages = stages();
    for name in ["cloud-function", "serve"] {
        let stage = stage(&stages, name);
        let user: Vec<_> = stage.all("USER").collect();
        // By number: Kubernetes' runAsNonRoot cannot look names up.
        assert_eq!(user, [format!("{USER}:{USER}")], "{name}");
        let entry: Vec<String> =
            serde_json::from_str(stage.all("ENTRYPOINT").next().unwrap()).unwrap();
        let program = Path::new(&entry[0]).file_name().unwrap().to_str().unwrap();
        assert!(
            stage
                .all("COPY")
                .any(|copy| copy.contains(&format!("/image/{program} "))),
            "{name} copies {program}"
        );
        let licences = format!("/image/licences/{program}/ {LICENCES}/");
        assert!(
            stage.all("COPY").any(|copy| copy.ends_with(&licences)),
            "{name} copies {licences}"
        );
    }
}

/// Manifests for the image hold to what the Dockerfile and the arithmetic of the documents say.
#[test]
fn manifests_fit_the_image() {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap();
    let stages = stages();
    let serve = stage(&stages, "serve");
    let port = serve.all("EXPOSE").next().unwrap();
    let health = serve.all("HEALTHCHECK").next().unwrap();
    assert!(health.contains(r#""status", "--ready""#), "{health}");
    let documented = read("docs/container.md");
    assert!(documented.contains("448Mi leaves room"));

    let kubernetes = read("packaging/kubernetes.yaml");
    for line in [
        "replicas: 1 ",
        "limits: { memory: 448Mi }",
        "readOnlyRootFilesystem: true",
        "runAsNonRoot: true",
        &format!("fsGroup: {USER}"),
        &format!("containerPort: {port}"),
        &format!("path: /-/ready, port: {port}"),
        "mountPath: /data",
        "file:///data/claims",
        "ReadWriteOncePod",
        "terminationGracePeriodSeconds: 15",
    ] {
        assert!(kubernetes.contains(line), "{line}");
    }
    assert!(
        !kubernetes.contains("livenessProbe"),
        "a restart would not help"
    );

    let compose = read("packaging/compose.yaml");
    for line in [
        "mem_limit: 448m",
        "read_only: true",
        "stop_grace_period: 15s",
        &format!(":{port}\""),
        ":/data\"",
    ] {
        assert!(compose.contains(line), "{line}");
    }
}

/// Fills `folder` with what `COPY . .` copies: what is checked in, less what `.dockerignore` names. Each file is
/// as old as in the work tree, because cargo goes by that, and takes a package here for the same as there.
fn fill(folder: &Path) {
    let ignored = std::fs::read_to_string(root().join(".dockerignore")).unwrap();
    let ignored: Vec<&str> = ignored
        .lines()
        .filter_map(|line| line.strip_prefix('/'))
        .collect();
    let listed = output(Command::new("git").args(["ls-files"]).current_dir(root()));
    let mut there = BTreeSet::new();
    for file in listed.lines() {
        let first = file.split('/').next().unwrap();
        // A file that was deleted in the work tree is still listed.
        if ignored.contains(&first) || !root().join(file).exists() {
            continue;
        }
        let to = folder.join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(root().join(file), &to).unwrap();
        let changed = root().join(file).metadata().unwrap().modified().unwrap();
        File::options()
            .append(true)
            .open(&to)
            .unwrap()
            .set_modified(changed)
            .unwrap();
        there.insert(to);
    }
    remove_others(folder, &there);
}

/// Removes the files below `folder` that are not among `kept`.
fn remove_others(folder: &Path, kept: &BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            remove_others(&path, kept);
        } else if !kept.contains(&path) {
            std::fs::remove_file(path).unwrap();
        }
    }
}

/// Output of the build stage, in its folder `/image`.
struct Built(tempfile::TempDir);

impl Built {
    /// Runs the stage's commands in what an image is built from.
    ///
    /// Its output lies in the target directory that these tests lie in themselves, where most of it was compiled
    /// before; a cargo that knows no build directory compiles it again.
    fn new(stages: &[Stage]) -> Self {
        let tests = std::env::current_exe().unwrap();
        let shared = tests.ancestors().nth(3).unwrap();
        let target = shared.join("container");
        let (context, image) = (target.join("context"), tempfile::tempdir().unwrap());
        std::fs::create_dir_all(&context).unwrap();
        fill(&context);
        for command in stage(stages, "build").all("RUN") {
            let command = if is_released() {
                command.to_owned()
            } else {
                as_tested(command)
            };
            let command = command
                .replace("/target/", &format!("{}/", target.display()))
                .replace("/image", &image.path().display().to_string());
            let mut run = Command::new("sh");
            run.args(["-ec", &command])
                .env("CARGO_TARGET_DIR", &target)
                .env("CARGO_BUILD_BUILD_DIR", shared)
                // The compiler of these tests, not one that a file in the context could name.
                .env_remove("RUSTUP_TOOLCHAIN")
                .stderr(Stdio::inherit())
                .current_dir(&context);
            as_by_hand(&mut run);
            output(&mut run);
        }
        Self(image)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn weigh(&self) {
        for (program, budget) in BUDGETS {
            let bytes = self.path().join(program).metadata().unwrap().len();
            println!("{program}: {bytes} of {budget} bytes");
            assert!(
                bytes <= budget,
                "{program} has {bytes} bytes, and its budget is {budget}"
            );
        }
    }
}

/// Tells whether the programs are built as they are deployed.
fn is_released() -> bool {
    std::env::var_os("LABELRELAY_TEST_IMAGES").is_some_and(|build| build == "released")
}

/// A command of the build stage, with the profile and the features of the tests. Cargo then finds what comes from
/// others compiled.
fn as_tested(command: &str) -> String {
    let mut tested = command.to_owned();
    for (program, _) in BUDGETS {
        let package = format!(" --package {program} ");
        assert!(tested.contains(&package), "{program} is built: {command}");
        tested = tested.replacen(&package, " ", 1);
    }
    // It writes the licences.
    tested = tested.replacen(" --package xtask ", " ", 1);
    // Of both builds, or the second would put a `labelrelay` there that knows no cloud.
    let (_, features) = command.split_once(" --features ").unwrap();
    let features = features.split(' ').next().unwrap();
    let all = format!(" --workspace --bins --features xtask/load,{features}");
    for profile in [" --release", " --profile function"] {
        assert!(tested.contains(profile), "{profile}: {command}");
        tested = tested.replacen(profile, &all, 1);
    }
    tested
        .replace("/release/", "/debug/")
        .replace("/function/", "/debug/")
}

/// Ends with its value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
