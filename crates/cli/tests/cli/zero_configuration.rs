//! Zero configuration.

use crate::support::{Place, mode};

#[test]
fn the_first_start_makes_a_directory_that_nobody_else_reads() {
    let place = Place::new();
    let serving = place.serve(&[]);
    assert_eq!(mode(&place.path(".labelrelay")), 0o700);
    for file in [
        "labelbox.secret",
        "label-studio.secret",
        "labelrelay.toml",
        ".gitignore",
        "queue.db",
    ] {
        assert_eq!(
            mode(&place.path(&format!(".labelrelay/{file}"))),
            0o600,
            "{file}"
        );
    }
    assert_eq!(place.read(".labelrelay/.gitignore"), "*\n");
    let secret = place.read(".labelrelay/labelbox.secret");
    assert!(
        secret.len() >= 32 && secret.bytes().all(|b| b.is_ascii_alphanumeric()),
        "{}",
        secret.len()
    );
    assert_ne!(secret, place.read(".labelrelay/label-studio.secret"));
    assert_eq!(serving.stop(), 0);

    // Not at a terminal: the files are named, the secrets are not shown.
    let log = place.read("serve.log");
    assert!(
        !log.contains(&secret) && log.contains("labelbox.secret"),
        "{log}"
    );
    assert!(
        log.contains("Workspace settings → Webhooks") && log.contains("/labelbox"),
        "{log}"
    );
    assert!(
        log.contains("Payload URL") && log.contains("Authorization = Bearer"),
        "{log}"
    );
}

#[test]
fn the_second_start_keeps_secrets_and_events() {
    // No answer is late because a machine is busy.
    let place = Place::new().with("LABELRELAY_DEADLINE_MS", "10000");
    let first = place.serve(&[]);
    let secrets =
        ["labelbox", "label-studio"].map(|name| place.read(&format!(".labelrelay/{name}.secret")));
    place.run(&["send", "--to", &first.url("labelbox")]).good();
    assert_eq!(first.stop(), 0);
    let second = place.serve(&[]);
    assert_eq!(
        secrets,
        ["labelbox", "label-studio"].map(|name| place.read(&format!(".labelrelay/{name}.secret")))
    );
    place
        .run(&[
            "send",
            "--to",
            &second.url("label-studio"),
            "--event",
            "task.created",
        ])
        .good();
    let listed = place.run(&["events", "list", "--json"]);
    let types: Vec<_> = listed
        .json()
        .iter()
        .map(|row| row["type"].clone())
        .collect();
    assert_eq!(
        types,
        ["com.labelbox.label.created", "io.labelstud.task.created"]
    );
}

#[test]
fn two_starts_at_once_agree() {
    let place = Place::new();
    let mut first = place.command(&["serve", "--listen", "127.0.0.1:0", "--ready-file", "ready"]);
    let mut second = place.command(&["serve", "--listen", "127.0.0.1:0", "--ready-file", "ready"]);
    let (mut first, mut second) = (
        first.stderr(std::process::Stdio::null()).spawn().unwrap(),
        second.stderr(std::process::Stdio::null()).spawn().unwrap(),
    );
    // One owns the queue, the other one ends; whichever it is.
    let loser = loop {
        if let Some(status) = first.try_wait().unwrap() {
            break status;
        }
        if let Some(status) = second.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert_eq!(loser.code(), Some(1));
    while !place.path("ready").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    for child in [&mut first, &mut second] {
        let _ = child.kill();
        child.wait().unwrap();
    }
    place.run(&["status"]).good();
}

#[test]
fn an_environment_alone_is_a_configuration() {
    let place = Place::new().with("LABELBOX_WEBHOOK_SECRET", "only the environment knows it");
    let serving = place.serve(&[]);
    place
        .run(&["send", "--to", &serving.url("labelbox")])
        .good();
    assert!(!place.path(".labelrelay/labelrelay.toml").exists());
    assert_eq!(mode(&place.path(".labelrelay")), 0o700);
    assert_eq!(place.run(&["events", "list", "--json"]).json().len(), 1);
}
