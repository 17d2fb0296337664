//! Passwords by reference.

use crate::setup::postgres;
use labelrelay_core::{EventQueue as _, QueueErrorKind};
use labelrelay_tests::servers::Postgres as Server;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

/// While it is rotated, the next one is in the file beside it, and either of the two may be the server's already.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test"]
async fn a_password_in_a_file_is_rotated() {
    let server = Server::start();
    server.sql("CREATE ROLE relay LOGIN PASSWORD 'the first one'");
    server.sql("GRANT CREATE ON DATABASE postgres TO relay");
    let folder = tempfile::tempdir().unwrap();
    let [file, next] = ["password", "password.rotating"].map(|name| folder.path().join(name));
    let url = server.url("rotated").replace("postgres@", "relay@") + "&password=file:password";
    let connects = async || {
        let queue = postgres(&[]).queue(&url, folder.path()).unwrap();
        queue.check().await
    };
    fs::write(&file, "the first one\n").unwrap();
    connects().await.expect("the password");
    fs::write(&next, "the second one\n").unwrap();
    // One that others may change is not taken.
    fs::set_permissions(&next, Permissions::from_mode(0o600)).unwrap();
    connects().await.expect("the password as before");
    server.sql("ALTER ROLE relay PASSWORD 'the second one'");
    connects().await.expect("the next password");
    fs::remove_file(&next).unwrap();
    let error = connects().await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Denied, "{error}");
    assert!(!error.message.contains("first one"), "{error}");
    fs::write(&file, "the second one\n").unwrap();
    connects().await.expect("the password");
}
