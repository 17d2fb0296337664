//! `dataset fetch`, from HTTP servers that note who asks for what.

use crate::dataset::{annotate_about, sync};
use crate::send_tls;
use crate::support::{Place, Ran, Serving, deriving_nothing};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

const PIXELS: &[u8] = b"not really a picture, but whole";

/// A server on this machine. Its threads end with the test.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers each path with these bytes, and any other with 404.
    fn start(answers: HashMap<String, Vec<u8>>) -> Self {
        Self::start_with(answers, None)
    }

    /// The same, over TLS if there are settings for it.
    fn start_with(answers: HashMap<String, Vec<u8>>, tls: Option<ServerConfig>) -> Self {
        let tls = tls.map(Arc::new);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let answers = Arc::new(answers);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (noted, answers, tls) = (Arc::clone(&noted), Arc::clone(&answers), tls.clone());
                let stream = stream.unwrap();
                std::thread::spawn(move || match tls {
                    None => answer(stream, &noted, &answers),
                    Some(tls) => {
                        let session = ServerConnection::new(tls).unwrap();
                        answer(StreamOwned::new(session, stream), &noted, &answers);
                    }
                });
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked
    }
}

fn answer(
    stream: impl Read + Write,
    noted: &Mutex<Vec<String>>,
    answers: &HashMap<String, Vec<u8>>,
) {
    let mut stream = BufReader::new(stream);
    let mut lines = stream.by_ref().lines();
    // Whoever does not trust the certificate asks for nothing.
    let Some(Ok(first)) = lines.next() else {
        return;
    };
    while lines
        .next()
        .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
    {}
    let target = first.split(' ').nth(1).unwrap().to_owned();
    let path = target.split('?').next().unwrap().to_owned();
    noted.lock().unwrap().push(target);
    let nothing = head("404 Not Found", 0, "");
    // Whoever asked may be gone.
    let stream = stream.get_mut();
    let _ = stream.write_all(answers.get(&path).unwrap_or(&nothing));
    let _ = stream.flush();
}

fn head(status: &str, length: u64, more: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n")
        .into()
}

fn whole(body: &[u8]) -> Vec<u8> {
    [head("200 OK", body.len() as u64, ""), body.to_vec()].concat()
}

fn redirect(to: &str) -> Vec<u8> {
    head("302 Found", 0, &format!("Location: {to}\r\n"))
}

/// A dataset whose tasks are about these images.
fn dataset_of(images: &[String]) -> (Place, Serving) {
    let place = deriving_nothing();
    let serving = place.serve(&[]);
    for (id, image) in (1..).zip(images) {
        annotate_about(&place, &serving, id, &json!({ "image": image }));
    }
    sync(&place, &[]).good();
    (place, serving)
}

fn listed(place: &Place) -> Vec<Value> {
    let text = place.read("images/fetched.jsonl");
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// Red if anybody is asked who was not named, by an address, a name or a redirect; if a part of a file passes for a file; or
/// if a copy is fetched twice.
#[test]
fn media_come_from_named_hosts_alone_and_whole() {
    let other = Server::start(HashMap::from([("/secret.png".to_owned(), whole(PIXELS))]));
    let away = format!("http://localhost:{}/secret.png", other.port);
    let cut_off = [head("200 OK", 1000, ""), PIXELS.to_vec()].concat();
    let server = Server::start(HashMap::from([
        ("/cars/1.png".to_owned(), whole(PIXELS)),
        ("/moved.png".to_owned(), redirect("/cars/1.png")),
        ("/away.png".to_owned(), redirect(&away)),
        ("/round.png".to_owned(), redirect("/round.png")),
        ("/large.png".to_owned(), head("200 OK", 1 << 40, "")),
        ("/cut-off.png".to_owned(), cut_off),
    ]));
    let base = format!("http://localhost:{}", server.port);
    let mut images: Vec<String> = [
        "/cars/1.png?X-Amz-Signature=secret",
        "/moved.png",
        "/away.png",
        "/round.png",
        "/large.png",
        "/cut-off.png",
        "/gone.png",
        "/image?id=7",
    ]
    .map(|rest| format!("{base}{rest}"))
    .into();
    images.push(away);
    images.push("s3://cars/9.png".to_owned());
    let (place, _serving) = dataset_of(&images);

    let fetch = ["dataset", "fetch", "cars", "--into", "images", "--from"];
    let refused = place.run(&[&fetch[..], &[base.as_str()]].concat());
    refused.failed(1, &["localhost has the private address "]);
    assert!(server.asked().is_empty(), "{:?}", server.asked());

    let fetch = [&fetch[..], &[base.as_str(), "--private", "127.0.0.1"]].concat();
    let ran = place.run(&fetch);
    ran.failed(
        1,
        &[
            "/away.png: it is redirected to http://localhost:",
            "/round.png: it is redirected more than 5 times",
            "/large.png: it has more than 100000000 bytes",
            "/cut-off.png: the answer broke off",
            "/gone.png: its host answered 404",
            "/image: its query may name the file",
        ],
    );
    for words in [
        "2 fetched\n0 there already\n6 failed\n",
        "1 not asked for: s3://cars\n",
        &format!("1 not asked for: http://localhost:{}\n", other.port),
        &format!(
            "use them with --media {base}=images/localhost_{}",
            server.port
        ),
    ] {
        assert!(ran.stdout.contains(words), "{words}: {ran:?}");
    }
    assert!(other.asked().is_empty(), "{:?}", other.asked());
    let folder = format!("images/localhost_{}", server.port);
    for name in ["cars/1.png", "moved.png"] {
        let copy = std::fs::read(place.path(&format!("{folder}/{name}"))).unwrap();
        assert_eq!(copy, PIXELS, "{name}");
    }
    let files = std::fs::read_dir(place.path(&folder)).unwrap();
    assert_eq!(files.count(), 2, "no part of a file stays");
    let digest: Vec<String> = Sha256::digest(PIXELS)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let listed = listed(&place);
    assert_eq!(listed.len(), 2, "{listed:?}");
    for line in &listed {
        assert_eq!(line["sha256"], digest.concat(), "{line}");
        assert_eq!(line["bytes"], PIXELS.len(), "{line}");
        assert!(!line["address"].as_str().unwrap().contains('?'), "{line}");
    }
    let signed = "/cars/1.png?X-Amz-Signature=secret";
    let times = |asked: Vec<String>| asked.iter().filter(|it| *it == signed).count();
    assert_eq!(times(server.asked()), 1, "{:?}", server.asked());

    let again = place.run(&fetch);
    assert!(
        again.stdout.contains("0 fetched\n2 there already\n"),
        "{again:?}"
    );
    assert_eq!(times(server.asked()), 1, "{:?}", server.asked());

    let media = format!("{base}={folder}");
    let synced = sync(&place, &["--media", &media]);
    assert!(
        synced.good().contains("6 media without a copy"),
        "{synced:?}"
    );
}

/// Red if a host is asked whose certificate nobody vouches for, or if one is not whose certificate this machine trusts.
#[test]
fn media_come_over_tls_from_hosts_that_this_machine_trusts() {
    let [own, stranger] =
        [(); 2].map(|()| rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap());
    let [trusted, other] = [&own, &stranger].map(|certified| {
        let answers = HashMap::from([("/cars/1.png".to_owned(), whole(PIXELS))]);
        Server::start_with(answers, Some(send_tls::config(certified)))
    });
    let [of_trusted, of_other] =
        [&trusted, &other].map(|server| format!("localhost:{}", server.port));
    let images = [&of_trusted, &of_other].map(|host| format!("https://{host}/cars/1.png"));
    let (place, _serving) = dataset_of(&images);
    let authorities = place.write("authorities.pem", own.cert.pem());
    let hosts = ["--from", &of_trusted, "--from", &of_other];
    let fetch = ["dataset", "fetch", "cars", "--into", "images"];
    let words = [&fetch[..], &hosts, &["--private", "127.0.0.1"]].concat();
    let mut command = place.command(&words);
    let ran = Ran::from(command.env("SSL_CERT_FILE", authorities).output().unwrap());
    ran.failed(1, &["certificate"]);
    let counts = "1 fetched\n0 there already\n1 failed\n";
    assert!(ran.stdout.contains(counts), "{ran:?}");
    let folder = of_trusted.replace(':', "_");
    let copy = std::fs::read(place.path(&format!("images/{folder}/cars/1.png"))).unwrap();
    assert_eq!(copy, PIXELS);
    assert_eq!(trusted.asked(), ["/cars/1.png"]);
    assert!(other.asked().is_empty(), "{:?}", other.asked());
}

#[test]
fn a_run_without_a_host_or_a_dataset_asks_nobody() {
    let place = Place::new();
    let fetch = ["dataset", "fetch", "cars", "--into", "images"];
    place.run(&fetch).failed(2, &["--from"]);
    let with = |host: &str| place.run(&[&fetch[..], &["--from", host]].concat());
    with("s3://bucket").failed(2, &["write a host"]);
    with("cdn.example.org").failed(1, &["there is no such dataset"]);
    assert!(!place.path("images").exists());
}
