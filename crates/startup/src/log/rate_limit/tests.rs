use super::*;
use labelrelay_testkit::clock::FakeClock;
use std::cell::RefCell;

thread_local! {
    /// Lines told in this thread; each test has one of its own.
    static TOLD: RefCell<Vec<(String, u64)>> = const { RefCell::new(Vec::new()) };
}

fn note(kind: &Kind, times: u64) {
    let name = kind.source.as_deref().unwrap_or("-");
    let told = (format!("{} {name} {}", kind.outcome, kind.reason), times);
    TOLD.with_borrow_mut(|all| all.push(told));
}

fn told() -> Vec<(String, u64)> {
    TOLD.with_borrow_mut(std::mem::take)
}

fn limit() -> (FakeClock, LogLimit) {
    let clock = FakeClock::at("2026-01-01T00:00:00Z");
    let limit = LogLimit::telling(Arc::new(clock.clone()), note);
    (clock, limit)
}

fn wrong() -> Kind {
    Kind::new("unauthorized", Some("labelbox"), "no secret made it")
}

/// Moves the clock, and lets those run who waited for that.
async fn pass(clock: &FakeClock, time: Duration) {
    clock.advance(time);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_flood_is_logged_as_counts_that_add_up() {
    let (clock, limit) = limit();
    let (mut in_full, mut counted) = (0, 0);
    for _ in 0..60 {
        for _ in 0..1000 {
            in_full += u64::from(limit.admits(&wrong()));
        }
        pass(&clock, TOLD_AFTER).await;
        let told = told();
        assert_eq!(told.len(), 1, "one line a second: {told:?}");
        counted += told[0].1;
    }
    assert_eq!(in_full + counted, 60_000);
    assert_eq!(
        in_full,
        5 + 29,
        "the first five, then one every two seconds"
    );
}

#[tokio::test]
async fn rare_lines_are_always_logged_in_full() {
    let (clock, limit) = limit();
    for _ in 0..100 {
        assert!(limit.admits(&wrong()));
        pass(&clock, ONE_MORE).await;
    }
    assert_eq!(told(), []);
}

#[tokio::test]
async fn after_a_flood_and_a_pause_lines_are_logged_in_full_again() {
    let (clock, limit) = limit();
    while limit.admits(&wrong()) {}
    pass(&clock, ONE_MORE * IN_FULL).await;
    assert_eq!(told().len(), 1);
    for _ in 0..IN_FULL {
        assert!(limit.admits(&wrong()));
    }
    assert!(!limit.admits(&wrong()));
}

#[tokio::test]
async fn one_kind_does_not_hide_another() {
    let (clock, limit) = limit();
    let others = [
        Kind::new("forbidden", Some("labelbox"), "no secret made it"),
        Kind::new("unauthorized", Some("label-studio"), "no secret made it"),
        Kind::new("unauthorized", Some("labelbox"), "the header is missing"),
    ];
    for _ in 0..100 {
        limit.admits(&wrong());
    }
    for kind in &others {
        assert!((0..IN_FULL).all(|_| limit.admits(kind)), "{kind:?}");
        assert!(!limit.admits(kind), "{kind:?}");
    }
    pass(&clock, TOLD_AFTER).await;
    let mut told = told();
    told.sort();
    assert_eq!(
        told,
        [
            ("forbidden labelbox no secret made it".to_owned(), 1),
            ("unauthorized label-studio no secret made it".to_owned(), 1),
            ("unauthorized labelbox no secret made it".to_owned(), 95),
            ("unauthorized labelbox the header is missing".to_owned(), 1),
        ]
    );
}

#[tokio::test]
async fn lines_are_bounded_for_any_number_of_kinds() {
    let (clock, limit) = limit();
    let mut in_full = 0;
    for n in 0..10_000 {
        let kind = Kind::new("malformed", None, &format!("reason {n}"));
        in_full += usize::from(limit.admits(&kind));
    }
    assert_eq!(in_full, MOST_KINDS + IN_FULL as usize);
    assert_eq!(limit.0.kinds().len(), MOST_KINDS + 1);
    pass(&clock, TOLD_AFTER).await;
    let others = "malformed - other reasons".to_owned();
    assert_eq!(told(), [(others, 10_000 - in_full as u64)]);
    // And those that were there are forgotten when they are calm.
    pass(&clock, ONE_MORE * (IN_FULL + 1)).await;
    limit.admits(&wrong());
    assert_eq!(limit.0.kinds().len(), 1);
}

#[tokio::test]
async fn pending_counts_are_logged_at_the_end() {
    let (_clock, limit) = limit();
    for _ in 0..7 {
        limit.admits(&wrong());
    }
    drop(limit);
    let kind = "unauthorized labelbox no secret made it".to_owned();
    assert_eq!(told(), [(kind, 2)]);
}

#[test]
fn without_a_runtime_every_line_is_logged() {
    let (_clock, limit) = limit();
    assert!((0..100).all(|_| limit.admits(&wrong())));
}
