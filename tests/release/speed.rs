//! Times that the program takes to say its help, and to be ready, beside a program that does nothing.

use crate::files;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 31;
const HELP: Duration = Duration::from_millis(20);
const READY: Duration = Duration::from_millis(50);

/// Most that a program which does nothing takes on a machine of which those are asked. A slower one has as much more time.
const NOTHING: Duration = Duration::from_millis(2);

#[test]
#[ignore = "needs files of a release: cargo xtask release --dry-run"]
fn it_starts_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let archive = files::one(files::ARCHIVE);
    let unpacked = Command::new("tar")
        .args(["--extract", "--gzip", "--strip-components=1", "--file"])
        .arg(&archive)
        .arg("--directory")
        .arg(folder.path())
        .status();
    assert!(unpacked.unwrap().success());
    let program = folder.path().join("labelrelay");
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    // In turns, so that whatever else the machine does meets all of them.
    for _ in 0..ROUNDS {
        times[0].push(ends(Command::new("true")));
        let mut help = Command::new(&program);
        help.arg("--help");
        times[1].push(ends(help));
        times[2].push(ready(&program));
    }
    let [nothing, help, ready] = times.map(median);
    println!("medians of {ROUNDS}: true {nothing:?}, --help {help:?}, serve ready {ready:?}");
    if files::are_released() {
        let slower = (nothing.as_secs_f64() / NOTHING.as_secs_f64()).max(1.0);
        assert!(help <= HELP.mul_f64(slower), "{help:?}");
        assert!(ready <= READY.mul_f64(slower), "{ready:?}");
    }
}

fn ends(mut command: Command) -> Duration {
    let begun = Instant::now();
    let status = command.stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
    begun.elapsed()
}

/// The first start in a directory, which makes configuration, secrets and queue.
fn ready(program: &Path) -> Duration {
    let place = tempfile::tempdir().unwrap();
    let socket = place.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let begun = Instant::now();
    let mut serve = Command::new(program)
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ])
        .current_dir(place.path())
        .env_clear()
        .env("NOTIFY_SOCKET", &socket)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let heard = manager.recv(&mut [0; 256]);
    let took = begun.elapsed();
    let _ = serve.kill();
    serve.wait().unwrap();
    heard.unwrap();
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
