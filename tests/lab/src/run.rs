//! One seed from its plan to its verdict, and many seeds at once.

use crate::database::Database;
use crate::delivery::Delivery;
use crate::fault_injector::FaultInjector;
use crate::options::Options;
use crate::oracle;
use crate::plan::{Deployment, Plan};
use crate::process::{Program, Start};
use crate::queue::Queue;
use crate::record::{End, Record};
use crate::seed_dir::SeedDir;
use crate::send_request;
use crate::sender::{SENDERS, Sender};
use crate::summary::Summary;
use crate::verdict::Verdict;
use crate::violation::{Violation, ViolationKind};
use labelrelay_event::Digest;
use labelrelay_tests::client::Client;
use rustix::process::Resource;
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
    if options.replicas {
        allow_many_files();
    }
    let summary = Mutex::new(Summary::default());
    let seeds = Mutex::new(options.seeds.clone());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                loop {
                    let is_late = |within: Duration| begun.elapsed() >= within;
                    if options.within.is_some_and(is_late) {
                        return;
                    }
                    let Some(seed) = seeds.lock().unwrap().next() else {
                        return;
                    };
                    let plan = if options.replicas {
                        Plan::of_replicas(seed, options.deliveries)
                    } else {
                        Plan::of(seed, options.deliveries)
                    };
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

/// Lets this program have as many files open as the system permits: it keeps the ports of each seed's servers.
fn allow_many_files() {
    let mut limit = rustix::process::getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where that is not permitted, fewer seeds fit into one run.
    let _ = rustix::process::setrlimit(Resource::Nofile, limit);
}

fn one(plan: &Plan, options: &Options) -> Verdict {
    let seed_dir = SeedDir::new(plan);
    let sabotage = options.sabotage.as_deref();
    let are_replicas = plan.deployment == Deployment::Replicas;
    let database = are_replicas.then(|| Mutex::new(Database::start(sabotage)));
    let database = database.as_ref();
    let consume = |database: &Mutex<Database>| database.lock().unwrap().consume();
    let early = database.filter(|_| !plan.takes_back()).map(consume);
    let injector = FaultInjector::new(plan, &seed_dir, &options.program, sabotage, database);
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
    // No fault is under way any more.
    let consumer = early.or_else(|| database.map(consume));
    let queue = match &consumer {
        Some(consumer) => Queue::Consumed(consumer),
        None => Queue::File(&seed_dir),
    };
    if !plan.ends_by_kill {
        // Senders that hung up have no answer to wait for; asking the process to stop must not overtake them.
        let troubled = injector.troubled();
        eventually(|| oracle::has_hung_up(plan, &seed_dir, &queue, &records, &troubled));
    }
    let processes = injector.processes();
    let (mut violations, troubled, more) = injector.end_all();
    records.extend(more);
    violations.extend(afterwards(
        plan,
        &seed_dir,
        options,
        database,
        &queue,
        &mut records,
    ));
    violations.extend(database.and_then(not_consumed));
    let findings = oracle::check(plan, &seed_dir, &queue, &records, &troubled);
    violations.extend(findings.violations);
    if options.keep && !violations.is_empty() {
        println!("seed {}: kept in {}", plan.seed, seed_dir.keep().display());
    }
    Verdict {
        records,
        violations,
        processes: processes + u32::try_from(plan.processes()).unwrap(),
        derived: findings.derived,
    }
}

/// What is left in the queue of replicas, once everything had time to be consumed.
fn not_consumed(database: &Mutex<Database>) -> Option<Violation> {
    let left = || database.lock().unwrap().left();
    if eventually(|| left() == Some(0)) {
        return None;
    }
    let detail = match left() {
        Some(left) => format!("{left} events stay in the queue, or are dead letters"),
        None => "nobody has made the tables".to_owned(),
    };
    Some(Violation::general(ViolationKind::Stuck, detail))
}

/// Nothing is wrong any more: `labelrelay serve` starts on what is left, takes more, and moves what waits in
/// the fallback into the queue, and derives what is left to derive. All replicas do.
fn afterwards(
    plan: &Plan,
    seed_dir: &SeedDir,
    options: &Options,
    database: Option<&Mutex<Database>>,
    queue: &Queue<'_>,
    records: &mut Vec<Record>,
) -> Vec<Violation> {
    let mut programs = Vec::new();
    for replica in 0..plan.processes() {
        let database = database.map(|database| database.lock().unwrap());
        let surroundings = database.map(|database| database.surroundings(replica));
        let start = Start {
            seed_dir,
            labelrelay: &options.program,
            sabotage: None,
            ahead: 0,
            replica,
            surroundings: surroundings.unwrap_or_default(),
        };
        match start.serve(AFTERWARDS_DEADLINE_MS) {
            Ok(program) => programs.push(program),
            Err(message) => return vec![Violation::general(ViolationKind::Process, message)],
        }
    }
    let mut violations = Vec::new();
    let numbers = plan.deliveries..plan.deliveries + AFTERWARDS;
    for (number, program) in numbers.zip(programs.iter().cycle()) {
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
    if plan.derives {
        // The last process may have left some of this work. What is missing when all of it is done, the oracle finds.
        eventually(|| queue.is_read() || oracle::has_derived(plan, seed_dir, queue, records));
    }
    for program in programs {
        stop(program, &mut violations);
    }
    violations
}

fn stop(program: Program, violations: &mut Vec<Violation>) {
    let (status, log) = program.stop();
    if !status.is_some_and(|status| status.success()) {
        let detail = format!("asked to stop, serve ended with {status:?}");
        violations.push(Violation::general(ViolationKind::Process, detail));
    }
    let panics = log.panics.into_iter();
    violations.extend(panics.map(|line| Violation::general(ViolationKind::Process, line)));
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
            "  {:?}, fallback {}, blob store {}, window {}, derived events {}",
            plan.deployment, plan.fallback, plan.blob_store, plan.window, plan.derives
        );
        for step in steps {
            let _ = writeln!(text, "  at {:5}: {:?}", step.at, step.action);
        }
    }
    let sabotage = options.sabotage.as_ref();
    let sabotage = sabotage.map_or(String::new(), |mode| format!(" --sabotage {mode}"));
    let replicas = if options.replicas { " --replicas" } else { "" };
    let _ = writeln!(
        text,
        "  again with: cargo xtask lab --seed {} --deliveries {}{replicas}{sabotage}",
        plan.seed, plan.deliveries
    );
    print!("{text}");
}
