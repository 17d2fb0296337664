//! Injects the faults, each at its delivery, under the load.

mod actions;
mod displaced_files;
mod snapshot;
mod stop;

use crate::database::Database;
use crate::fault::{Fault, Faults};
use crate::plan::Plan;
use crate::process::{Log, Program, Start};
use crate::record::Record;
use crate::seed_dir::SeedDir;
use crate::violation::{Violation, ViolationKind};
use displaced_files::DisplacedFiles;
use rusqlite::Connection;
use snapshot::Snapshot;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, RwLock};

/// Signal of `kill -9`.
const SIGKILL: i32 = 9;

/// The program under test, and what is wrong with the world just now.
pub(crate) struct FaultInjector<'a> {
    plan: &'a Plan,
    seed_dir: &'a SeedDir,
    labelrelay: &'a Path,
    sabotage: Option<&'a str>,
    /// What replicas share.
    database: Option<&'a Mutex<Database>>,
    /// The next step is at this delivery.
    next_at: AtomicU32,
    inner: Mutex<Inner>,
    /// Processes that were started.
    processes: AtomicU32,
    /// Which processes run, and where they listen: one, or one of each replica.
    running: RwLock<Vec<(u32, SocketAddr)>>,
    /// Faults of this moment.
    faults: AtomicU32,
    /// Number of times that each fault has begun.
    begun: [AtomicU32; Fault::ALL.len()],
    rotations: AtomicU32,
    /// Processes that something other than a sender befell.
    troubled: Mutex<Vec<u32>>,
    violations: Mutex<Vec<Violation>>,
    /// Deliveries that the stage made itself.
    records: Mutex<Vec<Record>>,
}

struct Inner {
    next: usize,
    /// One, or one of each replica.
    programs: Vec<Option<Program>>,
    /// Orders that a new laboratory server has to be given again.
    orders: Vec<(Fault, String)>,
    /// Seconds that the time of day is ahead by.
    ahead: i64,
    lock: Option<Connection>,
    limit: Option<u64>,
    displaced: Option<DisplacedFiles>,
    /// The process was told to kill itself when it comes to it; it may yet, whatever it was told since.
    armed: bool,
}

impl<'a> FaultInjector<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        seed_dir: &'a SeedDir,
        labelrelay: &'a Path,
        sabotage: Option<&'a str>,
        database: Option<&'a Mutex<Database>>,
    ) -> Self {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let injector = Self {
            plan,
            seed_dir,
            labelrelay,
            sabotage,
            database,
            next_at: AtomicU32::new(plan.steps.first().map_or(u32::MAX, |step| step.at)),
            inner: Mutex::new(Inner {
                next: 0,
                programs: (0..plan.processes()).map(|_| None).collect(),
                orders: Vec::new(),
                ahead: 0,
                lock: None,
                limit: None,
                displaced: None,
                armed: false,
            }),
            processes: AtomicU32::new(0),
            running: RwLock::new(vec![(0, nowhere); plan.processes()]),
            faults: AtomicU32::new(0),
            begun: std::array::from_fn(|_| AtomicU32::new(0)),
            rotations: AtomicU32::new(0),
            troubled: Mutex::default(),
            violations: Mutex::default(),
            records: Mutex::default(),
        };
        let mut inner = injector.inner.lock().unwrap();
        for replica in 0..plan.processes() {
            injector.start(&mut inner, replica);
        }
        drop(inner);
        injector
    }

    /// Takes the steps that come before delivery `number`; whoever sends a later one waits for them.
    pub(crate) fn reach(&self, number: u32) {
        if number < self.next_at.load(Ordering::Acquire) {
            return;
        }
        let mut inner = self.inner.lock().unwrap();
        while let Some(step) = self.plan.steps.get(inner.next) {
            if step.at > number {
                break;
            }
            self.act(&mut inner, &step.action);
            inner.next += 1;
        }
        let next = self.plan.steps.get(inner.next);
        let next_at = next.map_or(u32::MAX, |step| step.at);
        self.next_at.store(next_at, Ordering::Release);
    }

    /// Which of the processes that run at once gets this delivery.
    pub(crate) fn replica(&self, number: u32) -> usize {
        usize::try_from(number).unwrap() % self.plan.processes()
    }

    pub(crate) fn now(&self, replica: usize) -> Snapshot {
        let (process, _) = self.running(replica);
        Snapshot {
            faults: Faults(self.faults.load(Ordering::Acquire)),
            begun: std::array::from_fn(|at| self.begun[at].load(Ordering::Acquire)),
            process,
            rotations: self.rotations.load(Ordering::Acquire),
        }
    }

    /// Number and address of the process that runs there.
    pub(crate) fn running(&self, replica: usize) -> (u32, SocketAddr) {
        self.running.read().unwrap()[replica]
    }

    /// The same of all, beginning with this one.
    pub(crate) fn all_running(&self, first: usize) -> Vec<(u32, SocketAddr)> {
        let mut running = self.running.read().unwrap().clone();
        running.rotate_left(first);
        running
    }

    /// Number of processes that were started.
    pub(crate) fn processes(&self) -> u32 {
        self.processes.load(Ordering::Acquire)
    }

    /// Starts another process if `process`, which does not answer, is still the current one.
    pub(crate) fn revive(&self, process: u32) {
        let mut inner = self.inner.lock().unwrap();
        let mut running = self.running.read().unwrap().clone().into_iter();
        let Some(replica) = running.position(|(running, _)| running == process) else {
            return;
        };
        let program = inner.programs[replica].as_mut();
        let Some(status) = program.and_then(Program::ended) else {
            return;
        };
        if !(inner.armed && status.signal() == Some(SIGKILL)) {
            let detail = format!("the process ended by itself: {status}");
            let violation = Violation::general(ViolationKind::Process, detail);
            self.violations.lock().unwrap().push(violation);
        }
        self.trouble_of(replica);
        self.kill(&mut inner, replica);
        if let Some(displaced) = inner.displaced.take() {
            displaced.put_right(self.seed_dir);
        }
        self.start(&mut inner, replica);
    }

    /// Processes that something befell so far.
    pub(crate) fn troubled(&self) -> Vec<u32> {
        self.troubled.lock().unwrap().clone()
    }

    /// Ends whatever is wrong, then the processes, as the plan says. Returns what was broken so far, and
    /// which processes were troubled, and what the stage delivered itself.
    pub(crate) fn end_all(self) -> (Vec<Violation>, Vec<u32>, Vec<Record>) {
        self.reach(u32::MAX - 1);
        let mut inner = self.inner.lock().unwrap();
        let armed = inner.armed;
        for replica in 0..inner.programs.len() {
            let program = inner.programs[replica].as_mut();
            let is_gone = program.is_some_and(|it| it.ended().is_some());
            if self.plan.ends_by_kill || (armed && is_gone) {
                self.trouble_of(replica);
                self.kill(&mut inner, replica);
            } else if let Some(program) = inner.programs[replica].take() {
                let (status, log) = program.stop();
                if !status.is_some_and(|status| status.success()) {
                    let status = status.map_or("not at all".to_owned(), |it| it.to_string());
                    self.note(&log, &format!("asked to stop, it ended: {status}"));
                }
                self.read(&log);
            }
        }
        drop(inner);
        (
            self.violations.into_inner().unwrap(),
            self.troubled.into_inner().unwrap(),
            self.records.into_inner().unwrap(),
        )
    }

    fn start(&self, inner: &mut Inner, replica: usize) {
        let database = self.database.map(|database| database.lock().unwrap());
        let surroundings = database.map(|database| database.surroundings(replica));
        let start = Start {
            seed_dir: self.seed_dir,
            labelrelay: self.labelrelay,
            sabotage: self.sabotage,
            ahead: inner.ahead,
            replica,
            surroundings: surroundings.unwrap_or_default(),
        };
        let mut program = start
            .program(self.plan.deployment)
            .unwrap_or_else(|message| panic!("seed {}: {message}", self.plan.seed));
        for (_, order) in &inner.orders {
            program.order(order);
        }
        let between = |(fault, _): &(Fault, String)| *fault == Fault::KilledBetween;
        inner.armed = inner.orders.iter().any(between);
        if inner.limit.is_some() {
            program.limit_files(inner.limit);
        }
        let process = self.processes.fetch_add(1, Ordering::AcqRel) + 1;
        self.running.write().unwrap()[replica] = (process, program.address);
        inner.programs[replica] = Some(program);
    }

    fn kill(&self, inner: &mut Inner, replica: usize) {
        if let Some(program) = inner.programs[replica].take() {
            self.read(&program.kill());
        }
    }

    /// Looks for panics in what a process wrote.
    fn read(&self, log: &Log) {
        for panic in &log.panics {
            self.note(log, panic);
        }
    }

    fn note(&self, log: &Log, what: &str) {
        let last = log.last_words();
        let violation = Violation::general(
            ViolationKind::Process,
            format!("{what}; its last words:{last}"),
        );
        self.violations.lock().unwrap().push(violation);
    }

    /// Something befalls all processes.
    fn trouble(&self) {
        for replica in 0..self.plan.processes() {
            self.trouble_of(replica);
        }
    }

    /// Something befalls this one.
    fn trouble_of(&self, replica: usize) {
        let (process, _) = self.running(replica);
        self.troubled.lock().unwrap().push(process);
    }

    fn faults_on(&self, fault: Fault) {
        self.begun[fault as usize].fetch_add(1, Ordering::AcqRel);
        let bit = Faults::of(fault).0;
        self.faults.fetch_or(bit, Ordering::AcqRel);
    }

    fn faults_off(&self, fault: Fault) {
        let faults = Faults(u32::MAX).without(fault);
        self.faults.fetch_and(faults.0, Ordering::AcqRel);
    }
}
