//! A network namespace for one replica, as if it were a machine of its own: one cable leads to the senders, another one to
//! the database.

use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// Namespaces that this process has made: each has a number.
static MADE: AtomicU32 = AtomicU32::new(0);

/// Whoever makes one: two at once would find the same network free.
static TURN: Mutex<()> = Mutex::new(());

/// Networks that are tried: of 24 bits each, from 10.192.0.0 on.
const NETWORKS: u32 = 4096;

/// Numbers of a process, before those of the next one begin: several of them may make namespaces at once.
const OF_A_PROCESS: u32 = 16;

/// A namespace; it goes when this is dropped.
pub(super) struct Namespace {
    name: String,
    /// The outer end of the cable to the database.
    cable: String,
    network: [u8; 3],
}

impl Namespace {
    /// Makes one.
    ///
    /// # Errors
    /// Why this process cannot.
    pub(super) fn new() -> Result<Self, String> {
        let _turn = TURN.lock().unwrap();
        let (process, number) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let first = process.wrapping_mul(OF_A_PROCESS).wrapping_add(number);
        let namespace = Self {
            name: format!("lab-{process}-{number}"),
            // A name of a device has 15 characters at most.
            cable: format!("ld{process}x{number}"),
            network: free_network(first)?,
        };
        let name = namespace.name.as_str();
        ip(&["netns", "add", name])?;
        ip(&["-n", name, "link", "set", "lo", "up"])?;
        let senders = format!("ls{process}x{number}");
        for (outer, inner, near, far) in
            [(&senders, "eth-s", 1, 2), (&namespace.cable, "eth-d", 5, 6)]
        {
            ip(&[
                "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name,
            ])?;
            let near = format!("{}/30", namespace.address(near));
            let far = format!("{}/30", namespace.address(far));
            ip(&["addr", "add", &near, "dev", outer])?;
            ip(&["link", "set", outer, "up"])?;
            ip(&["-n", name, "addr", "add", &far, "dev", inner])?;
            ip(&["-n", name, "link", "set", inner, "up"])?;
        }
        // Whoever may make one may not always run something in it.
        ip(&["netns", "exec", name, "true"])?;
        Ok(namespace)
    }

    /// The beginning of a command that runs in it.
    pub(super) fn command(&self) -> Vec<String> {
        ["ip", "netns", "exec", self.name.as_str()]
            .map(str::to_owned)
            .into()
    }

    /// The replica's own address, for the senders.
    pub(super) fn replica(&self) -> Ipv4Addr {
        self.address(2)
    }

    /// The address at which it finds the database.
    pub(super) fn database(&self) -> Ipv4Addr {
        self.address(5)
    }

    /// Pulls the cable to the database: nothing comes through, and nobody says so.
    pub(super) fn cut(&self) {
        ip(&["link", "set", &self.cable, "down"]).expect("the cable is pulled");
    }

    /// Puts it back.
    pub(super) fn mend(&self) {
        ip(&["link", "set", &self.cable, "up"]).expect("the cable is put back");
    }

    fn address(&self, last: u8) -> Ipv4Addr {
        let [first, second, third] = self.network;
        Ipv4Addr::new(first, second, third, last)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // Its devices go with it. One that was never made is no error.
        let _ = ip(&["netns", "delete", &self.name]);
    }
}

/// A network that nobody has.
fn free_network(first: u32) -> Result<[u8; 3], String> {
    let taken = ip(&["-4", "-oneline", "address", "show"])?;
    let mut networks = (0..NETWORKS).map(|step| {
        let [_, _, high, low] = (first.wrapping_add(step) % NETWORKS).to_be_bytes();
        [10, 192 + high, low]
    });
    let is_free = |[a, b, c]: &[u8; 3]| !taken.contains(&format!(" {a}.{b}.{c}."));
    let free = networks.find(is_free);
    free.ok_or_else(|| "no network is free".to_owned())
}

/// What the program `ip` prints.
fn ip(words: &[&str]) -> Result<String, String> {
    let output = Command::new("ip").args(words).output();
    let output = output.map_err(|error| format!("`ip` cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let problem = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {}: {}", words.join(" "), problem.trim()))
}
