//! A server whose disk is full.

use crate::clouds::queue_server::{self, QueueServer as _};
use crate::clouds::{delivered, ids};
use crate::full_disk::in_a_namespace_of_its_own;
use labelrelay_tests::relay::eventually;
use labelrelay_tests::servers::Postgres;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// No longer than a delivery waits here whose event is not taken. One that is late for another reason is sent again.
const DEADLINE_MS: &str = "3000";

/// What the log says of a disk without room.
const FULL: &str = "free space on the server's disk";

/// A disk of 16 MiB on which the server keeps its tables.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// Mounts it, and has the server make its tables there. The user whom the operating system means by nobody runs it.
    fn of(server: &Postgres) -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        let path = disk.path().display();
        disk.mount("size=16m,mode=700,uid=65534,gid=65534");
        server.sql(&format!("CREATE TABLESPACE small LOCATION '{path}'"));
        server.sql("ALTER DATABASE postgres SET default_tablespace = small");
        disk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn mount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "none"]);
        assert!(mount.arg(self.path()).status().unwrap().success());
    }

    fn grow(&self) {
        self.mount("remount,size=64m");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// Answers as a server does whose disk is full: nobody but root can mount a small one.
const ANSWERS_AS_FULL: &str = r#"
    CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE 'could not extend file "base/5/16384": No space left on device' USING ERRCODE = 'disk_full';
        END
    $$;
    CREATE TRIGGER no_room BEFORE INSERT ON events.events EXECUTE FUNCTION no_room()
"#;

/// No event is lost or stored twice, and deliveries are taken as soon as there is room again.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn a_full_disk_of_the_server_is_503_and_a_line_that_says_so() {
    const TEST: &str =
        "clouds::postgres::full_disk::a_full_disk_of_the_server_is_503_and_a_line_that_says_so";
    let may_mount = rustix::process::geteuid().is_root();
    if may_mount && !in_a_namespace_of_its_own(TEST) {
        return;
    }
    let server = Postgres::start();
    let disk = may_mount.then(|| SmallDisk::of(&server));
    let filling = "x".repeat(200_000);
    let body = |number: u32| format!(r#"{{"id":"full-{number}","x":"{filling}"}}"#).into_bytes();
    queue_server::over(&server, |cloud| {
        let place = cloud.place(DEADLINE_MS);
        let serving = place.serve(&[]);
        let mut accepted = BTreeSet::new();
        let mut deliver = |number: u32| {
            let answer = delivered(&serving, &body(number));
            let is_taken = answer.status == 200;
            if is_taken {
                accepted.insert(answer.member("id").unwrap());
            } else {
                assert_eq!(answer.status, 503, "{}", answer.text());
            }
            is_taken
        };
        eventually("the first event is taken", || deliver(0).then_some(()));
        if disk.is_none() {
            server.sql(ANSWERS_AS_FULL);
        }
        let mut number = 0;
        eventually("the log says that the disk is full", || {
            number += 1;
            let is_full = !deliver(number);
            (is_full && place.read("serve.log").contains(FULL)).then_some(())
        });
        let address = server.address.to_string();
        place.logged(&[address.as_str(), FULL]);
        match &disk {
            Some(disk) => disk.grow(),
            None => drop(server.sql("DROP TRIGGER no_room ON events.events")),
        }
        eventually("there is room again", || deliver(number).then_some(()));
        assert_eq!(serving.stop(), 0);
        let queued = ids(&server.take_all());
        let distinct: BTreeSet<_> = queued.iter().cloned().collect();
        assert_eq!(distinct.len(), queued.len(), "no id is there twice");
        // One that was late may be there, too.
        assert!(accepted.is_subset(&distinct), "what was taken is there");
    });
}
