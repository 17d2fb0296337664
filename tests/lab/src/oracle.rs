//! Checks every answer against the content of the queue and the stores, after all is over.

mod content;

use crate::derived;
use crate::obligations::{self, Ledger};
use crate::plan::{Action, Plan};
use crate::queue::Queue;
use crate::record::Record;
use crate::seed_dir::{self, SeedDir};
use crate::sender::SENDERS;
use crate::sources::Source;
use crate::violation::{Violation, ViolationKind};
use content::{Content, Found, genuine};
use labelrelay_event::Digest;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What came of a look at everything.
pub(crate) struct Findings {
    /// Everything that was not kept.
    pub(crate) violations: Vec<Violation>,
    /// Number of derived events.
    pub(crate) derived: usize,
}

/// Checks everything of one seed.
pub(crate) fn check(
    plan: &Plan,
    seed_dir: &SeedDir,
    queue: &Queue<'_>,
    records: &[Record],
    troubled: &[u32],
) -> Findings {
    let ledger = obligations::ledger(plan, records);
    let mut violations: Vec<Violation> = records
        .iter()
        .filter_map(|record| obligations::judge(plan, record, troubled))
        .collect();
    let content = content::read(plan, queue, &ledger, &mut violations);
    let Content {
        found,
        causes,
        derived,
    } = &content;
    read_blobs(seed_dir, &ledger, &mut violations);
    // No process runs any more, and none may leave anything of a body there, however it ended.
    let homes = seed_dir.homes().iter();
    let left = homes.flat_map(|home| files(&seed_dir::spool(home)));
    violations.extend(
        left.map(|path| Violation::general(ViolationKind::Left, path.display().to_string())),
    );
    let mut by_id: HashMap<&str, Vec<&Found>> = HashMap::new();
    for event in found {
        by_id.entry(&event.id).or_default().push(event);
    }
    acknowledged(records, &by_id, &mut violations);
    for record in obligations::hung_up(plan, records, troubled) {
        let is_there =
            |event: &Found| (event.source, event.digest) == (record.source, record.digest);
        if !found.iter().any(is_there) {
            let detail = "its sender hung up after the last byte, and it is not in the queue";
            violations.push(Violation::of(ViolationKind::Lost, record.number, detail));
        }
    }
    twice(plan, &by_id, found, &ledger, &mut violations);
    violations.extend(merged(records));
    derived::check(seed_dir, causes, derived, &mut violations);
    Findings {
        derived: derived.len(),
        violations,
    }
}

/// Checks that all is there that senders that hung up are owed.
pub(crate) fn has_hung_up(
    plan: &Plan,
    seed_dir: &SeedDir,
    queue: &Queue<'_>,
    records: &[Record],
    troubled: &[u32],
) -> bool {
    let mut missing = obligations::hung_up(plan, records, troubled).peekable();
    if missing.peek().is_none() {
        return true;
    }
    let ledger = obligations::ledger(plan, records);
    let found = content::read(plan, queue, &ledger, &mut Vec::new()).found;
    let waiting = !seed_dir.waiting().is_empty();
    missing.all(|record| {
        let is_there =
            |event: &Found| (event.source, event.digest) == (record.source, record.digest);
        waiting || found.iter().any(is_there)
    })
}

/// Every acknowledgement is an obligation: that event, with those bytes, is there.
fn acknowledged(
    records: &[Record],
    by_id: &HashMap<&str, Vec<&Found>>,
    violations: &mut Vec<Violation>,
) {
    for record in records {
        let Some(answer) = record.acknowledged() else {
            continue;
        };
        let id = answer.id.as_deref().unwrap_or_default();
        let Some(events) = by_id.get(id) else {
            let detail = format!("answered {} as {id}, and not in the queue", answer.outcome);
            violations.push(Violation::of(ViolationKind::Lost, record.number, detail));
            continue;
        };
        let same = |event: &&Found| (event.source, event.digest) == (record.source, record.digest);
        if !events.iter().all(same) {
            let detail = format!("answered {} as {id}, which has other bytes", answer.outcome);
            violations.push(Violation::of(ViolationKind::Changed, record.number, detail));
        }
    }
}

/// Tells whether all derived events are there that what is in the queue demands.
pub(crate) fn has_derived(
    plan: &Plan,
    seed_dir: &SeedDir,
    queue: &Queue<'_>,
    records: &[Record],
) -> bool {
    let ledger = obligations::ledger(plan, records);
    let content = content::read(plan, queue, &ledger, &mut Vec::new());
    derived::are_there(seed_dir, &content.causes, &content.derived)
}

/// Every object of the blob store is whole, and was sent by somebody who may.
fn read_blobs(seed_dir: &SeedDir, ledger: &Ledger, violations: &mut Vec<Violation>) {
    for path in files(&seed_dir::blobs(seed_dir.folder())) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap();
        // A file that a killed process was writing; it is swept an hour later.
        if name.starts_with('.') {
            continue;
        }
        let digest = Digest::of(&std::fs::read(&path).unwrap());
        if digest.to_hex() != name {
            let detail = format!("{}: not what its name says", path.display());
            violations.push(Violation::general(ViolationKind::Changed, detail));
            continue;
        }
        let folder = path.parent().and_then(Path::file_name);
        let source = Source::ALL
            .into_iter()
            .find(|source| folder.is_some_and(|folder| folder == source.name()))
            .unwrap_or_else(|| panic!("{} belongs to no source", path.display()));
        violations.extend(genuine(ledger, source, digest, "in the blob store").err());
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// No id twice, and of each body no more events than deliveries.
///
/// A repeat is recognised by what is in the file, also after a crash: an event that is in the fallback and in
/// the queue is not queued again either. Only where time jumps can an id leave the window and come again;
/// where the window is switched off, each delivery and each attempt may be an event.
fn twice(
    plan: &Plan,
    by_id: &HashMap<&str, Vec<&Found>>,
    found: &[Found],
    ledger: &Ledger,
    violations: &mut Vec<Violation>,
) {
    if !plan.window {
        return;
    }
    let recognised = recognised_from(plan);
    for (id, events) in by_id {
        if let [first, _, ..] = events[..] {
            let number = ledger[&(first.source, first.digest)].number;
            if number >= recognised {
                let detail = format!("{id} is {} times in the queue", events.len());
                violations.push(Violation::of(ViolationKind::Twice, number, detail));
            }
        }
    }
    let mut events: HashMap<(Source, Digest), usize> = HashMap::new();
    for event in found {
        *events.entry((event.source, event.digest)).or_default() += 1;
    }
    for (body, events) in events {
        let sent = &ledger[&body];
        if events > sent.possible && sent.number >= recognised {
            let detail = format!("{events} events of {} deliveries", sent.possible);
            violations.push(Violation::of(ViolationKind::Twice, sent.number, detail));
        }
    }
}

/// Events of equal bytes that nothing says are one have an id each: who goes by the id would drop the second.
fn merged(records: &[Record]) -> Vec<Violation> {
    let mut events: HashMap<&str, (&str, u32)> = HashMap::new();
    let mut violations = Vec::new();
    for record in records {
        let answer = record
            .acknowledged()
            .and_then(|answer| answer.id.as_deref());
        let (Some(id), Some(event)) = (answer, record.event.as_deref()) else {
            continue;
        };
        let (first, number) = *events.entry(id).or_insert((event, record.number));
        if first != event {
            let detail =
                format!("answered as {id}, which is delivery {number}: equal bytes, another event");
            violations.push(Violation::of(ViolationKind::Merged, record.number, detail));
        }
    }
    violations
}

/// The first delivery after which time does not jump any more. What waits in the fallback is moved at the end,
/// when the time of day is the true one again: that is a jump too.
fn recognised_from(plan: &Plan) -> u32 {
    let mut steps = plan.steps.iter();
    match steps.rfind(|step| matches!(step.action, Action::Jump(_))) {
        None => 0,
        Some(_) if plan.fallback => u32::MAX,
        // Deliveries under way at the jump may have been sent before it.
        Some(jump) => jump.at + u32::try_from(SENDERS).unwrap(),
    }
}

#[cfg(test)]
mod tests;
