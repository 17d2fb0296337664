//! A fault: the process is asked to stop while whole requests are in its sockets' buffers, and in the queue of
//! connections that it has not accepted yet. All of them were sent before: each gets an answer.

use super::{FaultInjector, Inner, SIGKILL};
use crate::delivery::{Credential, Delivery};
use crate::fault::{Fault, Faults};
use crate::record::{End, Record};
use crate::send_request;
use crate::violation::{Violation, ViolationKind};
use labelrelay_event::Digest;
use labelrelay_tests::client::Client;
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Requests that wait.
const WAITING: u32 = 24;

/// First number of these deliveries, beyond those of all others.
const BEYOND: u32 = 100_000;

impl FaultInjector<'_> {
    /// Stops the process in this way, and waits until it has ended.
    pub(super) fn stop_with_requests(&self, inner: &mut Inner, replica: usize) {
        let mut program = inner.programs[replica].take().unwrap();
        let (process, address) = self.running(replica);
        // Every other one on a connection that was accepted before, the rest on one that is not yet.
        let connect = || Client::connect(address).ok();
        let accepted: Vec<_> = (0..WAITING / 2).map(|_| accepted(connect())).collect();
        program.freeze();
        let began = Instant::now();
        let fresh = (0..WAITING - WAITING / 2).map(|_| connect());
        let clients: Vec<_> = accepted.into_iter().chain(fresh).collect();
        let first = self.plan.deliveries + BEYOND + u32::try_from(inner.next).unwrap() * WAITING;
        let rotations = self.rotations.load(Ordering::Acquire);
        let mut waiting = Vec::new();
        for (number, client) in (first..).zip(clients) {
            let mut delivery = Delivery::of(self.plan, number);
            delivery.credential = Credential::Of(rotations);
            let (head, body) = delivery.request(self.plan);
            let Some(mut client) = client else { continue };
            if client.write(&[head, body].concat()).is_ok() {
                waiting.push((delivery, client));
            }
        }
        let mut unanswered = Vec::new();
        program.ask_to_stop();
        program.signal(Signal::CONT);
        for (delivery, mut client) in waiting {
            let end = send_request::answered(&mut client);
            if !matches!(end, End::Answered(_)) {
                unanswered.push((delivery.number, end.clone()));
            }
            self.records.lock().unwrap().push(Record {
                number: delivery.number,
                source: delivery.source,
                digest: Digest::of(&delivery.body),
                body_bytes: delivery.body.len(),
                credential: delivery.credential,
                end,
                event: None,
                faults: Faults::of(Fault::Stopped),
                rotations,
                process,
                took: began.elapsed(),
            });
        }
        let (status, log) = program.wait();
        if inner.armed && status.is_some_and(|status| status.signal() == Some(SIGKILL)) {
            // The process reached the point at which it was told to kill itself.
            return;
        }
        for (number, end) in unanswered {
            let detail =
                format!("it lay whole in the buffers when the process was asked to stop: {end:?}");
            let violation = Violation::of(ViolationKind::Silence, number, detail);
            self.violations.lock().unwrap().push(violation);
        }
        if !status.is_some_and(|status| status.success()) {
            let status = status.map_or("not at all".to_owned(), |it| it.to_string());
            self.note(&log, &format!("asked to stop, it ended: {status}"));
        }
        self.read(&log);
    }
}

/// A connection on which a first answer came, so that the process has it in its hands.
fn accepted(client: Option<Client>) -> Option<Client> {
    let mut client = client?;
    client
        .exchange(b"GET /-/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .ok()?;
    Some(client)
}
