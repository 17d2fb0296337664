//! `cargo xtask bench large`: one body of a gibibyte through `labelrelay serve`, against what nobody can do
//! without: both hashes of it by OpenSSL, and a copy that is synced.

use super::bench_folder::BenchFolder;
use super::deliveries::{PATH, signer};
use super::memory;
use super::servers::Server;
use crate::Outcome;
use crate::step::{cargo, output, status};
use hmac::Mac as _;
use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

struct Options {
    mib: u64,
    rounds: usize,
}

/// Times of one round.
struct Round {
    sha1: Duration,
    sha256: Duration,
    copy: Duration,
    relay: Duration,
}

impl Round {
    fn yardstick(&self) -> Duration {
        self.sha1 + self.sha256 + self.copy
    }

    fn ratio(&self) -> f64 {
        self.relay.as_secs_f64() / self.yardstick().as_secs_f64()
    }
}

pub(super) fn run(args: &[String]) -> Outcome {
    let options = parse(args)?;
    status(&mut cargo("build --release --package labelrelay"))?;
    let folder = BenchFolder::new()?;
    let folder = &folder.0;
    let (body, bytes) = write_body(folder, options.mib)?;
    let claims = folder.join("claims");
    let most = bytes.to_string();
    let server = Server::labelrelay_with(
        folder,
        &[
            (
                "LABELRELAY_BLOB_STORE",
                &format!("file://{}", claims.display()),
            ),
            ("LABELRELAY_MAX_BODY_BYTES", &most),
            ("LABELRELAY_DEADLINE_MS", "60000"),
        ],
    )?;
    let before = server.memory()?.now;
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        let round = round(&server, folder, &body, number)?;
        println!(
            "round {number}: sha1 {:.2} s, sha256 {:.2} s, synced copy {:.2} s; labelrelay {:.2} s: {:.2}",
            round.sha1.as_secs_f64(),
            round.sha256.as_secs_f64(),
            round.copy.as_secs_f64(),
            round.relay.as_secs_f64(),
            round.ratio()
        );
        rounds.push(round);
    }
    let peak: memory::Memory = server.memory()?;
    server.stop()?;
    rounds.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
    let median = rounds.get(rounds.len() / 2).map_or(0.0, Round::ratio);
    println!(
        "\n{} MiB, {} rounds: {median:.2} of the time of OpenSSL's two hashes and a synced copy (median)\nmemory: {:.1} MiB before the first, {:.1} MiB at most",
        options.mib,
        options.rounds,
        mebibytes(before),
        mebibytes(peak.peak)
    );
    Ok(())
}

fn parse(args: &[String]) -> Outcome<Options> {
    let mut options = Options {
        mib: 1024,
        rounds: 5,
    };
    let mut args = args.iter();
    while let Some(flag) = args.next() {
        let value = args.next().ok_or(format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--mib" => options.mib = value.parse::<u64>()?.clamp(2, 16 * 1024),
            "--rounds" => options.rounds = value.parse::<usize>()?.clamp(1, 20),
            _ => {
                return Err(format!("unknown option {flag}; `cargo xtask help` lists them").into());
            }
        }
    }
    Ok(options)
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mebibytes(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// Beginning of the body; the number makes every round's another body.
fn start(round: usize) -> String {
    format!("{{\"id\":\"large{round:08}\",\"label\":[")
}

/// A JSON body as annotations look: many small objects, not one long string.
fn write_body(folder: &Path, mib: u64) -> Outcome<(PathBuf, u64)> {
    let path = folder.join("body.json");
    let mut file = BufWriter::new(File::create(&path)?);
    let mut bytes = 0_u64;
    let mut put = |text: &str| -> Outcome {
        file.write_all(text.as_bytes())?;
        bytes += text.len() as u64;
        Ok(())
    };
    put(&start(0))?;
    let mut number = 0_u64;
    let goal = mib * 1024 * 1024;
    let mut written = 0;
    while written + 200 < goal {
        let (x, y) = (number.wrapping_mul(2_654_435_761) % 1920, number % 1080);
        let object = format!(
            "{{\"featureId\":\"ck{number:016x}\",\"value\":\"pedestrian\",\"bbox\":{{\"top\":{y}.5,\"left\":{x}.25,\"height\":12,\"width\":34}}}},"
        );
        written += object.len() as u64;
        put(&object)?;
        number += 1;
    }
    put("0]}")?;
    file.into_inner()?.sync_all()?;
    Ok((path, bytes))
}

fn round(server: &Server, folder: &Path, body: &Path, number: usize) -> Outcome<Round> {
    let mut file = File::options().write(true).open(body)?;
    file.write_all(start(number).as_bytes())?;
    let signature = sign(body)?;
    let settle = || output(&mut Command::new("sync"));
    settle()?;
    let sha1 = timed(Command::new("openssl").args(["dgst", "-sha1"]).arg(body))?;
    let sha256 = timed(Command::new("openssl").args(["dgst", "-sha256"]).arg(body))?;
    let copy = folder.join("copy");
    let synced = "cp \"$0\" \"$1\" && sync \"$1\"";
    let copy_time = timed(Command::new("sh").args(["-c", synced]).arg(body).arg(&copy))?;
    std::fs::remove_file(&copy)?;
    settle()?;
    let relay = deliver(server, body, &signature)?;
    let object = only_object(&folder.join("claims"))?;
    output(Command::new("cmp").arg(body).arg(&object))?;
    std::fs::remove_file(&object)?;
    settle()?;
    Ok(Round {
        sha1,
        sha256,
        copy: copy_time,
        relay,
    })
}

fn timed(command: &mut Command) -> Outcome<Duration> {
    let begun = Instant::now();
    output(command)?;
    Ok(begun.elapsed())
}

/// The signature of a file, as the header shows it.
fn sign(body: &Path) -> Outcome<String> {
    let mut mac = signer();
    let mut file = File::open(body)?;
    let mut piece = vec![0; 1024 * 1024];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        mac.update(piece.get(..read).unwrap_or_default());
    }
    let tag = mac.finalize().into_bytes();
    let hex: Vec<String> = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("sha1={}", hex.concat()))
}

/// From the first byte sent to the last of the answer.
fn deliver(server: &Server, body: &Path, signature: &str) -> Outcome<Duration> {
    let mut file = File::open(body)?;
    let bytes = file.metadata()?.len();
    file.rewind()?;
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server.address)?;
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    write!(
        stream,
        "POST {PATH} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nX-Hub-Signature: {signature}\r\nX-Labelbox-Event: LABEL_CREATED\r\nContent-Length: {bytes}\r\n\r\n"
    )?;
    std::io::copy(&mut file, &mut stream)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let took = begun.elapsed();
    if !answer.starts_with("HTTP/1.1 200") {
        return Err(format!("the delivery was not accepted: {answer}").into());
    }
    Ok(took)
}

/// The one file below `dir`.
fn only_object(dir: &Path) -> Outcome<PathBuf> {
    let mut path = dir.to_owned();
    while path.is_dir() {
        let mut entries = std::fs::read_dir(&path)?;
        let entry = entries.next().ok_or("nothing was stored")??;
        path = entry.path();
    }
    Ok(path)
}
