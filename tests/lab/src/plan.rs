//! Makes a plan from a seed, everything that will be done: a pure function.

mod replicas;

use crate::fault::{Component, Fault};
use labelrelay_tests::random::Random;

pub(crate) use replicas::{LATE_PROMOTION, REPLICAS};

/// A repeat is recognised within this time, where it is recognised at all. Longer than any seed takes, on
/// however slow a machine.
pub(crate) const WINDOW_SECONDS: u64 = 3600;

/// An answer is out by then; short, so that what hangs does not hang for long.
pub(crate) const DEADLINE_MS: u64 = 250;

/// Largest envelope that the laboratory server's queue takes: what is larger needs a claim check.
pub(crate) const LABORATORY_LIMIT: u64 = 64 * 1024;

/// Spool thresholds: nearly everything is spooled, what is not small, what the laboratory server's queue does not
/// take, and what is by default.
const SPOOL_THRESHOLDS: [u64; 4] = [64, 2000, LABORATORY_LIMIT, 1024 * 1024];

/// Which program is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deployment {
    /// `labelrelay serve`.
    Serve,
    /// The laboratory server.
    Laboratory,
    /// Several of `labelrelay serve`, over one Postgres with a standby.
    Replicas,
}

/// Everything that a seed decides.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own"
)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) deliveries: u32,
    pub(crate) deployment: Deployment,
    pub(crate) fallback: bool,
    pub(crate) blob_store: bool,
    /// Larger bodies go to the disk while they arrive.
    pub(crate) spool_threshold: u64,
    /// `true` if the queue recognises repeats.
    pub(crate) window: bool,
    /// `true` if the queue adds derived events.
    pub(crate) derives: bool,
    /// `true` if the last process is killed, `false` if it is asked to stop.
    pub(crate) ends_by_kill: bool,
    /// In order.
    pub(crate) steps: Vec<Step>,
}

/// A step that happens before the delivery with this number is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) at: u32,
    pub(crate) action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// The process is killed and started again.
    Kill { replica: usize },
    /// The process is stopped for this long, and goes on.
    Freeze { replica: usize, ms: u64 },
    /// The process is asked to stop while whole requests are in its buffers, and started again.
    Stop { replica: usize },
    /// All sources get a new secret; the one before stays good.
    Rotate,
    /// The clock of the laboratory server jumps.
    Jump(Jump),
    /// A fault begins, in one of its forms. What befalls one of several replicas befalls this one.
    Begin(Fault, &'static str, usize),
    /// End of a fault.
    End(Fault),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Jump {
    /// The time of day, by so many seconds.
    TimeOfDay(i64),
    /// Both clocks: the machine slept.
    Slept(u64),
}

impl Plan {
    pub(crate) fn of(seed: u64, deliveries: u32) -> Self {
        let mut random = Random::new(seed);
        let deployment = if random.below(2) == 0 {
            Deployment::Serve
        } else {
            Deployment::Laboratory
        };
        let mut plan = Self {
            seed,
            deliveries,
            deployment,
            fallback: random.below(100) < 60,
            blob_store: random.below(100) < 70,
            window: random.below(100) < 90,
            // Not drawn, so that what is drawn of a seed does not depend on it.
            derives: !seed.is_multiple_of(3),
            ends_by_kill: random.below(2) == 0,
            spool_threshold: SPOOL_THRESHOLDS[usize::try_from(random.below(4)).unwrap()],
            steps: Vec::new(),
        };
        plan.draw_steps(&mut random);
        plan
    }

    /// Number of rotations of secrets before delivery `number` is sent.
    pub(crate) fn generation(&self, number: u32) -> u32 {
        let done = self.steps.iter().filter(|step| step.at <= number);
        let rotations = done.filter(|step| step.action == Action::Rotate);
        u32::try_from(rotations.count()).unwrap()
    }

    fn draw_steps(&mut self, random: &mut Random) {
        let episodes = 4 + random.below(5);
        let mut taken: Vec<Episode> = Vec::new();
        for _ in 0..episodes {
            let episode = self.draw(random);
            if taken.iter().all(|other| episode.goes_with(other)) {
                taken.push(episode);
            }
        }
        self.steps = taken.into_iter().flat_map(Episode::steps).collect();
        self.steps.sort_by_key(|step| step.at);
    }

    fn draw(&self, random: &mut Random) -> Episode {
        let fault = self.draw_fault(random);
        let span = u64::from(self.deliveries);
        let at = span / 20 + random.below(span * 17 / 20);
        let (form, length) = self.fault_form(fault, random);
        let end = (at + length).min(span - 1);
        Episode {
            fault,
            form,
            at: u32::try_from(at).unwrap(),
            end: u32::try_from(end).unwrap(),
            amount: random.below(1000),
        }
    }

    fn draw_fault(&self, random: &mut Random) -> Fault {
        const OUTSIDE: [Fault; 9] = [
            Fault::Killed,
            Fault::Killed,
            Fault::Frozen,
            Fault::QueueLocked,
            Fault::DiskFull,
            Fault::QueueDisplaced,
            Fault::Stopped,
            Fault::SecretsRotated,
            Fault::SecretsDown,
        ];
        const INSIDE: [Fault; 8] = [
            Fault::QueueRefusing,
            Fault::QueueHanging,
            Fault::QueueSlow,
            Fault::QueueLying,
            Fault::FallbackDown,
            Fault::BlobsDown,
            Fault::KilledBetween,
            Fault::ClockJump,
        ];
        if self.deployment == Deployment::Replicas {
            return replicas::draw_fault(random);
        }
        loop {
            let outside = self.deployment == Deployment::Serve || random.below(3) == 0;
            let faults: &[Fault] = if outside { &OUTSIDE } else { &INSIDE };
            let fault = faults[usize::try_from(random.below(faults.len() as u64)).unwrap()];
            let there = match fault {
                Fault::FallbackDown => self.fallback,
                Fault::BlobsDown | Fault::KilledBetween => self.blob_store,
                _ => true,
            };
            if there {
                return fault;
            }
        }
    }

    /// In which form a fault comes, and for how many deliveries. Where each delivery then waits for its
    /// deadline, for few.
    fn fault_form(&self, fault: Fault, random: &mut Random) -> (&'static str, u64) {
        let many = 40 + random.below(200);
        let few = 8 + random.below(24);
        // With a fallback the circuit breaker makes answers fast again.
        let either = if self.fallback { many } else { few };
        let mut one_of = |forms: &[&'static str]| {
            forms[usize::try_from(random.below(forms.len() as u64)).unwrap()]
        };
        match fault {
            Fault::QueueRefusing => (
                one_of(&["unavailable", "throttled", "full", "denied"]),
                either,
            ),
            Fault::QueueHanging => (one_of(&["hanging", "hanging"]), either),
            Fault::QueueLying => (one_of(&["lying", "lying-late"]), either),
            Fault::QueueSlow => ("slow", many),
            Fault::FallbackDown | Fault::BlobsDown => {
                (one_of(&["refusing", "lying", "hanging"]), many)
            }
            Fault::SecretsDown if self.deployment == Deployment::Laboratory => {
                match one_of(&["missing", "refusing", "hanging"]) {
                    "hanging" => ("hanging", few),
                    form => (form, many),
                }
            }
            Fault::SecretsDown => ("missing", many),
            Fault::QueueDisplaced => (one_of(&["removed", "replaced", "cut off"]), either),
            Fault::KilledBetween => ("", many),
            Fault::DatabaseDown => (one_of(&["stopped", "crashed", "hung"]), either),
            Fault::Severed => (one_of(&["silent", "reset"]), either),
            Fault::Promoted => (one_of(&["at once", LATE_PROMOTION]), few),
            _ => ("", either),
        }
    }
}

/// One fault, from beginning to end.
struct Episode {
    fault: Fault,
    form: &'static str,
    at: u32,
    end: u32,
    /// Its amount, for faults that come in amounts.
    amount: u64,
}

impl Episode {
    fn is_a_moment(&self) -> bool {
        matches!(
            self.fault,
            Fault::Killed
                | Fault::Stopped
                | Fault::Frozen
                | Fault::SecretsRotated
                | Fault::ClockJump
        )
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.at <= other.end && other.at <= self.end
    }

    /// Tells whether both may be in one plan.
    fn goes_with(&self, other: &Self) -> bool {
        if !self.overlaps(other) {
            return true;
        }
        let pair = |one: &Self, two: &Self| match one.fault {
            // Nothing starts then: another program has the file, or there is no secret to start with.
            Fault::Killed | Fault::KilledBetween | Fault::Stopped => {
                matches!(
                    two.fault,
                    Fault::QueueLocked
                        | Fault::SecretsDown
                        | Fault::DiskFull
                        | Fault::QueueDisplaced
                        | Fault::Severed
                ) || two.form == "hung"
            }
            // The end of this fault is a new process, which needs its secrets.
            Fault::QueueDisplaced => two.fault == Fault::SecretsDown,
            _ => false,
        };
        let same = self.fault.component() == other.fault.component()
            && self.fault.component() != Component::Clock;
        !same && !pair(self, other) && !pair(other, self)
    }

    fn steps(self) -> Vec<Step> {
        // Where there is one alone, nobody asks.
        let replica = usize::try_from(self.amount).unwrap() % REPLICAS;
        let action = match self.fault {
            Fault::Killed => Action::Kill { replica },
            Fault::Stopped => Action::Stop { replica },
            Fault::Frozen => Action::Freeze {
                replica,
                ms: self.amount % 400,
            },
            Fault::SecretsRotated => Action::Rotate,
            Fault::ClockJump => Action::Jump(jump(self.amount)),
            fault => Action::Begin(fault, self.form, replica),
        };
        let (at, end) = (self.at, self.end);
        let mut steps = vec![Step { at, action }];
        if !self.is_a_moment() {
            let action = Action::End(self.fault);
            steps.push(Step { at: end, action });
        }
        steps
    }
}

/// Small and large ones, back and forth; some longer than the window, some longer than a secret may be kept.
fn jump(amount: u64) -> Jump {
    const SECONDS: [i64; 8] = [1, -1, 30, -30, 3600, -3600, 86_400, -86_400];
    let which = usize::try_from(amount % 12).unwrap();
    match SECONDS.get(which) {
        Some(seconds) => Jump::TimeOfDay(*seconds),
        None => Jump::Slept([2, 40, 310, 4000][which - SECONDS.len()]),
    }
}

#[cfg(test)]
mod tests;
