//! Checks that the two inner crates and the clouds' programs link only what they promise.

use crate::Outcome;
use crate::step::{cargo, output};
use std::collections::BTreeSet;

/// Core knows no async runtime, no web framework, no cloud and no database.
const CORE_NEVER: [&str; 12] = [
    "tokio",
    "async-std",
    "smol",
    "axum",
    "hyper",
    "warp",
    "rusqlite",
    "libsqlite3-sys",
    "reqwest",
    "ring",
    "rustls",
    "openssl",
];
const CORE_NEVER_PREFIXES: [&str; 5] = ["aws-", "lambda_", "google-", "gcloud-", "azure_"];

/// Consumers are promised that the contract costs them these and what these need.
const EVENT_DIRECT: [&str; 4] = ["serde", "serde_json", "sha2", "wide"];

/// A program of one cloud links nothing of another, nor what only `labelrelay` itself needs: the platforms'
/// management clients are among it. By the beginnings
/// of names; `aws-lc`, a TLS library, would be a second one beside ring.
const PROGRAMS_NEVER: [(&str, &[&str]); 5] = [
    (
        // The start of every program knows no cloud and no HTTP.
        "labelrelay-startup",
        &[
            "aws-",
            "lambda_",
            "google-",
            "gcloud-",
            "azure_",
            "hyper",
            "axum",
            "labelrelay-http",
        ],
    ),
    (
        // As it is built by default: the clouds' back ends are features of it.
        "labelrelay",
        &[
            "aws-",
            "lambda_",
            "google-",
            "gcloud-",
            "azure_",
            "typespec",
            "opentelemetry",
            "reqwest",
            "openssl-sys",
            "native-tls",
            "tokio-postgres",
            "async-nats",
        ],
    ),
    (
        // Of AWS, the SDK of SQS alone: see crates/aws/MEASUREMENTS.md.
        "labelrelay-lambda",
        &[
            "aws-config",
            "aws-lc",
            "aws-sdk-s3",
            "aws-sdk-secretsmanager",
            "aws-sdk-ssm",
            "aws-sdk-sso",
            "aws-sdk-sts",
            "google-",
            "gcloud-",
            "azure_",
            "typespec",
            "reqwest",
            "native-tls",
            "rusqlite",
            "libsqlite3-sys",
            // Lambda brings events, not connections.
            "labelrelay-http",
            "labelrelay-files",
            "labelrelay-reconcile",
            "labelrelay-page",
            "labelrelay-archive",
            "labelrelay-otlp",
            "labelrelay-record",
            "labelrelay-consumer",
            "clap",
        ],
    ),
    (
        "labelrelay-cloud-function",
        &[
            "aws-",
            "lambda_",
            "azure_",
            "typespec",
            "rusqlite",
            "libsqlite3-sys",
            "labelrelay-reconcile",
            "labelrelay-page",
            "labelrelay-archive",
            "labelrelay-otlp",
            "labelrelay-record",
            "labelrelay-consumer",
            "clap",
        ],
    ),
    (
        "labelrelay-azure-function",
        &[
            "aws-",
            "lambda_",
            "google-",
            "gcloud-",
            "reqwest",
            "openssl-sys",
            "native-tls",
            "rusqlite",
            "libsqlite3-sys",
            "labelrelay-reconcile",
            "labelrelay-page",
            "labelrelay-archive",
            "labelrelay-otlp",
            "labelrelay-record",
            "labelrelay-consumer",
            "clap",
        ],
    ),
];

/// Lambda's client is hyper's; its server is nobody's there.
const LAMBDA_NEVER_FEATURES: [&str; 3] = [
    "hyper feature \"server\"",
    "hyper-util feature \"server\"",
    "hyper-util feature \"server-auto\"",
];

pub(super) fn check() -> Outcome {
    let core = dependencies("labelrelay-core", &[])?;
    let linked: Vec<_> = core
        .iter()
        .filter(|name| {
            CORE_NEVER.contains(&name.as_str())
                || CORE_NEVER_PREFIXES
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
        })
        .collect();
    if !linked.is_empty() {
        return Err(format!("labelrelay-core links {linked:?}; `cargo tree -p labelrelay-core -e normal -i NAME` says through what").into());
    }
    let event = dependencies("labelrelay-event", &["--depth", "1"])?;
    if event != EVENT_DIRECT.map(String::from).into() {
        return Err(format!(
            "labelrelay-event depends on {event:?}; it may depend on {EVENT_DIRECT:?} only"
        )
        .into());
    }
    println!(
        "labelrelay-core: {} crates, none of a runtime, a web framework, a cloud or a database",
        core.len()
    );
    println!("labelrelay-event: {EVENT_DIRECT:?} and nothing else");
    for (program, never) in PROGRAMS_NEVER {
        let linked = dependencies(program, &[])?;
        let wrong = |name: &&String| never.iter().any(|start| name.starts_with(start));
        let wrong: Vec<_> = linked.iter().filter(wrong).collect();
        if !wrong.is_empty() {
            return Err(format!("{program} links {wrong:?}; `cargo tree -p {program} -e normal -i NAME` says through what").into());
        }
        println!(
            "{program}: {} crates, none that begins with {never:?}",
            linked.len()
        );
    }
    no_server_in_lambda()
}

fn no_server_in_lambda() -> Outcome {
    const PROGRAM: &str = "labelrelay-lambda";
    // As it is released, and as somebody builds it who wants OpenTelemetry.
    for features in ["", "otlp"] {
        let mut command = cargo("tree --locked --edges normal,features --target all --prefix none");
        let lines = output(command.args(["--package", PROGRAM, "--features", features]))?;
        let found = lines.lines().find(|line| {
            LAMBDA_NEVER_FEATURES
                .iter()
                .any(|never| line.starts_with(never))
        });
        if let Some(found) = found {
            return Err(format!("{PROGRAM} links {found}; `cargo tree -p {PROGRAM} -e normal,features -i hyper` says through what").into());
        }
    }
    println!("{PROGRAM}: hyper's client, and not its server");
    Ok(())
}

/// Names of what `package` links on any platform; itself left out.
fn dependencies(package: &str, more: &[&str]) -> Outcome<BTreeSet<String>> {
    let mut command = cargo("tree --locked --edges normal --target all --prefix none --format {p}");
    command.args(["--package", package]);
    let lines = output(command.args(more))?;
    let names = lines
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    Ok(names
        .filter(|name| *name != package)
        .map(str::to_owned)
        .collect())
}
