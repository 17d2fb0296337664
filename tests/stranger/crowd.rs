//! A crowd of connections that nobody asked for. Whoever is shown out comes back at once.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

const THREADS: usize = 2;

/// Neighbours: so many addresses share the connections, each with fewer than one may have.
const ADDRESSES: usize = 250;

/// Between two rounds over all connections.
const ROUND: Duration = Duration::from_millis(50);

const HEAD: &[u8] =
    b"POST /labelbox HTTP/1.1\r\nHost: relay\r\nX-Labelbox-Event: LABEL_CREATED\r\n\
    X-Labelbox-Id: d\r\nX-Hub-Signature: sha1=0123456789012345678901234567890123456789\r\n";

/// Habits of a stranger.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Habit {
    /// Asks, and never reads an answer.
    Stuck,
    /// Says nothing.
    Idle,
    /// A byte of the head in each round.
    SlowHead,
    /// A byte of the body in each round.
    SlowBody,
    /// Whole requests with a wrong signature.
    Unauthorized,
}

impl Habit {
    pub(crate) const ALL: [Self; 5] = [
        Self::Stuck,
        Self::Idle,
        Self::SlowHead,
        Self::SlowBody,
        Self::Unauthorized,
    ];
}

pub(crate) struct Crowd {
    leave: Arc<AtomicBool>,
    came: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Crowd {
    pub(crate) fn gather(address: SocketAddr, habit: Habit, connections: usize) -> Self {
        let leave = Arc::new(AtomicBool::new(false));
        let came = Arc::new(AtomicU64::new(0));
        let threads = (0..THREADS).map(|thread| {
            let (leave, came) = (Arc::clone(&leave), Arc::clone(&came));
            let mut members: Vec<Member> = (thread..connections)
                .step_by(THREADS)
                .map(Member::new)
                .collect();
            std::thread::spawn(move || {
                while !leave.load(Ordering::Relaxed) {
                    for member in &mut members {
                        member.take_turn(address, habit, &came);
                    }
                    std::thread::sleep(ROUND);
                }
            })
        });
        Self {
            threads: threads.collect(),
            leave,
            came,
        }
    }

    /// Number of connections that were made so far.
    pub(crate) fn connections(&self) -> u64 {
        self.came.load(Ordering::Relaxed)
    }

    /// Ends it; how many connections it made.
    pub(crate) fn disperse(self) -> u64 {
        self.leave.store(true, Ordering::Relaxed);
        self.threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        self.came.load(Ordering::Relaxed)
    }
}

struct Member {
    from: SocketAddr,
    socket: Option<Socket>,
    /// Bytes of a slow request that were sent, or whether an answer is waited for.
    sent: usize,
}

impl Member {
    fn new(number: usize) -> Self {
        let last = u8::try_from(number % ADDRESSES + 2).unwrap();
        Self {
            from: (Ipv4Addr::new(127, 9, 9, last), 0).into(),
            socket: None,
            sent: 0,
        }
    }

    fn take_turn(&mut self, address: SocketAddr, habit: Habit, came: &AtomicU64) {
        if self.socket.is_none() {
            self.socket = connect(self.from, address, habit);
            self.sent = 0;
            came.fetch_add(u64::from(self.socket.is_some()), Ordering::Relaxed);
        }
        if let Some(socket) = &self.socket
            && !goes_on(socket, &mut self.sent, habit)
        {
            self.socket = None;
        }
    }
}

fn connect(from: SocketAddr, to: SocketAddr, habit: Habit) -> Option<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    if matches!(habit, Habit::Stuck) {
        socket.set_recv_buffer_size(4096).unwrap();
    }
    socket.set_nonblocking(true).unwrap();
    socket.bind(&from.into()).ok()?;
    match socket.connect(&to.into()) {
        Err(error) if !is_under_way(&error) => None,
        _ => Some(socket),
    }
}

fn is_under_way(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::NotConnected
    ) || error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}

/// One thing that a member with this habit does; `false` when its connection has ended.
fn goes_on(mut socket: &Socket, sent: &mut usize, habit: Habit) -> bool {
    let heard = match habit {
        Habit::Stuck => 0,
        _ => match socket.read(&mut [0; 4096]) {
            Ok(0) => return false,
            Ok(count) => count,
            Err(error) if is_under_way(&error) => 0,
            Err(_) => return false,
        },
    };
    let next = match habit {
        Habit::Stuck => b"GET /-/ready HTTP/1.1\r\nHost: relay\r\n\r\n".repeat(100),
        Habit::SlowHead => vec![HEAD[*sent % HEAD.len()]],
        Habit::SlowBody if *sent == 0 => [HEAD, b"Content-Length: 100000\r\n\r\n"].concat(),
        Habit::SlowBody => b"x".to_vec(),
        Habit::Unauthorized if *sent == 0 || heard > 0 => {
            [HEAD, b"Content-Length: 2\r\n\r\n{}"].concat()
        }
        // Says nothing at all, or waits for the answer.
        Habit::Idle | Habit::Unauthorized => return true,
    };
    match socket.write(&next) {
        Ok(count) => {
            *sent += count;
            true
        }
        Err(error) => is_under_way(&error),
    }
}

/// Lets this process have as many connections.
pub(crate) fn raise_limit(connections: usize) {
    let limit = getrlimit(Resource::Nofile);
    let needed = connections as u64 + 500;
    if limit.current.is_some_and(|current| current < needed) {
        let raised = Rlimit {
            current: Some(needed),
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised)
            .expect("the system lets a process have 5,500 files (ulimit -Hn)");
    }
}
