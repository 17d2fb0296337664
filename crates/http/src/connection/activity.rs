//! Activity of one connection: who waits for whom, and since when.

use super::idle_rank::{Idle, IdleRank};
use super::request_boundary::Boundary;
use crate::options::ServeOptions;
use labelrelay_core::Verification;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A body that nobody has verified yet may be this slow without counting as slow ...
const GRACE: Duration = Duration::from_millis(100);
/// ... and has to bring so many bytes a second from then on. One that fills the memory's part of a body
/// within the time that it has is faster.
const PACE: u64 = 32 * 1024;

/// The first bytes of a connection, which tell what a peer speaks that does not speak HTTP.
const FIRST_BYTES: usize = 16;

/// One connection, seen by those who serve it and by those who choose which one has to go.
pub(crate) struct Activity {
    state: Mutex<State>,
    wake: Notify,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not states"
)]
struct State {
    opened: Instant,
    /// The connection was opened, or the last request on it was answered.
    since: Instant,
    /// The first byte of a head came.
    begun: Option<Instant>,
    /// The server wants bytes, and none are there.
    is_starved: bool,
    /// The peer has taken no byte of what it asked for since.
    stalled: Option<Instant>,
    /// Requests whose head has come and whose answer is not made.
    open: u32,
    /// Of them: those whose last byte has come.
    working: u32,
    /// The head of the newest request was complete.
    head_at: Instant,
    /// Bytes that have come since.
    bytes: u64,
    /// Has had an answer, and had brought nothing that was verified.
    is_stranger: bool,
    /// Has brought a request that was verified.
    is_proven: bool,
    /// Of the newest request, once somebody looks at it.
    verification: Option<Verification>,
    /// HTTP/2.
    is_multiplexed: bool,
    boundary: Boundary,
    first: Vec<u8>,
    /// The socket is to be asked itself, once.
    must_read_socket: bool,
    is_draining: bool,
    /// While draining: all that had come is answered.
    is_drained: bool,
    is_closing: bool,
}

/// One connection, as those see it who choose which one has to go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) idle: Option<Idle>,
    /// Brings a body, slowly or not, and nobody knows yet whose.
    pub(crate) is_unproven_body: bool,
}

/// Why a connection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// Nothing came.
    Idle,
    /// A head has begun, and its rest did not come.
    Head,
    /// The peer does not read.
    Stalled,
}

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            state: Mutex::new(State {
                opened: now,
                since: now,
                is_stranger: false,
                begun: None,
                is_starved: false,
                stalled: None,
                open: 0,
                working: 0,
                head_at: now,
                bytes: 0,
                is_proven: false,
                verification: None,
                is_multiplexed: false,
                boundary: Boundary::START,
                first: Vec::new(),
                must_read_socket: false,
                is_draining: false,
                is_drained: false,
                is_closing: false,
            }),
            wake: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self, bytes: &[u8]) {
        let mut state = self.state();
        state.is_starved = false;
        state.bytes += bytes.len() as u64;
        let room = FIRST_BYTES.saturating_sub(state.first.len());
        if room > 0 {
            state.first.extend(bytes.iter().take(room));
        }
        state.boundary.feed(bytes);
        if state.begun.is_none() && state.boundary.is_in_head() {
            state.begun = Some(Instant::now());
        }
    }

    /// The server asked for bytes. Whether the socket itself is to be asked: the runtime only knows what
    /// the system told it last.
    pub(super) fn needs_socket_read(&self) -> bool {
        let mut state = self.state();
        std::mem::take(&mut state.must_read_socket) || state.is_draining
    }

    /// There are none.
    pub(super) fn starved(&self) {
        let mut state = self.state();
        state.is_starved = true;
        if state.open == 0 {
            state.boundary.used_up();
            state.is_drained = !state.boundary.is_in_head();
        }
    }

    pub(super) fn wrote(&self) {
        self.state().stalled = None;
    }

    pub(super) fn write_stalls(&self) {
        self.state().stalled.get_or_insert_with(Instant::now);
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.state().stalled.is_some()
    }

    /// A head is complete.
    pub(super) fn request(&self, is_multiplexed: bool) {
        let mut state = self.state();
        state.open += 1;
        state.verified_by(None);
        (state.head_at, state.bytes) = (Instant::now(), 0);
        (state.begun, state.is_drained, state.is_starved) = (None, false, false);
        state.is_multiplexed = is_multiplexed;
    }

    /// The answer to a request whose body has this length is made. Whether it is the connection's last:
    /// the connection is asked to end, and certainly nothing of another request has come.
    pub(super) fn is_last_answer(&self, length: Option<u64>) -> bool {
        let mut state = self.state();
        state.open = state.open.saturating_sub(1);
        state.since = Instant::now();
        state.is_stranger = !state.is_proven();
        let alone = state.boundary.answered(length);
        state.is_draining && !state.is_multiplexed && alone
    }

    /// The last byte of a request has come: from now on it waits for us.
    pub(crate) fn working(self: &Arc<Self>) -> Working {
        self.state().working += 1;
        Working(Arc::clone(self))
    }

    /// Takes the value that tells whether the newest request is verified.
    pub(crate) fn verification(&self, verification: &Verification) {
        self.state().verified_by(Some(verification.clone()));
    }

    /// Tells whether the connection has brought a request that was verified.
    pub(super) fn is_proven(&self) -> bool {
        self.state().is_proven()
    }

    /// The first bytes that came.
    pub(super) fn first_bytes(&self) -> Vec<u8> {
        self.state().first.clone()
    }

    /// Tells whether the connection has had an answer, and has brought nothing that was verified.
    pub(super) fn is_stranger(&self) -> bool {
        self.state().is_stranger()
    }

    /// Since when the peer is waited for; `None` when it waits for us, or sends as it should. Whoever has had
    /// answers without bringing an event can be asked to go at any time, but while an answer is made.
    pub(crate) fn idle(&self) -> Option<Idle> {
        self.state().idle()
    }

    pub(crate) fn seen(&self) -> Seen {
        let state = self.state();
        let is_body = state.open > 0 && state.working == 0 && state.stalled.is_none();
        let asks_on = state.is_stranger() && !state.is_starved;
        Seen {
            idle: state.idle(),
            is_unproven_body: is_body && !asks_on && !state.is_proven(),
        }
    }

    /// Tells whether the connection brings a body, and more slowly than it should, though something may just have
    /// come.
    pub(super) fn is_slow(&self) -> bool {
        let state = self.state();
        state.open > 0 && state.working == 0 && state.is_slow()
    }

    /// When our patience with the peer ends, and why then; `None` while it waits for us, or sends a body:
    /// those have times of their own.
    pub(super) fn deadline(&self, options: &ServeOptions) -> Option<(Instant, Overdue)> {
        let state = self.state();
        if let Some(stalled) = state.stalled {
            return Some((stalled + options.write_timeout, Overdue::Stalled));
        }
        if state.open > 0 || state.is_multiplexed {
            return None;
        }
        Some(match (state.begun, state.is_proven()) {
            (Some(begun), true) => (begun + options.head_timeout, Overdue::Head),
            (None, true) => (state.since + options.idle_timeout, Overdue::Idle),
            (Some(_), false) => (state.since + options.head_timeout, Overdue::Head),
            (None, false) => (state.since + options.head_timeout, Overdue::Idle),
        })
    }

    /// Asks the connection to end as soon as all that has come is answered.
    pub(crate) fn drain(&self) {
        self.state().is_draining = true;
        self.wake.notify_one();
    }

    /// Tells whether all that has come is answered, so that a draining connection can end.
    pub(super) fn is_drained(&self) -> bool {
        let state = self.state();
        state.is_draining && (state.is_drained || state.is_multiplexed)
    }

    /// Asks the connection to end, if it is still idle when it has looked at its socket.
    pub(crate) fn ask_to_close(&self) {
        self.state().is_closing = true;
        self.wake.notify_one();
    }

    /// Wakes the connection: it may have a slot by now.
    pub(crate) fn wake_up(&self) {
        self.wake.notify_one();
    }

    /// Tells whether the connection was asked to end.
    pub(crate) fn is_asked_to_close(&self) -> bool {
        self.state().is_closing
    }

    pub(super) fn keep(&self) {
        self.state().is_closing = false;
    }

    /// Completes when somebody asked for something.
    pub(crate) async fn asked(&self) {
        self.wake.notified().await;
    }

    /// The socket itself is asked with the next read.
    pub(super) fn read_socket_next(&self) {
        self.state().must_read_socket = true;
    }
}

impl State {
    fn verified_by(&mut self, verification: Option<Verification>) {
        self.is_proven = self.is_proven();
        self.verification = verification;
    }

    fn is_proven(&self) -> bool {
        let newest = self.verification.as_ref();
        self.is_proven || newest.is_some_and(Verification::succeeded)
    }

    fn is_stranger(&self) -> bool {
        self.is_stranger && !self.is_proven()
    }

    fn idle(&self) -> Option<Idle> {
        let of = |unproven, proven, since| Idle {
            rank: if self.is_proven() { proven } else { unproven },
            since,
        };
        let idle = |since| of(IdleRank::Unproven, IdleRank::Proven, since);
        if let Some(stalled) = self.stalled {
            return Some(idle(stalled));
        }
        if self.working > 0 {
            return None;
        }
        if !self.is_starved {
            return self.is_stranger().then_some(Idle {
                rank: IdleRank::Stranger,
                since: self.opened,
            });
        }
        if self.open == 0 {
            return Some(idle(self.since));
        }
        self.is_slow()
            .then(|| of(IdleRank::Body, IdleRank::ProvenBody, self.head_at))
    }

    fn is_slow(&self) -> bool {
        let earned = GRACE + Duration::from_millis(self.bytes * 1000 / PACE);
        self.head_at.elapsed() > earned
    }
}

/// Held while a request waits for us.
pub(crate) struct Working(Arc<Activity>);

impl Drop for Working {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.working = state.working.saturating_sub(1);
    }
}
