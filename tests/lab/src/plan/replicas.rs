//! Plans of several replicas over one database.

use super::{Action, Deployment, Plan, SPOOL_THRESHOLDS};
use crate::fault::Fault;
use labelrelay_tests::random::Random;

/// Replicas that run at once.
pub(crate) const REPLICAS: usize = 3;

/// The form of a promotion in which the standby lacks what was committed last: nobody waited for it.
pub(crate) const LATE_PROMOTION: &str = "after cancelled waits";

impl Plan {
    /// The plan of this seed for several replicas. Repeats are always recognised there.
    pub(crate) fn of_replicas(seed: u64, deliveries: u32) -> Self {
        let mut random = Random::new(seed);
        let mut plan = Self {
            seed,
            deliveries,
            deployment: Deployment::Replicas,
            fallback: random.below(100) < 40,
            blob_store: random.below(100) < 70,
            window: true,
            derives: false,
            ends_by_kill: random.below(2) == 0,
            spool_threshold: SPOOL_THRESHOLDS[usize::try_from(random.below(4)).unwrap()],
            steps: Vec::new(),
        };
        plan.draw_steps(&mut random);
        plan
    }

    /// Number of processes that run at once.
    pub(crate) fn processes(&self) -> usize {
        match self.deployment {
            Deployment::Serve | Deployment::Laboratory => 1,
            Deployment::Replicas => REPLICAS,
        }
    }

    /// Tells whether the database that takes over lacks what was there to see in the one before. Who consumed from both
    /// would get events that were never accepted, and the same again once they are.
    pub(crate) fn takes_back(&self) -> bool {
        let late = |action: &Action| matches!(action, Action::Begin(_, LATE_PROMOTION, _));
        self.steps.iter().any(|step| late(&step.action))
    }
}

/// One of the faults that can befall replicas.
pub(super) fn draw_fault(random: &mut Random) -> Fault {
    const ALL: [Fault; 13] = [
        Fault::Killed,
        Fault::Killed,
        Fault::Frozen,
        Fault::Stopped,
        Fault::Stopped,
        Fault::SecretsRotated,
        Fault::Severed,
        Fault::Severed,
        Fault::DatabaseDown,
        Fault::DatabaseDown,
        Fault::StandbyDown,
        Fault::Promoted,
        Fault::Promoted,
    ];
    ALL[usize::try_from(random.below(ALL.len() as u64)).unwrap()]
}
