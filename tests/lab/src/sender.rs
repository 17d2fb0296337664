//! Senders: each a thread with a connection of its own, which takes the next delivery until there is none.

use crate::delivery::{Delivery, Way};
use crate::fault_injector::FaultInjector;
use crate::plan::Plan;
use crate::record::{End, Record};
use crate::send_request;
use labelrelay_event::Digest;
use labelrelay_tests::client::Client;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// Deliveries that are under way at once, those that come in copies not counted.
pub(crate) const SENDERS: usize = 8;

/// One sender.
pub(crate) struct Sender<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) injector: &'a FaultInjector<'a>,
    pub(crate) next: &'a AtomicU32,
    pub(crate) connection: Option<(u32, Client)>,
    pub(crate) records: Vec<Record>,
}

impl Sender<'_> {
    /// Sends until all are sent.
    pub(crate) fn run(mut self) -> Vec<Record> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.plan.deliveries {
                return self.records;
            }
            self.injector.reach(number);
            self.send(&Delivery::of(self.plan, number));
        }
    }

    fn send(&mut self, delivery: &Delivery) {
        let digest = Digest::of(&delivery.body);
        let (head, body) = delivery.request(self.plan);
        let replica = self.injector.replica(delivery.number);
        let before = self.injector.now(replica);
        let mut processes = vec![before.process];
        let began = Instant::now();
        let ends = match delivery.way {
            Way::Whole => {
                let request = [head, body].concat();
                vec![
                    self.over_kept_connection(replica, before.process, |client| {
                        send_request::at_once(client, &request)
                    }),
                ]
            }
            Way::Pieces { .. } => {
                vec![
                    self.over_kept_connection(replica, before.process, |client| {
                        send_request::pieces(client, &head, &body)
                    }),
                ]
            }
            way => {
                let (_, address) = self.injector.running(replica);
                match way {
                    Way::HangUp => vec![send_request::hang_up(address, &[head, body].concat())],
                    Way::Cut { thousandths } => {
                        let sent = body.len() * usize::try_from(thousandths).unwrap() / 1000;
                        vec![send_request::cut(address, &[&head, &body[..sent]].concat())]
                    }
                    Way::Copies(copies) => {
                        // One to each replica in turn.
                        let running = self.injector.all_running(replica);
                        let (numbers, addresses): (Vec<_>, Vec<_>) = running.into_iter().unzip();
                        processes = numbers;
                        send_request::copies(&addresses, &[head, body].concat(), copies)
                    }
                    Way::Whole | Way::Pieces { .. } => unreachable!("handled above"),
                }
            }
        };
        let took = began.elapsed();
        let after = self.injector.now(replica);
        let faults = delivery.faults().and(before.until(&after));
        for (copy, end) in ends.into_iter().enumerate() {
            self.records.push(Record {
                number: delivery.number,
                source: delivery.source,
                digest,
                body_bytes: delivery.body.len(),
                credential: delivery.credential,
                end,
                event: delivery.event(copy),
                faults,
                rotations: after.rotations,
                process: processes[copy % processes.len()],
                took,
            });
        }
    }

    /// Uses the connection that is kept, or makes another.
    fn over_kept_connection(
        &mut self,
        replica: usize,
        process: u32,
        exchange: impl FnOnce(&mut Client) -> End,
    ) -> End {
        if self
            .connection
            .as_ref()
            .is_none_or(|(to, _)| *to != process)
        {
            self.connection = self.connect(replica);
        }
        let Some((_, client)) = &mut self.connection else {
            return End::NotWhole;
        };
        let end = exchange(client);
        // After a refusal by the head alone the rest of the body may still be on its way.
        let keep = matches!(&end, End::Answered(answer) if matches!(answer.status, 200 | 503));
        if !keep {
            self.connection = None;
        }
        end
    }

    fn connect(&self, replica: usize) -> Option<(u32, Client)> {
        let (process, address) = self.injector.running(replica);
        if let Ok(client) = send_request::connect(address) {
            return Some((process, client));
        }
        self.injector.revive(process);
        let (process, address) = self.injector.running(replica);
        let client = send_request::connect(address).ok()?;
        Some((process, client))
    }
}
