//! Files that a secret is kept in: who gets at them, and what is no file.

use crate::support::Place;

const PLAIN: &str = "example-secret-0123456789";

fn with_secret(name: &str) -> Place {
    let place = Place::new();
    place.write(
        "labelrelay.toml",
        format!(
            "queue='sqlite:q.db'\n[[source]]\nname='a'\nprovider='labelbox'\nsecret='file:{name}'\n"
        ),
    );
    place
}

#[test]
fn a_secret_file_that_others_get_at_is_a_warning_with_its_cure() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = with_secret("secret");
    let file = place.write("secret", PLAIN);
    for (mode, word) in [
        (0o644, "others can read the secret file"),
        (0o604, "others can read the secret file"),
        (0o620, "others can change the secret file"),
        (0o666, "others can read and change the secret file"),
    ] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let cure = format!("chmod 600 {}", file.display());
        place.run(&["status"]).failed(0, &[word, &cure]);
        assert_eq!(place.serve(&[]).stop(), 0);
        assert!(place.read("serve.log").contains(word));
    }
    for mode in [0o600, 0o400, 0o640] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let ran = place.run(&["status"]);
        ran.good();
        assert_eq!(ran.stderr, "", "{mode:o}");
    }
}

#[test]
fn a_path_that_is_no_file_is_an_error_and_no_wait() {
    for (name, word) in [
        ("pipe", "a named pipe"),
        ("socket", "a socket"),
        ("folder", "a directory"),
        ("/dev/zero", "a device"),
        ("/dev/null", "a device"),
        ("large", "more than 65536 bytes"),
    ] {
        let place = with_secret(name);
        let path = place.path(name);
        let _listener;
        match name {
            "pipe" => {
                let made = std::process::Command::new("mkfifo").arg(&path).status();
                assert!(made.unwrap().success());
            }
            "socket" => _listener = std::os::unix::net::UnixListener::bind(&path).unwrap(),
            "folder" => std::fs::create_dir(&path).unwrap(),
            "large" => drop(place.write(name, vec![b'x'; 70_000])),
            _ => {}
        }
        for verb in ["status", "serve"] {
            place.run(&[verb]).failed(78, &["secret file", name, word]);
        }
        let reference = format!("file:{name}");
        place
            .run(&[
                "verify",
                "--authorization",
                "Bearer x",
                "--secret",
                &reference,
            ])
            .failed(78, &[word]);
    }
}
