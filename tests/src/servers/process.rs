//! A server as a process: started on free ports, awaited, ended with all that it started.

use crate::client::Client;
use crate::relay::eventually;
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use tempfile::TempDir;

/// Ports that are free now, all different, of those that the system gives nobody by itself: a server takes seconds until
/// it binds its own, and meanwhile any other would go to a connection, or to whoever asks for port 0. Nobody else who
/// asks here gets one of them as long as this process lives.
pub fn free_ports<const N: usize>() -> [u16; N] {
    // Held together, so that no two are the same; let go together, for the server to take.
    let held: [TcpListener; N] = std::array::from_fn(|_| listener());
    held.map(|listener| listener.local_addr().unwrap().port())
}

/// Below what systems give by themselves: Linux from 32768, others from 49152 on.
const NOBODY_S: std::ops::Range<u16> = 20_000..32_000;

/// The ports' namesakes of UDP, which no server here wants. Who has one has the port, whichever process that is.
static KEPT: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

fn listener() -> TcpListener {
    // One at random, so that programs that look at the same time do not find the same.
    let random = RandomState::new().build_hasher().finish();
    let first = usize::try_from(random % u64::try_from(NOBODY_S.len()).unwrap()).unwrap();
    let mut ports = NOBODY_S.cycle().skip(first).take(NOBODY_S.len());
    let free = ports.find_map(|port| {
        let kept = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        Some((kept, listener))
    });
    let (kept, listener) = free.expect("a port is free");
    KEPT.lock().unwrap().push(kept);
    listener
}

/// A running server with a folder of its own; it and its children are killed when this is dropped.
pub struct Server {
    /// Address that it listens on.
    pub address: SocketAddr,
    child: Child,
    folder: TempDir,
}

impl Server {
    /// Starts what `command` makes of a port and an empty folder, and waits until a GET of `ready` is
    /// answered with 200. Somebody else may have taken the port meanwhile: then another one is tried.
    pub fn start(
        name: &str,
        ready: &str,
        command: impl FnMut(u16, &std::path::Path) -> Command,
    ) -> Self {
        let request = format!("GET {ready} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let is_ready = |address| {
            let answer =
                Client::connect(address).and_then(|mut client| client.exchange(request.as_bytes()));
            answer.is_ok_and(|answer| answer.status == 200)
        };
        Self::start_until(name, is_ready, command)
    }

    /// Starts like [`Server::start`], and waits until `is_ready` says so of its address.
    pub fn start_until(
        name: &str,
        is_ready: impl Fn(SocketAddr) -> bool,
        mut command: impl FnMut(u16, &std::path::Path) -> Command,
    ) -> Self {
        for _ in 0..3 {
            let [port] = free_ports();
            let folder = tempfile::tempdir().unwrap();
            let mut command = command(port, folder.path());
            let log = log(&folder);
            let child = command
                .current_dir(folder.path())
                .env("HOME", folder.path())
                .env("TMPDIR", folder.path())
                .stdin(Stdio::null())
                .stdout(File::create(&log).unwrap())
                .stderr(File::options().append(true).open(&log).unwrap())
                // A group of its own, so that what it starts can be ended with it.
                .process_group(0)
                .spawn()
                .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
            let mut server = Self {
                address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
                child,
                folder,
            };
            if server.becomes_ready(name, &is_ready) {
                return server;
            }
            eprintln!("{name} ended before it was ready:\n{}", server.log());
        }
        panic!("{name} ended before it was ready, three times; its logs stand above");
    }

    fn becomes_ready(&mut self, name: &str, is_ready: &dyn Fn(SocketAddr) -> bool) -> bool {
        eventually(&format!("{name} is ready"), || {
            if self.child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            is_ready(self.address).then_some(true)
        })
    }

    /// URL, without a slash at its end.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Output so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(log(&self.folder)).unwrap()).into_owned()
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    pub fn terminate(&mut self) {
        self.signal("TERM");
        eventually("the server has ended", || self.child.try_wait().unwrap());
    }

    /// Stops it where it is: the system still accepts connections for it, and nobody answers them.
    pub fn freeze(&self) {
        self.signal("STOP");
        let threads = format!("/proc/{}/task", self.child.id());
        // The signal is sent at once, but threads that run go on until they notice.
        eventually("all threads have stopped", || {
            let mut stopped = true;
            for thread in std::fs::read_dir(&threads).unwrap() {
                let stat = std::fs::read_to_string(thread.unwrap().path().join("stat"));
                // The state stands after the name, which is in parentheses.
                let stat = stat.unwrap_or_default();
                let state = stat.rsplit(") ").next().unwrap_or_default();
                stopped &= stat.is_empty() || state.starts_with('T');
            }
            stopped.then_some(())
        });
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Ends it and all that it started, as a machine that loses its power does.
    pub fn kill(&mut self) {
        // The group outlives its leader as long as it has members, so this is right even then.
        self.signal("KILL");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Tells its whole group.
    fn signal(&self, signal: &str) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("sh")
            .args(["-c", "kill -\"$0\" \"$1\"", signal, &group])
            .stderr(Stdio::null())
            .status();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn log(folder: &TempDir) -> PathBuf {
    folder.path().join("server.log")
}
