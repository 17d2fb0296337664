//! Bodies that are too large for the memory, through the real program.

use crate::support::{Place, Serving, configured};
use labelrelay_core::signature::sign_sha1;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

const SECRET: &[u8] = b"a secret of Labelbox, 27 bytes";

const MIB: usize = 1024 * 1024;

/// Most memory that the process may have had, whatever it took in. A small one has about 20 MiB.
const MEMORY_KIB: u64 = 48 * 1024;

/// Settings of the tests here; `more` stands before the sections.
fn place(more: &str, spool: &str) -> Place {
    let place = configured();
    let config = place.read("labelrelay.toml");
    let first = format!(
        "blob_store = \"file:claims\"\ndeadline_ms = 600000\nmax_body_bytes = {}\n{more}\n{}\n[spool]\n{spool}\n",
        600 * MIB,
        config.lines().next().unwrap(),
    );
    let rest = config.split_once('\n').unwrap().1;
    place.write("labelrelay.toml", first + rest);
    place
}

/// A JSON body of so many bytes, about a label with this id.
fn body(id: &str, bytes: usize) -> Vec<u8> {
    let mut body = format!("{{\"id\":\"{id}\",\"label\":[").into_bytes();
    let mut number = 0_u64;
    while body.len() + 40 < bytes {
        body.extend_from_slice(
            format!("[{number},{}.5],", number.wrapping_mul(7919) % 1000).as_bytes(),
        );
        number += 1;
    }
    body.resize(bytes - 3, b' ');
    body.extend_from_slice(b"0]}");
    body
}

fn head(body: &[u8], framing: &str) -> String {
    let signature = sign_sha1(SECRET, body);
    format!(
        "POST /labelbox HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nX-Hub-Signature: {signature}\r\nX-Labelbox-Event: LABEL_CREATED\r\n{framing}\r\n\r\n"
    )
}

fn length(body: &[u8]) -> String {
    head(body, &format!("Content-Length: {}", body.len()))
}

fn connect(serving: &Serving) -> TcpStream {
    let stream = TcpStream::connect(&serving.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(600)))
        .unwrap();
    stream
}

/// Status and body of the answer to a request that consists of these bytes.
fn deliver(serving: &Serving, head: &str, body: &[u8]) -> (u16, String) {
    let mut stream = connect(serving);
    stream.write_all(head.as_bytes()).unwrap();
    // Whoever is refused early may see the connection end before all of it is sent.
    let _ = stream.write_all(body);
    answer(stream)
}

fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.unwrap_or(0), answer)
}

/// The most that the process ever had in memory.
fn peak_kib(serving: &Serving) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", serving.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse().unwrap()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Files below `dir` that the process has open, with a name or without.
fn open_below(serving: &Serving, dir: &Path) -> usize {
    let descriptors = fs::read_dir(format!("/proc/{}/fd", serving.pid())).unwrap();
    descriptors
        .flatten()
        .filter_map(|fd| fs::read_link(fd.path()).ok())
        .filter(|target| target.starts_with(dir))
        .count()
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(120), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn claims(place: &Place) -> PathBuf {
    place
        .directory
        .path()
        .canonicalize()
        .unwrap()
        .join("claims")
}

#[test]
fn a_large_body_passes_with_flat_memory_and_a_forged_one_leaves_nothing() {
    let place = place("", "");
    let serving = place.serve(&[]);
    let sent = body("large", 64 * MIB);
    let mut forged = sent.clone();
    forged[40 * MIB] ^= 1;
    let (status, text) = deliver(&serving, &length(&sent), &forged);
    assert_eq!(status, 401, "{text}");
    until("it is closed", || {
        open_below(&serving, &claims(&place)) == 0
    });
    assert_eq!(files(&claims(&place)), Vec::<PathBuf>::new());

    let (status, text) = deliver(&serving, &length(&sent), &sent);
    assert_eq!(status, 200, "{text}\n{}", place.read("serve.log"));
    let objects = files(&claims(&place));
    assert_eq!(objects.len(), 1, "{objects:?}");
    assert!(fs::read(&objects[0]).unwrap() == sent, "byte for byte");
    let peak = peak_kib(&serving);
    assert!(peak <= MEMORY_KIB, "{peak} KiB for a body of 64 MiB");
    let events = place.run(&["events", "list", "--json"]).json();
    assert_eq!(events.len(), 1);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn chunked_bodies_and_several_at_once() {
    let place = place("", "");
    let serving = place.serve(&[]);
    let bodies: Vec<_> = (0..4)
        .map(|n| body(&format!("l{n}"), 16 * MIB + n))
        .collect();
    std::thread::scope(|scope| {
        for sent in &bodies {
            scope.spawn(|| {
                let mut chunked = Vec::new();
                for chunk in sent.chunks(70_001) {
                    write!(chunked, "{:x}\r\n", chunk.len()).unwrap();
                    chunked.extend_from_slice(chunk);
                    chunked.extend_from_slice(b"\r\n");
                }
                chunked.extend_from_slice(b"0\r\n\r\n");
                let head = head(sent, "Transfer-Encoding: chunked");
                let (status, text) = deliver(&serving, &head, &chunked);
                assert_eq!(status, 200, "{text}");
            });
        }
    });
    let mut stored: Vec<_> = files(&claims(&place))
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    stored.sort_by_key(Vec::len);
    assert!(stored == bodies);
    let peak = peak_kib(&serving);
    assert!(peak <= MEMORY_KIB, "{peak} KiB for four bodies at once");
}

#[test]
fn nothing_is_left_of_a_sender_that_hangs_up_or_of_a_process_that_is_killed() {
    let place = place("", "");
    let mut serving = place.serve(&[]);
    let sent = body("cut", 20 * MIB);
    let half = || {
        let mut stream = connect(&serving);
        stream.write_all(length(&sent).as_bytes()).unwrap();
        stream.write_all(&sent[..10 * MIB]).unwrap();
        until("it is spooled", || {
            open_below(&serving, &claims(&place)) > 0
        });
        stream
    };
    drop(half());
    until("it is closed", || {
        open_below(&serving, &claims(&place)) == 0
    });
    let stream = half();
    serving.signal("-KILL");
    serving.wait();
    drop(stream);
    assert_eq!(files(&claims(&place)), Vec::<PathBuf>::new());
}

#[test]
fn a_sender_that_stalls_is_told_408() {
    // Time enough for the half that comes, on a machine that does much else.
    let place = place("", "idle_timeout_ms = 3000");
    let serving = place.serve(&[]);
    let sent = body("stalled", 20 * MIB);
    let mut stream = connect(&serving);
    stream.write_all(length(&sent).as_bytes()).unwrap();
    stream.write_all(&sent[..10 * MIB]).unwrap();
    let (status, text) = answer(stream);
    assert_eq!(status, 408, "{text}");
    until("it is closed", || {
        open_below(&serving, &claims(&place)) == 0
    });
    assert_eq!(files(&claims(&place)), Vec::<PathBuf>::new());
}

#[test]
fn a_quota_that_is_used_up_is_503_and_names_the_setting() {
    let place = place("", &format!("max_bytes = {}", 30 * MIB));
    let serving = place.serve(&[]);
    let (small, large) = (body("small", 20 * MIB), body("large", 31 * MIB));
    let (status, text) = deliver(&serving, &length(&large), &large);
    assert!(status == 503 && text.contains("etry-after"), "{text}");
    place.logged(&["spool.max_bytes", "claims"]);
    let (status, text) = deliver(&serving, &length(&small), &small);
    assert_eq!(status, 200, "{text}");
    assert_eq!(files(&claims(&place)).len(), 1);
}

/// Files that may not grow beyond a size stand for a disk that is full.
#[test]
fn a_disk_that_is_full_is_503_and_harms_nothing_that_was_accepted() {
    let place = place("", "");
    let mut command = std::process::Command::new("sh");
    let limited = "trap '' XFSZ; ulimit -f 40960; exec \"$0\" \"$@\""; // in blocks of 512 bytes
    command
        .args(["-c", limited, env!("CARGO_BIN_EXE_labelrelay")])
        .current_dir(place.directory.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin");
    let log = fs::File::create(place.path("serve.log")).unwrap();
    let serving = place.serve_command(command, &[], Stdio::null(), log.into());
    let (small, large) = (body("small", 10 * MIB), body("large", 24 * MIB));
    let (status, text) = deliver(&serving, &length(&small), &small);
    assert_eq!(status, 200, "{text}");
    let (status, text) = deliver(&serving, &length(&large), &large);
    assert_eq!(status, 503, "{text}");
    place.logged(&["spool.dir", "claims"]);
    let objects = files(&claims(&place));
    assert_eq!(objects.len(), 1);
    assert!(fs::read(&objects[0]).unwrap() == small);
    assert_eq!(place.run(&["events", "list", "--json"]).json().len(), 1);
}

#[test]
fn with_the_blob_store_gone_the_fallback_takes_the_body_and_gives_it_back() {
    // Less memory than it would take to put the body on the queue nevertheless.
    let more = format!(
        "fallback = \"file:fallback\"\nmax_bytes_in_flight = {}",
        16 * MIB
    );
    let place = place(&more, "dir = \"spool\"");
    let serving = place.serve(&[]);
    // A file where the directory of this day would be made.
    let claims = claims(&place);
    fs::remove_dir_all(&claims).unwrap();
    fs::write(&claims, b"in the way").unwrap();
    let sent = body("fallen", 24 * MIB);
    let (status, text) = deliver(&serving, &length(&sent), &sent);
    assert_eq!(status, 200, "{text}\n{}", place.read("serve.log"));
    assert!(peak_kib(&serving) <= MEMORY_KIB);
    assert_eq!(serving.stop(), 0);
    fs::remove_file(&claims).unwrap();
    let moved = place.run(&["events", "retry"]);
    assert!(moved.good().contains("1 moved"), "{moved:?}");
    let objects = files(&claims);
    assert_eq!(objects.len(), 1);
    assert!(fs::read(&objects[0]).unwrap() == sent);
    assert_eq!(files(&place.path("fallback")), Vec::<PathBuf>::new());
    assert_eq!(place.run(&["events", "list", "--json"]).json().len(), 1);
}

#[test]
fn a_spool_that_cannot_be_used_is_bad_configuration() {
    let place = place("", "dir = \"labelbox.secret\"");
    for verb in ["serve", "status"] {
        place
            .run(&[verb])
            .failed(78, &["spool.dir", "labelbox.secret"]);
    }
}
