//! What the start of `serve` asks Pub/Sub, and when it takes connections.

use super::Servers;
use labelrelay_testkit::adapter_suite::SECRET;
use labelrelay_tests::client::Client;
use labelrelay_tests::relay::eventually;
use labelrelay_tests::sender;
use labelrelay_tests::servers::free_ports;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

/// Starts of which one has to show it. `serve` gives the list up 2 s after its checks, and a machine that does
/// much else may look later.
const STARTS: usize = 5;

/// A way to the emulator on which nobody gets the list of a topic's subscriptions. `asked` hears of whoever wants it.
fn way_without_lists(emulator: SocketAddr, asked: Sender<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(emulator)) else {
                continue;
            };
            let asked = asked.clone();
            thread::spawn(move || pass_on(&client, &server, &asked));
        }
    });
    address
}

/// Carries bytes both ways until both sides have ended.
fn pass_on(client: &TcpStream, server: &TcpStream, asked: &Sender<()>) {
    thread::scope(|scope| {
        scope.spawn(move || {
            let (mut from, mut to) = (client, server);
            let mut bytes = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from.read(&mut bytes) {
                let read = &bytes[..count];
                if is_list(read) {
                    let _ = asked.send(());
                } else if to.write_all(read).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        });
        let (mut from, mut to) = (server, client);
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}

fn is_list(request: &[u8]) -> bool {
    request.starts_with(b"GET ") && String::from_utf8_lossy(request).contains("/subscriptions")
}

/// A `serve` that may not listen yet; ended when dropped.
struct Starting(Child);

impl Drop for Starting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Who connects meanwhile is refused, and does not hang: no port is bound before it is served.
#[test]
#[ignore = "needs the Pub/Sub emulator and fake-gcs-server: cargo xtask test"]
fn no_port_is_bound_while_pubsub_is_asked_who_subscribes() {
    let servers = Servers::start();
    let (asked, lists) = channel();
    let way = way_without_lists(servers.pubsub.address, asked);
    let delivery = sender::labelbox(SECRET, "LABEL_CREATED", "d", &sender::label("one"));
    servers.cloud(|cloud| {
        let refuses = || {
            let [port] = free_ports();
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let place = cloud.place(super::super::LONG);
            let place = place.with("PUBSUB_EMULATOR_HOST", &way.to_string());
            while lists.try_recv().is_ok() {}
            let mut serve = place.command(&["serve", "--listen", &address.to_string()]);
            let serve = serve.stdout(Stdio::null()).stderr(Stdio::null());
            let _starting = Starting(serve.spawn().unwrap());
            let list = lists.recv_timeout(Duration::from_secs(120));
            list.expect("it asks who subscribes");
            let is_refused = TcpStream::connect(address).is_err();
            // The list does not come, and is no reason not to serve.
            eventually("it takes events", || {
                let answer = Client::connect(address);
                let answer = answer.and_then(|mut client| client.exchange(&delivery));
                answer.ok().filter(|answer| answer.status == 200)
            });
            is_refused
        };
        assert!((0..STARTS).any(|_| refuses()), "it is bound all the time");
    });
}
