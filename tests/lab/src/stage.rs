//! Brings the faults about, at their delivery, under the load.

use crate::broken::{Broken, What};
use crate::fault::{Fault, Faults};
use crate::plan::{Action, Jump, Plan};
use crate::program::{Log, Program, Start};
use crate::site::{self, Site};
use rusqlite::Connection;
use rustix::process::Signal;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

/// What `kill -9` sends.
const SIGKILL: i32 = 9;

/// What a file may still grow by when the disk is "full".
const ROOM_BYTES: u64 = 32 * 1024;

/// The program under test, and what is wrong with the world just now.
pub(crate) struct Stage<'a> {
    plan: &'a Plan,
    site: &'a Site,
    labelrelay: &'a Path,
    sabotage: Option<&'a str>,
    /// The next step is at this delivery.
    next_at: AtomicU32,
    inner: Mutex<Inner>,
    /// Which process runs, and where it listens.
    running: RwLock<(u32, SocketAddr)>,
    /// What is wrong now.
    faults: AtomicU32,
    /// How often each fault has begun.
    begun: [AtomicU32; Fault::ALL.len()],
    rotations: AtomicU32,
    /// Processes that something other than a sender befell.
    troubled: Mutex<Vec<u32>>,
    broken: Mutex<Vec<Broken>>,
}

struct Inner {
    next: usize,
    program: Option<Program>,
    /// Orders that a new laboratory server has to be given again.
    orders: Vec<(Fault, String)>,
    /// Seconds that the time of day is ahead by.
    ahead: i64,
    lock: Option<Connection>,
    limit: Option<u64>,
    /// The process was told to kill itself when it comes to it; it may yet, whatever it was told since.
    armed: bool,
}

/// A moment: what is wrong, and how far things have come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    faults: Faults,
    /// How often each fault has begun.
    begun: [u32; Fault::ALL.len()],
    pub(crate) process: u32,
    pub(crate) rotations: u32,
}

impl Moment {
    /// What was wrong at some time between this moment and a later one.
    pub(crate) fn until(&self, later: &Self) -> Faults {
        let begun = Fault::ALL
            .into_iter()
            .zip(self.begun.iter().zip(&later.begun));
        let begun = begun.filter(|(_, (before, after))| before != after);
        let all = begun.map(|(fault, _)| Faults::of(fault));
        all.fold(self.faults.and(later.faults), Faults::and)
    }
}

impl<'a> Stage<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        site: &'a Site,
        labelrelay: &'a Path,
        sabotage: Option<&'a str>,
    ) -> Self {
        let stage = Self {
            plan,
            site,
            labelrelay,
            sabotage,
            next_at: AtomicU32::new(plan.steps.first().map_or(u32::MAX, |step| step.at)),
            inner: Mutex::new(Inner {
                next: 0,
                program: None,
                orders: Vec::new(),
                ahead: 0,
                lock: None,
                limit: None,
                armed: false,
            }),
            running: RwLock::new((0, SocketAddr::from(([127, 0, 0, 1], 0)))),
            faults: AtomicU32::new(0),
            begun: std::array::from_fn(|_| AtomicU32::new(0)),
            rotations: AtomicU32::new(0),
            troubled: Mutex::default(),
            broken: Mutex::default(),
        };
        let mut inner = stage.inner.lock().unwrap();
        stage.start(&mut inner);
        drop(inner);
        stage
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

    pub(crate) fn now(&self) -> Moment {
        let (process, _) = *self.running.read().unwrap();
        Moment {
            faults: Faults(self.faults.load(Ordering::Acquire)),
            begun: std::array::from_fn(|at| self.begun[at].load(Ordering::Acquire)),
            process,
            rotations: self.rotations.load(Ordering::Acquire),
        }
    }

    /// Number and address of the process that runs.
    pub(crate) fn running(&self) -> (u32, SocketAddr) {
        *self.running.read().unwrap()
    }

    /// Nobody answers at the address of `process`: sees to it that there is another one.
    pub(crate) fn revive(&self, process: u32) {
        let mut inner = self.inner.lock().unwrap();
        if self.running().0 != process {
            return;
        }
        let Some(status) = inner.program.as_mut().and_then(Program::ended) else {
            return;
        };
        if !(inner.armed && status.signal() == Some(SIGKILL)) {
            let detail = format!("the process ended by itself: {status}");
            let broken = Broken::general(What::Process, detail);
            self.broken.lock().unwrap().push(broken);
        }
        self.trouble();
        self.kill(&mut inner);
        self.start(&mut inner);
    }

    fn act(&self, inner: &mut Inner, action: &Action) {
        match action {
            Action::Kill => {
                self.trouble();
                self.faults_on(Fault::Killed);
                self.kill(inner);
                self.start(inner);
                self.faults_off(Fault::Killed);
            }
            Action::Freeze { ms } => {
                self.trouble();
                self.faults_on(Fault::Frozen);
                let program = inner.program.as_ref().unwrap();
                program.signal(Signal::STOP);
                // The length of the fault itself; nothing is waited for.
                std::thread::sleep(Duration::from_millis(*ms));
                program.signal(Signal::CONT);
                self.faults_off(Fault::Frozen);
            }
            Action::Rotate => {
                let generation = self.rotations.load(Ordering::Acquire) + 1;
                self.faults_on(Fault::SecretsRotated);
                // Before: whoever is on the way from now on may come too late with the oldest secret.
                self.rotations.store(generation, Ordering::Release);
                self.site.write_secrets(self.plan.seed, generation);
                self.faults_off(Fault::SecretsRotated);
            }
            Action::Jump(jump) => {
                self.trouble();
                self.faults_on(Fault::ClockJump);
                let slept = match jump {
                    Jump::TimeOfDay(seconds) => {
                        inner.ahead += seconds;
                        None
                    }
                    Jump::Slept(seconds) => {
                        inner.ahead += i64::try_from(*seconds).unwrap();
                        Some(*seconds)
                    }
                };
                let set = format!("time-of-day {}", inner.ahead);
                let program = inner.program.as_mut().unwrap();
                program.order(&set);
                if let Some(seconds) = slept {
                    program.order(&format!("sleep {seconds}"));
                }
                self.faults_off(Fault::ClockJump);
            }
            Action::Begin(fault, form) => {
                self.trouble();
                self.faults_on(*fault);
                self.begin(inner, *fault, form);
            }
            Action::End(fault) => {
                self.end(inner, *fault);
                self.faults_off(*fault);
            }
        }
    }

    fn begin(&self, inner: &mut Inner, fault: Fault, form: &str) {
        let component = match fault {
            Fault::QueueLocked => {
                let lock = Connection::open(site::queue(self.site.folder())).unwrap();
                lock.busy_timeout(Duration::from_secs(60)).unwrap();
                lock.execute_batch("BEGIN IMMEDIATE").unwrap();
                inner.lock = Some(lock);
                return;
            }
            Fault::DiskFull => {
                let limit = self.site.journal_bytes() + ROOM_BYTES;
                inner.limit = Some(limit);
                inner.program.as_ref().unwrap().limit_files(Some(limit));
                return;
            }
            Fault::SecretsDown if form == "missing" => return self.site.hide_secrets(true),
            Fault::SecretsDown => "secrets",
            Fault::FallbackDown => "fallback",
            Fault::BlobsDown | Fault::KilledBetween => "blobs",
            _ => "queue",
        };
        let form = if fault == Fault::KilledBetween {
            inner.armed = true;
            "killing"
        } else {
            form
        };
        inner.orders.push((fault, format!("{component} {form}")));
        let order = format!("{component} {form}");
        inner.program.as_mut().unwrap().order(&order);
    }

    fn end(&self, inner: &mut Inner, fault: Fault) {
        match fault {
            Fault::QueueLocked => {
                if let Some(lock) = inner.lock.take() {
                    lock.execute_batch("ROLLBACK").unwrap();
                }
            }
            Fault::DiskFull => {
                inner.limit = None;
                inner.program.as_ref().unwrap().limit_files(None);
            }
            _ => {
                let told = inner.orders.iter().position(|(of, _)| *of == fault);
                match told {
                    Some(at) => {
                        let (_, order) = inner.orders.remove(at);
                        let component = order.split(' ').next().unwrap();
                        let program = inner.program.as_mut().unwrap();
                        program.order(&format!("{component} fine"));
                    }
                    None => self.site.hide_secrets(false),
                }
            }
        }
    }

    /// Processes that something befell so far.
    pub(crate) fn troubled(&self) -> Vec<u32> {
        self.troubled.lock().unwrap().clone()
    }

    /// Ends whatever is wrong, then the process, as the plan says. Returns what was broken so far, and
    /// which processes were troubled.
    pub(crate) fn end_all(self) -> (Vec<Broken>, Vec<u32>) {
        self.reach(u32::MAX - 1);
        let mut inner = self.inner.lock().unwrap();
        let armed = inner.armed;
        let is_gone = inner
            .program
            .as_mut()
            .is_some_and(|it| it.ended().is_some());
        if self.plan.ends_by_kill || (armed && is_gone) {
            self.trouble();
            self.kill(&mut inner);
        } else if let Some(program) = inner.program.take() {
            let (status, log) = program.stop();
            if !status.is_some_and(|status| status.success()) {
                let status = status.map_or("not at all".to_owned(), |it| it.to_string());
                self.note(&log, &format!("asked to stop, it ended: {status}"));
            }
            self.read(&log);
        }
        drop(inner);
        (
            self.broken.into_inner().unwrap(),
            self.troubled.into_inner().unwrap(),
        )
    }

    fn start(&self, inner: &mut Inner) {
        let start = Start {
            site: self.site,
            labelrelay: self.labelrelay,
            sabotage: self.sabotage,
            ahead: inner.ahead,
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
        let mut running = self.running.write().unwrap();
        *running = (running.0 + 1, program.address);
        inner.program = Some(program);
    }

    fn kill(&self, inner: &mut Inner) {
        if let Some(program) = inner.program.take() {
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
        let broken = Broken::general(What::Process, format!("{what}; its last words:{last}"));
        self.broken.lock().unwrap().push(broken);
    }

    fn trouble(&self) {
        let (process, _) = self.running();
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
