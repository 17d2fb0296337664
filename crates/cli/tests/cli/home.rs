//! The directory of our own: what stands in its way, and who may look into it.

use crate::support::{Place, mode};
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_first_start_that_cannot_listen_makes_no_secrets() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for words in [
        [
            "serve",
            "--listen",
            &address,
            "--admin-listen",
            "127.0.0.1:0",
        ],
        [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            &address,
        ],
    ] {
        let place = Place::new();
        place
            .run(&words)
            .failed(1, &["is taken by another program", "127.0.0.1:0"]);
        assert!(!place.path(".labelrelay").exists());
    }
    let place = Place::new();
    place
        .run(&["serve", "--listen", "nonsense"])
        .failed(78, &["is not an address"]);
    assert!(!place.path(".labelrelay").exists());
}

#[test]
fn a_directory_that_is_ours_is_made_private_again() {
    let place = Place::new();
    assert_eq!(place.serve(&[]).stop(), 0);
    let home = place.path(".labelrelay");
    fs::set_permissions(&home, Permissions::from_mode(0o755)).unwrap();
    assert_eq!(place.serve(&[]).stop(), 0);
    assert_eq!(mode(&home), 0o700);
    assert!(place.read("serve.log").contains("private again"));
}

#[test]
fn one_that_is_not_ours_keeps_its_mode() {
    let place = Place::new();
    let home = place.path(".labelrelay");
    fs::create_dir(&home).unwrap();
    fs::write(home.join(".gitignore"), "somebody else's\n").unwrap();
    fs::set_permissions(&home, Permissions::from_mode(0o755)).unwrap();
    assert_eq!(place.serve(&[]).stop(), 0);
    assert_eq!(mode(&home), 0o755);
}

#[test]
fn a_file_in_its_place_is_named_with_a_cure() {
    let words = ["is no directory", "move it away"];
    let place = Place::new();
    place.write(".labelrelay", "a file");
    for verb in ["serve", "check"] {
        place.run(&[verb]).failed(78, &words);
    }
    place.run(&["queue", "stats"]).failed(78, &words);
    assert_eq!(place.read(".labelrelay"), "a file");
    let place = place.with("LABELBOX_WEBHOOK_SECRET", "only the environment knows it");
    for verb in ["serve", "check"] {
        place.run(&[verb]).failed(78, &words);
    }
}
