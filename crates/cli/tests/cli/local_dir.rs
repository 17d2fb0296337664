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
    for verb in ["serve", "status"] {
        place.run(&[verb]).failed(78, &words);
    }
    place.run(&["queue", "stats"]).failed(78, &words);
    assert_eq!(place.read(".labelrelay"), "a file");
    let place = place.with("LABELBOX_WEBHOOK_SECRET", "only the environment knows it");
    for verb in ["serve", "status"] {
        place.run(&[verb]).failed(78, &words);
    }
}

/// Whoever owns the directory knows the secrets in it. Only root can play two users.
#[test]
fn another_users_directory_is_not_used() {
    let place = Place::new();
    let home = place.path(".labelrelay");
    fs::create_dir(&home).unwrap();
    if std::os::unix::fs::chown(&home, Some(12_345), None).is_err() {
        // Not root: another user's directory that is there anyway.
        fs::remove_dir(&home).unwrap();
        return;
    }
    let words = [
        "belongs to user 12345",
        "--user 12345",
        "chown -R",
        "--config",
    ];
    for verb in ["serve", "status"] {
        place.run(&[verb]).failed(78, &words);
    }
    place.run(&["queue", "stats"]).failed(78, &words);
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
}

#[test]
fn a_directory_that_others_write_is_not_used() {
    let place = Place::new();
    assert_eq!(place.serve(&[]).stop(), 0);
    let home = place.path(".labelrelay");
    for mode in [0o777, 0o775, 0o722] {
        fs::set_permissions(&home, Permissions::from_mode(mode)).unwrap();
        for verb in ["serve", "status"] {
            place
                .run(&[verb])
                .failed(78, &["can be written by others", "chmod 700"]);
        }
    }
    fs::set_permissions(&home, Permissions::from_mode(0o700)).unwrap();
    assert_eq!(place.serve(&[]).stop(), 0);
}

#[test]
fn no_link_is_followed_and_nothing_behind_one_is_touched() {
    use std::os::unix::fs::symlink;
    let victim = |place: &Place| place.write("victim", "of somebody else");
    // In place of the directory.
    let place = Place::new();
    fs::create_dir(place.path("elsewhere")).unwrap();
    symlink(place.path("elsewhere"), place.path(".labelrelay")).unwrap();
    for verb in ["serve", "status"] {
        place
            .run(&[verb])
            .failed(78, &[".labelrelay is a link", "--config FILE"]);
    }
    assert_eq!(fs::read_dir(place.path("elsewhere")).unwrap().count(), 0);
    // In place of a file in it.
    for name in [
        ".gitignore",
        "labelrelay.toml",
        "labelbox.secret",
        "label-studio.secret",
    ] {
        let place = Place::new();
        let victim = victim(&place);
        fs::create_dir(place.path(".labelrelay")).unwrap();
        fs::set_permissions(place.path(".labelrelay"), Permissions::from_mode(0o700)).unwrap();
        symlink(&victim, place.path(".labelrelay").join(name)).unwrap();
        place.run(&["serve"]).failed(78, &[name, "is a link"]);
        assert_eq!(place.read("victim"), "of somebody else", "{name}");
    }
    // In place of a file that is about to be made: the link goes, what it leads to stays.
    for name in ["labelbox.secret.new", "labelrelay.toml.new"] {
        let place = Place::new();
        let victim = victim(&place);
        fs::create_dir(place.path(".labelrelay")).unwrap();
        fs::set_permissions(place.path(".labelrelay"), Permissions::from_mode(0o700)).unwrap();
        symlink(&victim, place.path(".labelrelay").join(name)).unwrap();
        assert_eq!(place.serve(&[]).stop(), 0);
        assert_eq!(place.read("victim"), "of somebody else", "{name}");
        assert_eq!(place.read(".labelrelay/labelbox.secret").len(), 40);
    }
}

#[test]
fn a_pipe_in_the_directory_is_an_error_and_no_wait() {
    for name in [".gitignore", "labelrelay.toml", "labelbox.secret"] {
        let place = Place::new();
        fs::create_dir(place.path(".labelrelay")).unwrap();
        fs::set_permissions(place.path(".labelrelay"), Permissions::from_mode(0o700)).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(place.path(".labelrelay").join(name))
            .status();
        assert!(made.unwrap().success());
        place
            .run(&["serve", "--listen", "127.0.0.1:0"])
            .failed(78, &[name, "is no file"]);
    }
}

/// Git keeps links, so a clone may bring a directory that is this user's, and links in it that are not.
#[test]
fn nothing_is_written_through_a_link_in_place_of_a_file_of_the_queue() {
    use std::os::unix::fs::symlink;
    for name in ["queue.db", "queue.db.lock", "queue.db.reserve"] {
        for empty in [true, false] {
            let place = Place::new();
            let contents = if empty { "" } else { "of somebody else" };
            let victim = place.write("victim", contents);
            fs::create_dir(place.path(".labelrelay")).unwrap();
            symlink(&victim, place.path(".labelrelay").join(name)).unwrap();
            place
                .run(&["serve", "--listen", "127.0.0.1:0"])
                .failed(78, &[name, "is a link"]);
            assert_eq!(place.read("victim"), contents, "{name}");
        }
    }
    // The address is for `send` alone, and no reason not to serve.
    for hard in [false, true] {
        let place = Place::new();
        let victim = place.write("victim", "of somebody else");
        let address = place.path(".labelrelay/queue.db.address");
        fs::create_dir(place.path(".labelrelay")).unwrap();
        if hard {
            fs::hard_link(&victim, address).unwrap();
        } else {
            symlink(&victim, address).unwrap();
        }
        let serving = place.serve(&[]);
        place.logged(&["will not find this relay"]);
        assert_eq!(serving.stop(), 0);
        assert_eq!(place.read("victim"), "of somebody else");
    }
}

/// The record answers questions, and is no reason not to serve.
#[test]
fn nothing_is_written_through_a_link_in_place_of_a_file_of_the_record() {
    use std::os::unix::fs::symlink;
    for (ending, words) in [
        ("", "is a link"),
        ("-journal", "is a link"),
        ("-wal", "is a link"),
        ("-shm", "is a link"),
        (".lock", "is a link"),
        (".token", "is a link"),
        (".journal", "is a directory"),
    ] {
        // No answer is late because a machine is busy.
        let place = Place::new().with("LABELRELAY_DEADLINE_MS", "10000");
        let victim = place.write("victim", "of somebody else");
        fs::create_dir(place.path(".labelrelay")).unwrap();
        let name = format!(".labelrelay/queue.db.record{ending}");
        symlink(&victim, place.path(&name)).unwrap();
        let serving = place.serve(&[]);
        place
            .run(&["send", "--to", &serving.url("labelbox")])
            .good();
        place.logged(&["queue.db.record", words]);
        assert_eq!(serving.stop(), 0);
        assert_eq!(place.read("victim"), "of somebody else", "{name}");
    }
}
