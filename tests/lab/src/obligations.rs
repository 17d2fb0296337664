//! Obligations of the relay that follow from the senders' records, and the freedom that they leave.

use crate::delivery::Credential;
use crate::fault::{Component, Fault, Faults};
use crate::plan::{Action, DEADLINE_MS, Deployment, Jump, LABORATORY_LIMIT, Plan, Step};
use crate::record::{Answer, End, Record};
use crate::sources::Source;
use crate::violation::{Violation, ViolationKind};
use labelrelay_event::Digest;
use std::collections::HashMap;
use std::time::Duration;

/// Deliveries of one body to one source.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// Number of its deliveries that may have become events.
    pub(crate) possible: usize,
    /// Number of its first delivery.
    pub(crate) number: u32,
    /// At least one delivery did not show the current credential: forged or retired.
    pub(crate) is_not_current: bool,
}

/// All that was sent, by source and digest.
pub(crate) type Ledger = HashMap<(Source, Digest), Sent>;

pub(crate) fn ledger(plan: &Plan, records: &[Record]) -> Ledger {
    let mut ledger = Ledger::new();
    for record in records {
        let sent = ledger
            .entry((record.source, record.digest))
            .or_insert_with(|| Sent {
                number: record.number,
                ..Sent::default()
            });
        sent.number = sent.number.min(record.number);
        sent.possible += usize::from(may_be_an_event(plan, record));
        sent.is_not_current |= !matches!(record.credential, Credential::Of(_));
    }
    ledger
}

fn may_be_an_event(plan: &Plan, record: &Record) -> bool {
    let let_in = match record.credential {
        Credential::Of(_) => true,
        Credential::Retired(_) => may_be_outdated(plan, record),
        Credential::Forged(_) => false,
    };
    let arrived = match &record.end {
        End::Answered(answer) => matches!(answer.status, 200 | 503),
        End::HungUp | End::Broke | End::Silence => true,
        End::NotWhole => false,
    };
    let_in && arrived
}

/// While secrets cannot be read, those at hand are used on; for a second after it, too.
fn may_be_outdated(plan: &Plan, record: &Record) -> bool {
    let begun = |step: &Step| {
        step.at <= record.number && matches!(step.action, Action::Begin(Fault::SecretsDown, ..))
    };
    record.faults.contains(Fault::SecretsRotated) || plan.steps.iter().any(begun)
}

/// Tells whether its secret is no longer valid.
fn overtaken(record: &Record) -> bool {
    match record.credential {
        Credential::Of(generation) => record.rotations >= generation + 2,
        _ => false,
    }
}

/// Tells whether no fault was active except the sender's own.
fn is_calm(faults: Faults) -> bool {
    let ours = |fault: &&Fault| fault.component() != Component::Sender;
    !Fault::ALL
        .iter()
        .filter(ours)
        .any(|fault| faults.contains(*fault))
}

/// Judges whether this answer may be given to this delivery.
pub(crate) fn judge(plan: &Plan, record: &Record, troubled: &[u32]) -> Option<Violation> {
    let answer = match &record.end {
        End::Answered(answer) => answer,
        End::Silence => {
            let detail = "no answer within a minute";
            return Some(Violation::of(ViolationKind::Silence, record.number, detail));
        }
        _ => return None,
    };
    let said = format!("{} {}", answer.status, answer.outcome);
    let allowed = match record.credential {
        Credential::Of(_) => genuine(plan, record, answer, troubled),
        Credential::Retired(_) if answer.status == 200 => {
            if !may_be_outdated(plan, record) {
                let detail = format!("a secret that was taken back was answered {said}");
                return Some(Violation::of(ViolationKind::Forged, record.number, detail));
            }
            true
        }
        Credential::Forged(forgery) if answer.status == 200 => {
            let detail = format!("{forgery:?} was answered {said}");
            return Some(Violation::of(ViolationKind::Forged, record.number, detail));
        }
        // With our own trouble, nothing is said about the credential.
        Credential::Retired(_) | Credential::Forged(_) => match answer.status {
            400 | 401 => true,
            408 => slept_through(plan, record),
            503 => {
                !is_calm(record.faults)
                    || may_be_outdated(plan, record)
                    || record.took > Duration::from_millis(DEADLINE_MS / 2)
            }
            _ => false,
        },
    };
    let detail = format!("{:?} was answered {said}", record.credential);
    (!allowed).then(|| Violation::of(ViolationKind::Answer, record.number, detail))
}

fn genuine(plan: &Plan, record: &Record, answer: &Answer, troubled: &[u32]) -> bool {
    match answer.status {
        200 => match answer.outcome.as_str() {
            "accepted" => answer.id.is_some(),
            "repeat" => answer.id.is_some() && plan.window,
            _ => false,
        },
        // A process without faults must not answer 503 early.
        503 => {
            !is_calm(record.faults)
                || troubled.contains(&record.process)
                || record.took > Duration::from_millis(DEADLINE_MS / 2)
        }
        401 => overtaken(record),
        408 => slept_through(plan, record),
        413 => is_too_large(plan, record) && !plan.blob_store && !plan.fallback,
        _ => false,
    }
}

/// Tells whether the machine slept while the delivery came in, perhaps for longer than a body may take.
fn slept_through(plan: &Plan, record: &Record) -> bool {
    let sleeps = |step: &Step| matches!(step.action, Action::Jump(Jump::Slept(_)));
    record.faults.contains(Fault::ClockJump) && plan.steps.iter().any(sleeps)
}

/// Tells whether the delivery may be larger than the queue takes.
fn is_too_large(plan: &Plan, record: &Record) -> bool {
    // In base64 and with its envelope.
    let largest = record.body_bytes as u64 * 4 / 3 + 4096;
    plan.deployment == Deployment::Laboratory && largest > LABORATORY_LIMIT
}

/// Deliveries whose senders hung up after the last byte, and whose events must still be there: those whose process
/// had no fault.
pub(crate) fn hung_up<'a>(
    plan: &'a Plan,
    records: &'a [Record],
    troubled: &'a [u32],
) -> impl Iterator<Item = &'a Record> {
    records.iter().filter(move |record| {
        record.end == End::HungUp
            && matches!(record.credential, Credential::Of(_))
            && !overtaken(record)
            && !is_too_large(plan, record)
            && is_calm(record.faults)
            && !troubled.contains(&record.process)
    })
}
