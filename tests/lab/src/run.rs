//! One seed from its plan to its verdict, and many seeds at once.

use crate::delivery::Delivery;
use crate::fault_injector::FaultInjector;
use crate::options::Options;
use crate::oracle;
use crate::plan::Plan;
use crate::process::Start;
use crate::record::{End, Record};
use crate::seed_dir::SeedDir;
use crate::send_request;
use crate::sender::{SENDERS, Sender};
use crate::summary::Summary;
use crate::verdict::Verdict;
use crate::violation::{Violation, ViolationKind};
use labelrelay_event::Digest;
use labelrelay_tests::client::Client;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

/// Deliveries after all faults are over, each of which must be accepted.
const AFTERWARDS: u32 = 10;

/// The deadline of those: a machine that others load too is no fault of labelrelay's.
const AFTERWARDS_DEADLINE_MS: u64 = 20_000;

/// Time that the rest may take once nothing is wrong any more.
const PATIENCE: Duration = Duration::from_secs(180);

/// Failures that are printed of one seed; more of them say no more.
const SHOWN: usize = 12;

/// Runs what was asked for and prints what came of it.
pub(crate) fn all(options: &Options) -> ExitCode {
    let begun = Instant::now();
    let summary = Mutex::new(Summary::default());
    let seeds = Mutex::new(options.seeds.clone());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                loop {
                    let Some(seed) = seeds.lock().unwrap().next() else {
                        return;
                    };
                    let plan = Plan::of(seed, options.deliveries);
                    if options.only.is_some_and(|only| only != plan.deployment) {
                        continue;
                    }
                    let verdict = one(&plan, options);
                    report(&plan, &verdict, options);
                    summary.lock().unwrap().add(&plan, &verdict);
                }
            });
        }
    });
    let summary = summary.into_inner().unwrap();
    println!("\n{summary}\nin {:.0} s", begun.elapsed().as_secs_f64());
    if summary.violations() == 0 && summary.seeds() > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn one(plan: &Plan, options: &Options) -> Verdict {
    let seed_dir = SeedDir::new(plan);
    let sabotage = options.sabotage.as_deref();
    let injector = FaultInjector::new(plan, &seed_dir, &options.program, sabotage);
    let next = AtomicU32::new(0);
    let mut records: Vec<Record> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                let sender = Sender {
                    plan,
                    injector: &injector,
                    next: &next,
                    connection: None,
                    records: Vec::new(),
                };
                scope.spawn(|| sender.run())
            })
            .collect();
        let records = senders
            .into_iter()
            .flat_map(|sender| sender.join().unwrap());
        records.collect()
    });
    if !plan.ends_by_kill {
        // Senders that hung up have no answer to wait for; asking the process to stop must not overtake them.
        let troubled = injector.troubled();
        eventually(|| oracle::has_hung_up(plan, &seed_dir, &records, &troubled));
    }
    let processes = injector.running().0;
    let (mut violations, troubled, more) = injector.end_all();
    records.extend(more);
    violations.extend(afterwards(plan, &seed_dir, options, &mut records));
    violations.extend(oracle::check(plan, &seed_dir, &records, &troubled));
    if options.keep && !violations.is_empty() {
        println!("seed {}: kept in {}", plan.seed, seed_dir.keep().display());
    }
    Verdict {
        records,
        violations,
        processes: processes + 1,
    }
}

/// Nothing is wrong any more: `labelrelay serve` starts on what is left, takes more, and moves what waits in
/// the fallback into the queue.
fn afterwards(
    plan: &Plan,
    seed_dir: &SeedDir,
    options: &Options,
    records: &mut Vec<Record>,
) -> Vec<Violation> {
    let start = Start {
        seed_dir,
        labelrelay: &options.program,
        sabotage: None,
        ahead: 0,
    };
    let program = match start.serve(AFTERWARDS_DEADLINE_MS) {
        Ok(program) => program,
        Err(message) => return vec![Violation::general(ViolationKind::Process, message)],
    };
    let mut violations = Vec::new();
    for number in plan.deliveries..plan.deliveries + AFTERWARDS {
        let record = send_afterwards(plan, number, program.address);
        if record.status() != Some(200) {
            let detail = format!("after all faults: {:?}", record.end);
            violations.push(Violation::of(ViolationKind::Answer, number, detail));
        }
        records.push(record);
    }
    if !eventually(|| seed_dir.waiting().is_empty()) {
        let detail = format!("{} events stay in the fallback", seed_dir.waiting().len());
        violations.push(Violation::general(ViolationKind::Stuck, detail));
    }
    let (status, log) = program.stop();
    if !status.is_some_and(|status| status.success()) {
        let detail = format!("asked to stop, serve ended with {status:?}");
        violations.push(Violation::general(ViolationKind::Process, detail));
    }
    let panics = log.panics.into_iter();
    violations.extend(panics.map(|line| Violation::general(ViolationKind::Process, line)));
    violations
}

fn send_afterwards(plan: &Plan, number: u32, address: SocketAddr) -> Record {
    let delivery = Delivery::of(plan, number);
    let (head, body) = delivery.request(plan);
    let began = Instant::now();
    let end = Client::connect(address).map_or(End::NotWhole, |mut client| {
        send_request::at_once(&mut client, &[head, body].concat())
    });
    Record {
        number,
        source: delivery.source,
        digest: Digest::of(&delivery.body),
        body_bytes: delivery.body.len(),
        credential: delivery.credential,
        end,
        event: delivery.event(0),
        faults: crate::fault::Faults::default(),
        rotations: plan.generation(number),
        process: 0,
        took: began.elapsed(),
    }
}

/// Waits for a condition; returns whether it held in time.
fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !condition() {
        if begun.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

fn report(plan: &Plan, verdict: &Verdict, options: &Options) {
    if verdict.violations.is_empty() {
        return;
    }
    let mut text = format!("seed {}: {} broken\n", plan.seed, verdict.violations.len());
    for violation in verdict.violations.iter().take(SHOWN) {
        let _ = writeln!(text, "  {violation}");
    }
    if let Some(steps) = (!plan.steps.is_empty()).then_some(&plan.steps) {
        let _ = writeln!(
            text,
            "  {:?}, fallback {}, blob store {}, window {}",
            plan.deployment, plan.fallback, plan.blob_store, plan.window
        );
        for step in steps {
            let _ = writeln!(text, "  at {:5}: {:?}", step.at, step.action);
        }
    }
    let sabotage = options.sabotage.as_ref();
    let sabotage = sabotage.map_or(String::new(), |mode| format!(" --sabotage {mode}"));
    let _ = writeln!(
        text,
        "  again with: cargo xtask lab --seed {} --deliveries {}{sabotage}",
        plan.seed, plan.deliveries
    );
    print!("{text}");
}
