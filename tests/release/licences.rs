//! Licences of what a program links: every product has them. Those of the images are a test of the Dockerfile.

use crate::files;
use std::process::Command;

/// Crates of all parts of `labelrelay`: each cloud, NATS, Postgres, the embedded queue, TLS.
const OURS: &[&str] = &[
    "async-nats",
    "aws-sdk-sqs",
    "azure_storage_queue",
    "google-cloud-pubsub",
    "libsqlite3-sys",
    "ring",
    "tokio-postgres",
];

#[test]
#[ignore = "needs files of a release: cargo xtask release --dry-run"]
fn every_archive_has_them() {
    let sdist = format!("labelrelay-{}.tar.gz", files::VERSION);
    let products: [(&str, &[&str]); 5] = [
        (".whl", OURS),
        (&sdist, OURS),
        (files::ARCHIVE, OURS),
        (
            "-lambda-x86_64.zip",
            &["aws-sdk-sqs", "lambda_http", "ring"],
        ),
        (
            "-azure-x86_64.zip",
            &["azure_storage_queue", "hyper", "ring"],
        ),
    ];
    for (end, crates) in products {
        let product = files::one(end);
        for (file, words) in [
            ("LICENSE-MIT", "Permission is hereby granted"),
            ("LICENSE-APACHE", "Apache License"),
        ] {
            assert!(files::text_in(&product, file).contains(words), "{end}");
        }
        let texts = files::text_in(&product, "LICENSE-THIRD-PARTY.txt");
        names_all(&texts, crates, end);
    }
}

#[test]
#[ignore = "needs files of a release: cargo xtask release --dry-run"]
fn the_debian_package_has_them_where_debian_looks() {
    let folder = tempfile::tempdir().unwrap();
    let unpacked = Command::new("dpkg-deb")
        .arg("--extract")
        .arg(files::one(".deb"))
        .arg(folder.path())
        .status();
    assert!(unpacked.unwrap().success());
    let copyright = folder.path().join("usr/share/doc/labelrelay/copyright");
    let texts = std::fs::read_to_string(copyright).unwrap();
    assert!(texts.contains("Permission is hereby granted"));
    names_all(&texts, OURS, ".deb");
}

/// A crate stands on a line of its own: name, version, and what it may be used under.
fn names_all(texts: &str, crates: &[&str], product: &str) {
    for name in crates {
        let begin = format!("{name} ");
        let line = texts
            .lines()
            .find(|line| line.starts_with(&begin) && line.ends_with(')'));
        assert!(line.is_some(), "{product} has no licence of {name}");
    }
}
