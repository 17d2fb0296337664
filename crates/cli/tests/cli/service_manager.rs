//! A service manager hears when `serve` answers and when it stops.

use crate::support::{Place, Serving, configured, get};
use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Far more than anything here takes, also on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

fn next(manager: &UnixDatagram) -> String {
    let mut state = [0; 1024];
    let length = manager.recv(&mut state).unwrap();
    String::from_utf8(state[..length].to_vec()).unwrap()
}

fn listen(address: &SocketAddr) -> UnixDatagram {
    let manager = UnixDatagram::bind_addr(address).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    manager
}

fn it_is_told(place: &Place, manager: &UnixDatagram) {
    let serving = place.serve(&[]);
    let ready = next(manager);
    let expected = format!("READY=1\nSTATUS=takes deliveries on {}", serving.address);
    assert_eq!(ready, expected);
    assert!(get(&serving.address, "/-/ready").0.contains("200"));
    assert!(hears_no_more(manager), "nothing else before the stop");
    assert_eq!(serving.stop(), 0);
    assert!(next(manager).starts_with("STOPPING=1\n"));
    assert!(hears_no_more(manager));
}

fn hears_no_more(manager: &UnixDatagram) -> bool {
    manager.set_nonblocking(true).unwrap();
    let heard = manager.recv(&mut [0; 8]);
    manager.set_nonblocking(false).unwrap();
    heard.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[test]
fn at_a_path() {
    let place = configured();
    let path = place.path("notify");
    let manager = listen(&SocketAddr::from_pathname(&path).unwrap());
    it_is_told(
        &place.with("NOTIFY_SOCKET", path.to_str().unwrap()),
        &manager,
    );
}

#[test]
fn at_an_abstract_name() {
    let name = format!("labelrelay-test-{}", std::process::id());
    let manager = listen(&SocketAddr::from_abstract_name(&name).unwrap());
    it_is_told(
        &configured().with("NOTIFY_SOCKET", &format!("@{name}")),
        &manager,
    );
}

#[test]
fn one_that_does_not_listen_keeps_nothing_from_being_served() {
    let place = configured().with("NOTIFY_SOCKET", "/nonexistent/notify");
    let serving: Serving = place.serve(&[]);
    assert!(get(&serving.address, "/-/ready").0.contains("200"));
    place.logged(&["NOTIFY_SOCKET", "/nonexistent/notify"]);
    assert_eq!(serving.stop(), 0);
}
