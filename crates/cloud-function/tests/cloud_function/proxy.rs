//! The network between the service and its queue, which can be cut.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes connections on to one address until it is cut.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_cut: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Listens on a port of its own.
    pub(crate) fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for inward in listener.incoming() {
                if shared.is_cut.load(Ordering::SeqCst) {
                    return;
                }
                if let (Ok(inward), Ok(outward)) = (inward, TcpStream::connect(upstream)) {
                    let _ = shared.pass(&inward, &outward);
                }
            }
        });
        Self { address, state }
    }

    /// Breaks all connections; new ones are refused.
    pub(crate) fn cut(&self) {
        self.state.is_cut.store(true, Ordering::SeqCst);
        for stream in self.state.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Lets the listener see it.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn pass(&self, inward: &TcpStream, outward: &TcpStream) -> io::Result<()> {
        for (from, to) in [(inward, outward), (outward, inward)] {
            self.open.lock().unwrap().push(from.try_clone()?);
            let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
            thread::spawn(move || {
                let mut buffer = [0; 16 * 1024];
                while let Ok(read) = from.read(&mut buffer) {
                    if read == 0 || to.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        // Cut between the look at the flag and now.
        if self.is_cut.load(Ordering::SeqCst) {
            let _ = inward.shutdown(Shutdown::Both);
            let _ = outward.shutdown(Shutdown::Both);
        }
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
    }
}
