//! Answers, one a line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_archive::on_one_line;
use labelrelay_core::{EventSourceError, Extended, ReceivedEvent, Settled};
use labelrelay_local::{Acknowledgement, Delivery};
use serde::Serialize;
use std::io::Write;

/// The answer to `op`.
#[derive(Serialize)]
pub(super) struct Answer<T> {
    op: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(flatten)]
    result: T,
}

impl<T> Answer<T> {
    /// The answer to the request with this number, if it has one.
    pub(super) fn new(op: &'static str, id: Option<u64>, result: T) -> Self {
        Self { op, id, result }
    }
}

/// The queue itself.
#[derive(Serialize)]
pub(super) struct About<'a> {
    pub(super) name: &'a str,
    /// The queue, or its source, makes dead letters of what was received too often.
    pub(super) limits_receives: bool,
}

/// What became of each receipt.
#[derive(Serialize)]
pub(super) struct Settlement {
    outcomes: Vec<&'static str>,
    /// Those that are good from now on, if others than those that were named.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipts: Option<Vec<String>>,
    /// Why one failed, where that is an outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl Settlement {
    /// One word for each receipt of a queue that knows none that are malformed.
    pub(super) fn settled(done: &'static str, settled: &[Settled]) -> Self {
        let word = |one: &Settled| match one {
            Settled::Done => done,
            Settled::Stale => "stale",
        };
        Self {
            outcomes: settled.iter().map(word).collect(),
            receipts: None,
            problem: None,
        }
    }

    /// What became of extensions, with the receipts that are good now.
    pub(super) fn extended(
        extended: &[Result<Extended, EventSourceError>],
        before: &[String],
    ) -> Self {
        let word = |one: &Result<Extended, EventSourceError>| match one {
            Ok(Extended::Until(_)) => "extended",
            Ok(Extended::Stale) => "stale",
            Err(_) => "failed",
        };
        let good = |(one, before): (&Result<Extended, EventSourceError>, &String)| match one {
            Ok(Extended::Until(receipt)) => receipt.clone(),
            _ => before.clone(),
        };
        let receipts: Vec<_> = extended.iter().zip(before).map(good).collect();
        let mut failures = extended.iter().filter_map(|one| one.as_ref().err());
        Self {
            outcomes: extended.iter().map(word).collect(),
            receipts: (receipts != before).then_some(receipts),
            problem: failures.next().map(ToString::to_string),
        }
    }

    /// One word for each receipt. `done` is the word where what was asked for was done.
    pub(super) fn of(done: &'static str, settled: &[Acknowledgement]) -> Self {
        let word = |one: &Acknowledgement| match one {
            Acknowledgement::Done => done,
            Acknowledgement::Stale => "stale",
            Acknowledgement::Malformed => "malformed",
        };
        Self {
            outcomes: settled.iter().map(word).collect(),
            receipts: None,
            problem: None,
        }
    }
}

/// The first line of the answer to a receive.
#[derive(Serialize)]
pub(super) struct Head<'a> {
    op: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    deliveries: usize,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    damaged: &'a [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stopping: bool,
}

impl<'a> Head<'a> {
    pub(super) fn new(
        id: Option<u64>,
        deliveries: usize,
        damaged: &'a [String],
        stopping: bool,
    ) -> Self {
        Self {
            op: "receive",
            id,
            deliveries,
            damaged,
            stopping,
        }
    }
}

/// The answer to what was not done.
#[derive(Serialize)]
pub(super) struct Refused<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    op: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    error: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    damaged: &'a [String],
}

impl<'a> Refused<'a> {
    /// Of a line that is no request.
    pub(super) fn line(problem: &'a str) -> Self {
        Self {
            op: None,
            id: None,
            error: problem,
            damaged: &[],
        }
    }

    pub(super) fn request(op: &'static str, id: Option<u64>, error: &'a str) -> Self {
        Self {
            op: Some(op),
            id,
            error,
            damaged: &[],
        }
    }

    /// Of a receive, which may have named damaged events before it failed.
    pub(super) fn receive(id: Option<u64>, error: &'a str, damaged: &'a [String]) -> Self {
        Self {
            damaged,
            ..Self::request("receive", id, error)
        }
    }
}

pub(super) fn write(out: &mut impl Write, answer: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, answer)?;
    out.write_all(b"\n")
}

pub(super) fn write_delivery(out: &mut impl Write, delivery: &Delivery) -> std::io::Result<()> {
    // A receipt is letters, digits and a hyphen.
    writeln!(
        out,
        "{{\"receipt\":\"{}\",\"receive_count\":{},\"seq\":{}}}",
        delivery.receipt, delivery.receive_count, delivery.seq
    )?;
    out.write_all(&on_one_line(&delivery.envelope))?;
    out.write_all(b"\n")
}

/// What precedes the message of an event.
#[derive(Serialize)]
struct EventHead<'a> {
    receipt: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    receive_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offloaded_bytes: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    base64: bool,
}

pub(super) fn write_event(out: &mut impl Write, event: &ReceivedEvent) -> std::io::Result<()> {
    let line = on_one_line(&event.envelope);
    // Of what is no envelope, nothing can be written in another way.
    let base64 = line.contains(&b'\n');
    let head = EventHead {
        receipt: &event.receipt,
        receive_count: event.receive_count,
        offloaded_bytes: event.offloaded_bytes,
        base64,
    };
    write(out, &head)?;
    if base64 {
        out.write_all(STANDARD.encode(&line).as_bytes())?;
    } else {
        out.write_all(&line)?;
    }
    out.write_all(b"\n")
}
