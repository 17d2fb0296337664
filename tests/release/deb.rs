//! The Debian package: installed, run as its service would, removed, purged.

use crate::clean_root::{CleanRoot, demo_ran, said};
use crate::files;
use labelrelay_tests::relay::eventually;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

const UNIT: &str = "/usr/lib/systemd/system/labelrelay.service";

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
#[ignore = "needs files of a release and a root: cargo xtask release --dry-run"]
fn it_installs_a_service_and_leaves_the_queue_when_it_goes() {
    let root = CleanRoot::new();
    root.put(&files::one(".deb"), "/dist");
    let before = root.paths();
    let (demo, took) = root.timed(
        "Debian package: dpkg --install, and the demo",
        "dpkg --install /dist/*.deb >/dev/null; labelrelay serve --demo",
    );
    demo_ran(&demo, took);
    assert_eq!(root.run("dpkg --verify labelrelay"), "");
    assert_eq!(root.run("systemctl is-enabled labelrelay"), "enabled");
    assert!(root.run("id labelrelay").contains("(labelrelay)"));
    root.run("test -s /usr/share/doc/labelrelay/copyright");

    it_serves_as_its_unit_says(&root);

    root.run("dpkg --remove labelrelay");
    let left: Vec<String> = new_paths(&root, &before);
    assert!(
        left.contains(&"/var/lib/labelrelay/.labelrelay/queue.db".to_owned()),
        "{left:?}"
    );
    let others: Vec<_> = left
        .iter()
        .filter(|path| !path.starts_with("/var/lib/labelrelay"))
        .collect();
    assert!(others.is_empty(), "removal left {others:?}");

    root.run("dpkg --purge labelrelay");
    let left = new_paths(&root, &before);
    assert!(left.is_empty(), "a purge left {left:?}");
    root.run("! id labelrelay 2>/dev/null");
}

fn new_paths(root: &CleanRoot, before: &BTreeSet<String>) -> Vec<String> {
    root.paths().difference(before).cloned().collect()
}

/// A setting of the unit.
fn setting(unit: &str, name: &str) -> String {
    let begin = format!("{name}=");
    let line = unit.lines().find_map(|line| line.strip_prefix(&begin));
    line.unwrap_or_else(|| panic!("no {name} in the unit"))
        .to_owned()
}

/// Does what systemd would: makes the directory, starts the program under its account, and waits to be told.
fn it_serves_as_its_unit_says(root: &CleanRoot) {
    let unit = std::fs::read_to_string(root.path(UNIT)).unwrap();
    assert_eq!(setting(&unit, "Type"), "notify");
    assert!(!unit.contains("\nExecReload="), "a hang-up stops it");
    let (user, directory) = (setting(&unit, "User"), setting(&unit, "WorkingDirectory"));
    let state = setting(&unit, "StateDirectory");
    assert_eq!(directory, format!("/var/lib/{state}"));
    root.run(&format!(
        "install -d -m 700 -o {user} -g {user} {directory}"
    ));
    let socket = root.path("/run/notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o666)).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let start = setting(&unit, "ExecStart");
    // A free port, for these tests alone; runuser keeps the rest of the environment.
    let script = format!(
        "cd {directory}; umask 077; exec runuser -u {user} -- {start} --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0"
    );
    let mut service = root
        .command(&script)
        .env("NOTIFY_SOCKET", "/run/notify")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut state = [0; 1024];
    let heard = manager.recv(&mut state);
    if heard.is_err() {
        let _ = service.kill();
        panic!(
            "no word of being ready: {}",
            said(&service.wait_with_output().unwrap())
        );
    }
    let ready = String::from_utf8_lossy(&state[..heard.unwrap()]).into_owned();
    assert!(ready.starts_with("READY=1\n"), "{ready}");
    // `labelrelay send` finds the service's address by itself.
    let sent = root.run(&format!(
        "cd {directory}; runuser -u {user} -- labelrelay send"
    ));
    assert!(sent.contains("accepted"), "{sent}");
    let listed = root.run(&format!(
        "cd {directory}; runuser -u {user} -- labelrelay events list"
    ));
    assert!(listed.contains("com.labelbox.label.created"), "{listed}");
    stop(&service);
    let heard = manager.recv(&mut state).unwrap();
    let stopping = String::from_utf8_lossy(&state[..heard]).into_owned();
    assert!(stopping.starts_with("STOPPING=1"), "{stopping}");
    let status = eventually("the service ends", || service.try_wait().unwrap());
    assert!(status.success(), "{status}");
    std::fs::remove_file(socket).unwrap();
}

/// Asks the program itself, which is the innermost of those that the command line started.
fn stop(service: &std::process::Child) {
    let script = "pid=$1; while child=$(cat /proc/$pid/task/$pid/children); [ -n \"$child\" ]; do pid=${child%% *}; done; kill -TERM $pid";
    let pid = service.id().to_string();
    let done = std::process::Command::new("sh")
        .args(["-ec", script, "sh", &pid])
        .status()
        .unwrap();
    assert!(done.success());
}
