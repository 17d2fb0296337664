use super::*;
use crate::plan::Plan;

fn version(number: u32) -> String {
    format!("2020-01-01T00:00:00.{number:09}Z")
}

/// Takes in what events tell, each of a newer version than the one before; what follows from each.
fn follow(told: Vec<Told>) -> Vec<Vec<Follows>> {
    let mut tasks = Tasks::default();
    (1..)
        .zip(told)
        .map(|(number, told)| tasks.take_in(&told, &version(number)))
        .collect()
}

fn annotation(annotation: u32, task: u32) -> Told {
    Told::Annotation {
        annotation,
        task,
        is_labelled: None,
    }
}

fn completed(task: u32, annotation: u32) -> Vec<Follows> {
    vec![Follows::Completed {
        task,
        annotation: Some(annotation),
    }]
}

fn gone(annotation: u32, task: Option<u32>, newest: Option<u32>) -> Follows {
    Follows::Gone {
        annotation,
        task,
        newest: newest.map(version),
    }
}

#[test]
fn a_task_is_completed_by_what_it_needs_and_again_after_it_was_reopened() {
    let follows = follow(vec![
        Told::Task {
            task: 2,
            overlap: 2,
            is_labelled: false,
        },
        annotation(12, 2),
        annotation(13, 2),
        annotation(13, 2),
        Told::AnnotationsGone(vec![13]),
        annotation(13, 2),
        annotation(14, 2),
    ]);
    let none = Vec::new;
    let expected = [
        none(),
        none(),
        completed(2, 13),
        none(),
        none(),
        none(),
        completed(2, 14),
    ];
    assert_eq!(follows, expected);
}

#[test]
fn what_is_said_of_a_task_counts_before_what_is_counted() {
    let said = |is_labelled| Told::Annotation {
        annotation: 12,
        task: 2,
        is_labelled: Some(is_labelled),
    };
    let follows = follow(vec![
        said(false),
        said(true),
        said(false),
        annotation(13, 2),
    ]);
    let expected = [Vec::new(), completed(2, 12), Vec::new(), completed(2, 13)];
    assert_eq!(follows, expected);
}

#[test]
fn annotations_go_with_others_with_their_task_and_after_it() {
    let follows = follow(vec![
        annotation(12, 2),
        annotation(13, 2),
        annotation(14, 2),
        Told::AnnotationsGone(vec![12, 15]),
        Told::TasksGone(vec![2]),
        annotation(16, 2),
        Told::TasksGone(vec![2]),
        annotation(15, 2),
    ]);
    let expected = [
        completed(2, 12),
        Vec::new(),
        Vec::new(),
        vec![gone(12, Some(2), Some(1)), gone(15, None, None)],
        vec![gone(13, Some(2), Some(2)), gone(14, Some(2), Some(3))],
        vec![gone(16, Some(2), Some(6))],
        Vec::new(),
        Vec::new(),
    ];
    assert_eq!(follows, expected);
}

#[test]
fn a_deletion_names_the_one_task_of_what_is_there() {
    let mut tasks = Tasks::default();
    for (number, told) in [(1, annotation(12, 2)), (2, annotation(18, 3))] {
        tasks.take_in(&told, &version(number));
    }
    assert_eq!(tasks.only_task(&[12]), Some(2));
    assert_eq!(tasks.only_task(&[12, 18]), None);
    assert_eq!(tasks.only_task(&[12, 13]), None);
    tasks.take_in(&Told::AnnotationsGone(vec![12]), "");
    assert_eq!(tasks.only_task(&[12]), None);
}

/// A queue with one cause, and what follows from it.
struct Fixture {
    seed_dir: SeedDir,
    causes: Vec<Cause>,
}

impl Fixture {
    fn new() -> Self {
        let cause = Cause {
            place: 1,
            number: 5,
            source: Source::LabelStudio,
            attributes: attributes("cause"),
            told: Told::AnnotationsGone(vec![12, 13]),
        };
        Self {
            seed_dir: SeedDir::new(&Plan::of(1, 100)),
            causes: vec![cause],
        }
    }

    /// The events that are demanded, in the order of their ids.
    fn derived(&self) -> Vec<Derived> {
        let demands = demands(&self.seed_dir, &self.causes, &mut Vec::new());
        let derived = demands.into_iter().map(|(id, demand)| {
            let mut attributes = attributes(&id);
            attributes.event_type = demand.event_type.to_owned();
            attributes.subject = Some(demand.subject);
            attributes.task = demand.task;
            Derived {
                place: 2,
                attributes,
                data: demand.data,
            }
        });
        derived.collect()
    }

    fn broken(&self, derived: &[Derived]) -> Vec<ViolationKind> {
        let mut violations = Vec::new();
        check(&self.seed_dir, &self.causes, derived, &mut violations);
        violations.iter().map(|broken| broken.kind).collect()
    }
}

fn attributes(id: &str) -> Attributes {
    let event_type = labelrelay_event::EventType::from_static(GONE);
    let digest = Digest::of(b"");
    Attributes::new(
        id,
        "/label-studio",
        &event_type,
        &digest,
        "2026-11-30T00:00:00Z",
    )
}

#[test]
fn what_is_there_as_it_is_demanded_breaks_nothing() {
    let fixture = Fixture::new();
    let derived = fixture.derived();
    assert_eq!(derived.len(), 2);
    assert!(fixture.broken(&derived).is_empty());
    assert!(are_there(&fixture.seed_dir, &fixture.causes, &derived));
}

#[test]
fn what_is_lost_doubled_changed_or_invented_is_noticed() {
    let fixture = Fixture::new();
    let mut derived = fixture.derived();
    derived[0].data["task"] = json!(3);
    assert_eq!(fixture.broken(&derived), [ViolationKind::Changed]);

    let mut derived = fixture.derived();
    derived[0].place = 0;
    assert_eq!(fixture.broken(&derived), [ViolationKind::Invented]);

    let mut derived = fixture.derived();
    derived.extend(fixture.derived().into_iter().take(1));
    assert_eq!(fixture.broken(&derived), [ViolationKind::Twice]);

    let mut derived = fixture.derived();
    derived[0].attributes.id = "another".to_owned();
    let broken = fixture.broken(&derived);
    assert_eq!(broken, [ViolationKind::Invented, ViolationKind::Lost]);
    assert!(!are_there(&fixture.seed_dir, &fixture.causes, &derived));
}

#[test]
fn a_task_that_is_named_is_the_right_one() {
    let mut fixture = Fixture::new();
    let derived = fixture.derived();
    fixture.causes[0].attributes.task = Some("2".to_owned());
    assert_eq!(fixture.broken(&derived), [ViolationKind::Changed]);
}
