//! Does the steps of a plan: to the process, and to its surroundings.

use super::displaced_files::DisplacedFiles;
use super::{FaultInjector, Inner};
use crate::database::Database;
use crate::fault::{Component, Fault};
use crate::plan::{Action, Jump};
use crate::seed_dir;
use rusqlite::Connection;
use rustix::process::Signal;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Bytes that a file may still grow by when the disk is "full".
const ROOM_BYTES: u64 = 32 * 1024;

impl FaultInjector<'_> {
    /// Does one step.
    pub(super) fn act(&self, inner: &mut Inner, action: &Action) {
        match action {
            Action::Kill { replica } => {
                let replica = self.one_of_those_that_run(*replica);
                self.trouble_of(replica);
                self.faults_on(Fault::Killed);
                self.kill(inner, replica);
                self.start(inner, replica);
                self.faults_off(Fault::Killed);
            }
            Action::Stop { replica } => {
                let replica = self.one_of_those_that_run(*replica);
                self.trouble_of(replica);
                self.faults_on(Fault::Stopped);
                self.stop_with_requests(inner, replica);
                self.start(inner, replica);
                self.faults_off(Fault::Stopped);
            }
            Action::Freeze { replica, ms } => {
                let replica = self.one_of_those_that_run(*replica);
                self.trouble_of(replica);
                self.faults_on(Fault::Frozen);
                let program = inner.programs[replica].as_ref().unwrap();
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
                self.seed_dir.write_secrets(self.plan.seed, generation);
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
                let program = inner.programs[0].as_mut().unwrap();
                program.order(&set);
                if let Some(seconds) = slept {
                    program.order(&format!("sleep {seconds}"));
                }
                self.faults_off(Fault::ClockJump);
            }
            Action::Begin(fault, form, replica) => {
                match fault {
                    Fault::Severed => self.trouble_of(*replica),
                    _ => self.trouble(),
                }
                self.faults_on(*fault);
                match self.database_with(*fault) {
                    Some(mut database) => database.begin(*fault, form, *replica),
                    None => self.begin(inner, *fault, form),
                }
            }
            Action::End(fault) => {
                if fault.component() == Component::Database {
                    // Also those that were started meanwhile.
                    self.trouble();
                }
                match self.database_with(*fault) {
                    Some(mut database) => database.end(*fault),
                    None => self.end(inner, *fault),
                }
                self.faults_off(*fault);
            }
        }
    }

    /// A plan names one of several replicas, also where there is one process alone.
    fn one_of_those_that_run(&self, replica: usize) -> usize {
        replica % self.plan.processes()
    }

    /// The database, if this is a fault of it, or of the ways to it.
    fn database_with(&self, fault: Fault) -> Option<MutexGuard<'_, Database>> {
        let is_its = matches!(fault.component(), Component::Database | Component::Network);
        let database = self.database.filter(|_| is_its)?;
        Some(database.lock().unwrap())
    }

    fn begin(&self, inner: &mut Inner, fault: Fault, form: &str) {
        let component = match fault {
            Fault::QueueLocked => {
                let lock = Connection::open(seed_dir::queue(self.seed_dir.folder())).unwrap();
                lock.busy_timeout(Duration::from_secs(60)).unwrap();
                lock.execute_batch("BEGIN IMMEDIATE").unwrap();
                inner.lock = Some(lock);
                return;
            }
            Fault::QueueDisplaced => {
                let program = inner.programs[0].as_ref().unwrap();
                inner.displaced = Some(DisplacedFiles::begin(self.seed_dir, program, form));
                return;
            }
            Fault::DiskFull => {
                let limit = self.seed_dir.journal_bytes() + ROOM_BYTES;
                inner.limit = Some(limit);
                let program = inner.programs[0].as_ref().unwrap();
                program.limit_files(Some(limit));
                return;
            }
            Fault::SecretsDown if form == "missing" => return self.seed_dir.hide_secrets(true),
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
        inner.programs[0].as_mut().unwrap().order(&order);
    }

    fn end(&self, inner: &mut Inner, fault: Fault) {
        match fault {
            Fault::QueueLocked => {
                if let Some(lock) = inner.lock.take() {
                    lock.execute_batch("ROLLBACK").unwrap();
                }
            }
            Fault::QueueDisplaced => {
                if let Some(displaced) = inner.displaced.take() {
                    self.trouble();
                    self.kill(inner, 0);
                    displaced.put_right(self.seed_dir);
                    self.start(inner, 0);
                }
            }
            Fault::DiskFull => {
                inner.limit = None;
                inner.programs[0].as_ref().unwrap().limit_files(None);
            }
            _ => {
                let told = inner.orders.iter().position(|(of, _)| *of == fault);
                match told {
                    Some(at) => {
                        let (_, order) = inner.orders.remove(at);
                        let component = order.split(' ').next().unwrap();
                        let program = inner.programs[0].as_mut().unwrap();
                        program.order(&format!("{component} fine"));
                    }
                    None => self.seed_dir.hide_secrets(false),
                }
            }
        }
    }
}
