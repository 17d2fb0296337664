//! Label Studio behind a proxy that the environment names.

use super::shows_no_secret;
use super::stand_in::{StandIn, TOKEN};
use crate::support::{Place, Ran, configured};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A name that only the proxy knows.
const URL: &str = "http://label-studio.invalid";

/// A proxy that leads to one server, whatever it is asked for.
struct Proxy {
    address: String,
    /// The heads of the requests.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn to(server: &StandIn) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (all, server) = (
            Arc::clone(&heads),
            server.url.trim_start_matches("http://").to_owned(),
        );
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (all, server) = (Arc::clone(&all), server.clone());
                std::thread::spawn(move || pass_on(stream.unwrap(), &server, &all));
            }
        });
        Self { address, heads }
    }
}

/// Passes one request on, with the path in the place of its whole URL.
fn pass_on(mut from: TcpStream, server: &str, heads: &Mutex<Vec<String>>) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    while !bytes.windows(4).any(|part| part == b"\r\n\r\n") {
        match from.read(&mut buffer) {
            Ok(length @ 1..) => bytes.extend_from_slice(&buffer[..length]),
            _ => return,
        }
    }
    let text = String::from_utf8(bytes).unwrap();
    heads.lock().unwrap().push(text.clone());
    let mut to = TcpStream::connect(server).unwrap();
    to.write_all(text.replacen(URL, "", 1).as_bytes()).unwrap();
    let (mut rest, mut behind) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    // The rest of the body, as long as there is any.
    std::thread::spawn(move || std::io::copy(&mut rest, &mut behind));
    let _gone = std::io::copy(&mut to, &mut from);
    let _gone = from.shutdown(Shutdown::Both);
}

fn place() -> Place {
    configured().with("LABEL_STUDIO_API_KEY", TOKEN)
}

fn connect(place: &Place) -> Ran {
    let relay = "http://127.0.0.1:9";
    let words = ["connect", "label-studio", URL, "--relay", relay, "--plan"];
    shows_no_secret(place.run(&words))
}

#[test]
fn label_studio_is_asked_by_the_proxy_of_the_environment() {
    let label_studio = StandIn::start();
    let proxy = Proxy::to(&label_studio);
    let named = format!("http://me:hidden@{}", proxy.address);
    let ran = connect(&place().with("http_proxy", &named));
    let greeting = "Label Studio 1.23.2 at http://label-studio.invalid as you@example.org";
    assert!(ran.good().contains(greeting), "{ran:?}");
    let heads = proxy.heads.lock().unwrap().clone();
    let is_whole = |head: &String| {
        let head = head.to_ascii_lowercase();
        head.contains(" http://label-studio.invalid/api/")
            && head.contains("\r\nproxy-authorization: basic ")
    };
    assert!(!heads.is_empty() && heads.iter().all(is_whole), "{heads:?}");

    // This machine itself is never behind it.
    let direct = place().with("HTTP_PROXY", "http://127.0.0.1:9");
    let words = ["connect", "label-studio", &label_studio.url, "--plan"];
    let words = [&words[..], &["--relay", "http://127.0.0.1:9"]].concat();
    direct.run(&words).good();
}

#[test]
fn a_proxy_that_does_not_answer_is_named_and_some_hosts_are_asked_without_it() {
    let dead = "http://me:hidden@127.0.0.1:9";
    let ran = connect(&place().with("ALL_PROXY", dead));
    assert_eq!(ran.code, 1, "{ran:?}");
    let said = "by the proxy http://127.0.0.1:9/ (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)";
    assert!(ran.stdout.contains(said), "{ran:?}");
    let without = place().with("ALL_PROXY", dead).with("NO_PROXY", ".invalid");
    let ran = connect(&without);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(!ran.stdout.contains("by the proxy"), "{ran:?}");
    let socks = connect(&place().with("ALL_PROXY", "socks5://127.0.0.1:9"));
    let said = "only a proxy that is named by http:// can be used";
    assert!(socks.stdout.contains(said), "{socks:?}");
}
