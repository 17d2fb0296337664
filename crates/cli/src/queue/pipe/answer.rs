//! Answers, one a line.

use crate::error::CliError;
use labelrelay_archive::on_one_line;
use labelrelay_local::{Acknowledgement, Delivery};
use serde::Serialize;
use std::io::Write;

/// The answer to `op`.
#[derive(Serialize)]
pub(super) struct Answer<T> {
    op: &'static str,
    #[serde(flatten)]
    result: T,
}

impl<T> Answer<T> {
    pub(super) fn new(op: &'static str, result: T) -> Self {
        Self { op, result }
    }
}

#[derive(Serialize)]
pub(super) struct Outcomes {
    outcomes: Vec<&'static str>,
}

impl Outcomes {
    /// One word for each receipt. `done` is the word where what was asked for was done.
    pub(super) fn of(done: &'static str, settled: &[Acknowledgement]) -> Self {
        let word = |one: &Acknowledgement| match one {
            Acknowledgement::Done => done,
            Acknowledgement::Stale => "stale",
            Acknowledgement::Malformed => "malformed",
        };
        Self {
            outcomes: settled.iter().map(word).collect(),
        }
    }
}

/// The first line of the answer to a receive.
#[derive(Serialize)]
pub(super) struct Head<'a> {
    op: &'static str,
    deliveries: usize,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    damaged: &'a [String],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stopping: bool,
}

impl<'a> Head<'a> {
    pub(super) fn new(deliveries: usize, damaged: &'a [String], stopping: bool) -> Self {
        Self {
            op: "receive",
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
    error: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    damaged: &'a [String],
}

impl<'a> Refused<'a> {
    /// Of a line that is no request.
    pub(super) fn line(problem: &'a str) -> Self {
        Self {
            op: None,
            error: problem,
            damaged: &[],
        }
    }

    pub(super) fn request(op: &'static str, error: &'a CliError) -> Self {
        Self {
            op: Some(op),
            error: error.message(),
            damaged: &[],
        }
    }

    /// Of a receive, which may have named damaged events before it failed.
    pub(super) fn receive(error: &'a CliError, damaged: &'a [String]) -> Self {
        Self {
            damaged,
            ..Self::request("receive", error)
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
