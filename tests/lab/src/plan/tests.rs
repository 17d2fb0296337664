use super::*;
use std::collections::HashSet;

#[test]
fn a_seed_is_one_plan() {
    for seed in 0..200 {
        let plan = Plan::of(seed, 2000);
        assert_eq!(plan.steps, Plan::of(seed, 2000).steps);
        assert!(plan.steps.is_sorted_by_key(|step| step.at));
        assert!(plan.steps.iter().all(|step| step.at < 2000));
    }
}

/// Red if all seeds have derived events, or few of them.
#[test]
fn two_seeds_of_three_derive() {
    let derives = |seed: &u64| Plan::of(*seed, 2000).derives;
    assert_eq!((0..300).filter(derives).count(), 200);
    assert!(!(0..3).any(|seed| Plan::of_replicas(seed, 2000).derives));
}

#[test]
fn every_fault_is_drawn_and_ends() {
    let mut seen = HashSet::new();
    for seed in 0..400u64 {
        let mut open = HashSet::new();
        let plan = if seed.is_multiple_of(2) {
            Plan::of(seed, 2000)
        } else {
            Plan::of_replicas(seed, 2000)
        };
        for step in plan.steps {
            match step.action {
                Action::Kill { .. } => _ = seen.insert(Fault::Killed),
                Action::Stop { .. } => _ = seen.insert(Fault::Stopped),
                Action::Freeze { .. } => _ = seen.insert(Fault::Frozen),
                Action::Rotate => _ = seen.insert(Fault::SecretsRotated),
                Action::Jump(_) => _ = seen.insert(Fault::ClockJump),
                Action::Begin(fault, ..) => {
                    seen.insert(fault);
                    assert!(open.insert(fault), "{fault:?} within itself");
                }
                Action::End(fault) => assert!(open.remove(&fault), "{fault:?} never began"),
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
    let drawn = Fault::ALL
        .iter()
        .filter(|fault| fault.component() != Component::Sender);
    for fault in drawn {
        assert!(seen.contains(fault), "{fault:?}");
    }
}
