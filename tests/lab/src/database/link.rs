//! A link between one replica and one server, which can be cut.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Bytes that are carried at once.
const BYTES: usize = 16 * 1024;

/// Longest time to tell the thread of a link that it is over.
const TO_END: Duration = Duration::from_secs(1);

/// How a link is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Nothing comes through any more, and nobody says so. What was on its way arrives later, if somebody still waits for
    /// it or not: as on a network that loses packets.
    Silent,
    /// Connections break, and no new one can be made.
    Reset,
}

/// A link: an address of this machine behind which a server is.
pub(super) struct Link {
    pub(super) address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    cut: Option<Cut>,
    is_over: bool,
    /// Both ends of each connection.
    streams: Vec<TcpStream>,
}

impl Link {
    /// A link from an address that this machine has here to a server.
    pub(super) fn between(near: Ipv4Addr, server: SocketAddr) -> Self {
        let listener = TcpListener::bind((near, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || shared.accept(&listener, server));
        Self { address, state }
    }

    pub(super) fn cut(&self, cut: Cut) {
        let mut inner = self.state.inner.lock().unwrap();
        inner.cut = Some(cut);
        if cut == Cut::Reset {
            inner.close();
        }
        self.state.changed.notify_all();
    }

    pub(super) fn mend(&self) {
        self.state.inner.lock().unwrap().cut = None;
        self.state.changed.notify_all();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        {
            let mut inner = self.state.inner.lock().unwrap();
            inner.is_over = true;
            inner.close();
        }
        self.state.changed.notify_all();
        // So that the thread that waits for connections notices.
        let _ = TcpStream::connect_timeout(&self.address, TO_END);
    }
}

impl Inner {
    fn close(&mut self) {
        for stream in self.streams.drain(..) {
            // One that the other side has closed already is no error.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl State {
    fn accept(self: Arc<Self>, listener: &TcpListener, server: SocketAddr) {
        for near in listener.incoming() {
            let Ok(near) = near else { continue };
            if self.inner.lock().unwrap().is_over {
                return;
            }
            let state = Arc::clone(&self);
            std::thread::spawn(move || state.connect(&near, server));
        }
    }

    /// Carries one connection. Whatever fails, both of its ends are closed.
    fn connect(&self, near: &TcpStream, server: SocketAddr) {
        if !self.lets_through() {
            return;
        }
        let Ok(far) = TcpStream::connect(server) else {
            return;
        };
        let (Ok(near_end), Ok(far_end)) = (near.try_clone(), far.try_clone()) else {
            return;
        };
        // The programs at both ends decide what goes together.
        let _ = (near.set_nodelay(true), far.set_nodelay(true));
        {
            let mut inner = self.inner.lock().unwrap();
            // Cut meanwhile, or over.
            if inner.is_over || inner.cut == Some(Cut::Reset) {
                return;
            }
            inner.streams.extend([near_end, far_end]);
        }
        std::thread::scope(|scope| {
            scope.spawn(|| self.carry(near, &far));
            self.carry(&far, near);
        });
    }

    fn carry(&self, mut from: &TcpStream, mut to: &TcpStream) {
        let mut bytes = vec![0; BYTES];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            if !self.lets_through() || to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }

    /// Waits while the link is silent; `false` where connections are to break.
    fn lets_through(&self) -> bool {
        let inner = self.inner.lock().unwrap();
        let is_silent = |inner: &mut Inner| inner.cut == Some(Cut::Silent) && !inner.is_over;
        let inner = self.changed.wait_while(inner, is_silent).unwrap();
        inner.cut.is_none() && !inner.is_over
    }
}
