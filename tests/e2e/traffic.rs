//! Load from several keep-alive connections, each delivery different, with a memory of what was
//! answered with a 2xx.

use labelrelay_tests::client::Client;
use labelrelay_tests::export::Exported;
use labelrelay_tests::relay::SECRET;
use labelrelay_tests::sender;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

const CONNECTIONS: usize = 8;

/// Load that lasts until the server is gone.
pub(crate) struct Traffic {
    threads: Vec<JoinHandle<Sent>>,
    accepted: Arc<AtomicUsize>,
}

/// Deliveries that were sent, by their tags.
#[derive(Default)]
pub(crate) struct Sent {
    /// Answered with a 2xx: the promise is given.
    pub(crate) accepted: HashSet<String>,
    /// Sent, in whole or in part, and not answered: may be queued or not.
    pub(crate) unanswered: HashSet<String>,
    /// Answered with something else.
    pub(crate) refused: HashMap<String, u16>,
}

impl Traffic {
    /// Starts to load `address` with labels; `round` keeps the deliveries of several loads apart.
    pub(crate) fn start(address: SocketAddr, round: usize) -> Self {
        Self::of(address, round, |tag| {
            sender::labelbox(SECRET, "LABEL_CREATED", tag, &sender::label(tag))
        })
    }

    /// The same with requests of any kind: `request` makes that of a tag: digits, and an `x` between them.
    pub(crate) fn of(address: SocketAddr, round: usize, request: fn(&str) -> Vec<u8>) -> Self {
        let accepted = Arc::new(AtomicUsize::new(0));
        let threads = (0..CONNECTIONS)
            .map(|connection| {
                let accepted = Arc::clone(&accepted);
                std::thread::spawn(move || {
                    let tag = format!("{round:03}x{connection:03}");
                    send(address, &tag, request, &accepted)
                })
            })
            .collect();
        Self { threads, accepted }
    }

    /// Number of deliveries that were answered with a 2xx so far.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Waits until the server is gone for all connections.
    pub(crate) fn join(self) -> Sent {
        let mut all = Sent::default();
        for thread in self.threads {
            all.extend(thread.join().unwrap());
        }
        all
    }
}

fn send(
    address: SocketAddr,
    tag: &str,
    request: fn(&str) -> Vec<u8>,
    accepted: &AtomicUsize,
) -> Sent {
    let mut sent = Sent::default();
    let Ok(mut client) = Client::connect(address) else {
        return sent;
    };
    for number in 0.. {
        let tag = format!("{tag}x{number:06}");
        match client.exchange(&request(&tag)) {
            Ok(answer) if (200..300).contains(&answer.status) => {
                sent.accepted.insert(tag);
                accepted.fetch_add(1, Ordering::Relaxed);
            }
            Ok(answer) => {
                sent.refused.insert(tag, answer.status);
            }
            Err(_) => {
                sent.unanswered.insert(tag);
                break;
            }
        }
    }
    sent
}

impl Sent {
    pub(crate) fn extend(&mut self, more: Self) {
        self.accepted.extend(more.accepted);
        self.unanswered.extend(more.unanswered);
        self.refused.extend(more.refused);
    }

    /// Asserts what is promised: everything that got a 2xx is in the queue byte for byte, nothing is
    /// there twice, and nothing is there that was not sent.
    pub(crate) fn assert_kept(&self, queue: &[Exported]) {
        let mut missing: HashSet<&str> = self.accepted.iter().map(String::as_str).collect();
        let (mut ids, mut tags) = (HashSet::new(), HashSet::new());
        for event in queue {
            let tag = event
                .attributes
                .deliveryid
                .as_deref()
                .expect("a delivery id");
            assert!(
                event.body == sender::label(tag),
                "{tag}: the queue has other bytes than were sent"
            );
            assert!(tags.insert(tag), "{tag}: twice in the queue");
            assert!(
                ids.insert(&event.attributes.id),
                "{tag}: an id for the second time"
            );
            let sent = self.accepted.contains(tag)
                || self.unanswered.contains(tag)
                || self.refused.contains_key(tag);
            assert!(sent, "{tag}: in the queue, and nobody sent it");
            missing.remove(tag);
        }
        assert!(
            missing.is_empty(),
            "{} deliveries got a 2xx and are not in the queue, {missing:?}",
            missing.len()
        );
    }
}
