//! What every record of deliveries does: a file beside one relay, and tables that several relays share. The same rows
//! give the same answers.

use labelrelay_record::{Class, Filter, Options, Pattern, Record, Recorded, Recorder, Row};
use std::time::{Duration, Instant, SystemTime};

/// Longest wait for what was noted to be found.
const PATIENCE: Duration = Duration::from_secs(60);

/// A record that nothing was recorded in yet.
pub struct Fresh<'a> {
    /// Begins to record into it.
    pub begin: &'a dyn Fn(Options) -> Recorder,
    /// Looks into it, once something was recorded.
    pub open: &'a dyn Fn() -> Option<Box<dyn Record>>,
}

impl Fresh<'_> {
    /// Records these rows, and looks into the record once it has so many, the one with the id `last` among them.
    pub fn with(
        &self,
        options: Options,
        rows: &[Row],
        (count, last): (u64, &str),
    ) -> Box<dyn Record> {
        let recorder = (self.begin)(options);
        for row in rows {
            recorder.note(row);
        }
        let record = self.until(|record| {
            record.count().unwrap() == count && !record.find(last).unwrap().is_empty()
        });
        recorder.close();
        record
    }

    /// The record, once this holds.
    pub fn until(&self, holds: impl Fn(&dyn Record) -> bool) -> Box<dyn Record> {
        let begun = Instant::now();
        loop {
            if let Some(record) = (self.open)()
                && holds(&*record)
            {
                return record;
            }
            assert!(begun.elapsed() < PATIENCE, "it is not recorded");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(now.unwrap().as_millis()).unwrap()
}

/// A delivery that was accepted.
pub fn accepted(id: &str) -> Row {
    Row {
        arrived_ms: now_ms(),
        status: 200,
        outcome: "accepted".to_owned(),
        event_id: Some(id.to_owned()),
        verified_by: Some("env:SECRET".to_owned()),
        elapsed_us: 1200,
        ..Row::default()
    }
}

/// A delivery that was refused, with this body.
pub fn refused(body: &[u8]) -> Row {
    Row {
        arrived_ms: now_ms(),
        status: 401,
        outcome: "unauthorized".to_owned(),
        reason: Some("no secret matches".to_owned()),
        body_bytes: i64::try_from(body.len()).unwrap(),
        body_start: Some(body.to_vec()),
        ..Row::default()
    }
}

/// Deliveries of two sources, with every answer, a minute apart.
fn rows() -> Vec<Row> {
    let text = |text: &str| Some(text.to_owned());
    let mut rows = vec![
        Row {
            source: text("labelbox"),
            event_type: text("com.labelbox.label.created"),
            subject: text("label/17"),
            project: text("ckproject1"),
            delivery_id: text("delivery-1"),
            client: text("192.0.2.7"),
            method: text("POST"),
            path: text("/labelbox"),
            head: text("host: relay.example\nuser-agent: Ünïcode 🦀\n"),
            queue_us: Some(800),
            body_bytes: 512,
            fell_back: true,
            ..accepted("aaaaaa-1")
        },
        Row {
            source: text("label-studio/eu"),
            event_type: text("io.labelstud.annotation.created"),
            subject: text("annotation/170"),
            project: text("3"),
            delivery_id: text("delivery-2"),
            client: text("192.0.2.70"),
            late: true,
            spooled: true,
            ..accepted("bbbbbb-1")
        },
        Row {
            source: text("labelbox"),
            outcome: "repeat".to_owned(),
            subject: text("label/17"),
            delivery_id: text("delivery-1"),
            claimed: true,
            ..accepted("aaaaaa-1")
        },
        Row {
            source: text("labelbox"),
            client: text("192.0.2.7"),
            head: text("authorization: Bearer [blotted out]\n"),
            delivery_id: text("delivery-3"),
            ..refused(b"{\"by\":\"ann@example.org\"}")
        },
        Row {
            source: text("label-studio"),
            outcome: "filtered".to_owned(),
            event_type: text("io.labelstud.annotations.deleted"),
            subject: text("task/17"),
            project: text("33"),
            ..accepted("bbbbbb-2")
        },
    ];
    let begin = now_ms() - 3_600_000;
    for (minute, row) in (0..).zip(&mut rows) {
        row.arrived_ms = begin + minute * 60_000;
    }
    rows
}

/// Whatever is asked of it, a record answers by the rows that it was given.
pub fn finds_what_it_was_given(fresh: &Fresh<'_>) {
    let rows = rows();
    let record = &*fresh.with(Options::default(), &rows, (5, "bbbbbb-2"));
    let all = record.list(&Filter::default(), usize::MAX).unwrap();
    assert_eq!(all.len(), rows.len());
    for (found, row) in all.iter().zip(&rows) {
        let expected = Row {
            body_start: None,
            ..row.clone()
        };
        assert_eq!(found.row, expected);
        let by_name = record.find(&found.name()).unwrap();
        assert_eq!(by_name, std::slice::from_ref(found));
        let body = record.body(found).unwrap().map(|body| body.start);
        assert_eq!(body, row.body_start);
    }
    assert!(all.is_sorted_by(|one, next| one.number < next.number));
    assert_eq!(record.lost().unwrap(), 0);
    lists(record, &all);
    searches(record, &all);
}

/// Places of what was found, among all.
fn places(found: &[Recorded], all: &[Recorded]) -> Vec<usize> {
    let place = |found: &Recorded| all.iter().position(|one| one == found).unwrap();
    found.iter().map(place).collect()
}

/// All deliveries, but for what is changed.
fn filter(change: impl FnOnce(&mut Filter)) -> Filter {
    let mut filter = Filter::default();
    change(&mut filter);
    filter
}

/// Filters by one text, each with the places of what passes.
fn texts() -> Vec<(Filter, &'static [usize])> {
    let is = Pattern::is;
    let within = Pattern::within;
    vec![
        (filter(|it| it.id = Some(Pattern::begins("aaaa"))), &[0, 2]),
        (
            filter(|it| it.source = Some(within("label-studio"))),
            &[1, 4],
        ),
        (filter(|it| it.source = Some(is("label-studio"))), &[4]),
        (filter(|it| it.source = Some(is("' OR TRUE --"))), &[]),
        (
            filter(|it| it.source = Some(Pattern::begins(""))),
            &[0, 1, 2, 3, 4],
        ),
        (
            filter(|it| it.event_type = Some(within("io.labelstud.annotation"))),
            &[1],
        ),
        (filter(|it| it.subject = Some(within("label"))), &[0, 2]),
        (filter(|it| it.subject = Some(within("label/1"))), &[]),
        (filter(|it| it.project = Some(is("3"))), &[1]),
        (filter(|it| it.project = Some(is("3*"))), &[1, 4]),
        (
            filter(|it| it.delivery = Some(Pattern::begins("delivery-"))),
            &[0, 1, 2, 3],
        ),
        (filter(|it| it.client = Some(is("192.0.2.7"))), &[0, 3]),
        (filter(|it| it.client = Some(is("192.0.2.7*"))), &[0, 1, 3]),
        (
            filter(|it| it.outcome = Some(Pattern::exactly("accepted"))),
            &[0, 1],
        ),
    ]
}

fn lists(record: &dyn Record, all: &[Recorded]) {
    let (third, begin) = (Some(all[2].number), all[0].row.arrived_ms);
    let mut cases = texts();
    cases.extend::<[(Filter, &[usize]); 7]>([
        (Filter::default(), &[0, 1, 2, 3, 4]),
        (filter(|it| it.refused = true), &[3]),
        (filter(|it| it.after = third), &[3, 4]),
        (filter(|it| it.before = third), &[0, 1]),
        (
            filter(|it| {
                it.from_ms = Some(begin + 60_000);
                it.before_ms = Some(begin + 180_000);
            }),
            &[1, 2],
        ),
        (filter(|it| it.from_ms = Some(begin + 3_600_000_000)), &[]),
        (
            filter(|it| {
                it.source = Some(Pattern::is("label*"));
                it.outcome = Some(Pattern::exactly("accepted"));
                it.after = third.map(|third| third - 2);
            }),
            &[1],
        ),
    ]);
    for (mut filter, expected) in cases {
        for limit in 0..=expected.len() {
            let found = record.list(&filter, limit).unwrap();
            assert_eq!(places(&found, all), expected[..limit], "{filter:?}");
        }
        filter.newest_first = true;
        let found = record.list(&filter, usize::MAX).unwrap();
        let newest_first = expected.iter().rev().copied();
        assert!(newest_first.eq(places(&found, all)), "{filter:?}");
    }
}

fn searches(record: &dyn Record, all: &[Recorded]) {
    let newest = Filter {
        newest_first: true,
        ..Filter::default()
    };
    let name = all[3].name();
    let cases: &[(&str, &[usize])] = &[
        (&name, &[3]),
        ("aaaaaa", &[2, 0]),
        ("aaaaa", &[]),
        ("aaaaaa-1", &[2, 0]),
        ("17", &[4, 2, 0]),
        ("task/17", &[4]),
        ("170", &[1]),
        ("3", &[1]),
        ("ckproj", &[0]),
        ("delivery-3", &[3]),
        ("io.labelstud.annotation", &[4, 1]),
        ("com.", &[0]),
        ("%", &[]),
        ("nothing that is there", &[]),
    ];
    for (text, expected) in cases {
        let found = record.search(text, &newest, usize::MAX).unwrap();
        assert_eq!(places(&found, all), *expected, "{text}");
    }
    let repeats = Filter {
        outcome: Some(Pattern::exactly("repeat")),
        ..newest
    };
    let found = record.search("17", &repeats, 10).unwrap();
    assert_eq!(places(&found, all), [2]);
    for (which, expected) in [
        ("aaaaaa", &[2, 0][..]),
        ("delivery-1", &[2, 0]),
        ("bbbbbb-2", &[4]),
        ("r0", &[]),
        ("", &[]),
    ] {
        let found = record.find(which).unwrap();
        assert_eq!(places(&found, all), expected, "{which}");
    }
}

/// Each class has bounds of its own, of which the oldest rows are beyond first.
pub fn holds_its_bounds(fresh: &Fresh<'_>) {
    let mut options = Options::default();
    options.verified.deliveries = 20;
    options.stranger.deliveries = 10;
    options.stranger.body_bytes = 25;
    let mut rows = Vec::new();
    for n in 0..50 {
        rows.push(refused(format!("{n:05}").as_bytes()));
        rows.push(accepted(&format!("id-{n}")));
    }
    let record = fresh.with(options, &rows, (30, "id-49"));
    let all = record.list(&Filter::default(), usize::MAX).unwrap();
    let of = |class: Class| all.iter().filter(move |found| found.row.class() == class);
    let ids = of(Class::Verified).map(|found| found.row.event_id.clone().unwrap());
    let expected = (30..50).map(|n| format!("id-{n}"));
    assert!(ids.eq(expected));
    let bodies = of(Class::Stranger).map(|found| {
        let body = record.body(found).unwrap()?;
        Some(String::from_utf8(body.start).unwrap())
    });
    let expected = (40..50).map(|n| (n >= 45).then(|| format!("{n:05}")));
    assert!(bodies.eq(expected));
    assert_eq!(record.lost().unwrap(), 0, "what is pruned is not lost");
}

/// Bounds of bytes hold as well, and what is too old goes.
pub fn keeps_no_more_bytes_and_nothing_old(fresh: &Fresh<'_>) {
    let one = accepted("id-00");
    let bytes = u64::try_from(one.kept_bytes()).unwrap();
    let mut options = Options::default();
    options.verified.bytes = bytes * 5;
    options.max_age = Duration::from_secs(3600);
    let mut old = accepted("id-99");
    old.arrived_ms -= 3_601_000;
    let rows = (0..20).map(|n| accepted(&format!("id-{n:02}")));
    let rows: Vec<_> = [old].into_iter().chain(rows).collect();
    let record = fresh.with(options, &rows, (5, "id-19"));
    let all = record.list(&Filter::default(), usize::MAX).unwrap();
    let ids: Vec<_> = all.into_iter().filter_map(|it| it.row.event_id).collect();
    assert_eq!(ids, ["id-15", "id-16", "id-17", "id-18", "id-19"]);
}

/// An address is taken out of whatever is kept.
pub fn forgets_an_address(fresh: &Fresh<'_>) {
    let mut with_head = accepted("id-1");
    with_head.head = Some("x-by: ANN@example.org\n".to_owned());
    with_head.path = Some("/a/ann%40example.org".to_owned());
    let mut with_reason = refused(b"{\"by\":\"ann\\u0040example.org\",\"a\":1}");
    with_reason.reason = Some("from ann@example.org".to_owned());
    let rows = [with_head, with_reason, accepted("id-2")];
    let record = fresh.with(Options::default(), &rows, (3, "id-2"));
    assert_eq!(record.forget("joan@example.org").unwrap(), 0);
    assert_eq!(record.forget("ann@example.org").unwrap(), 2);
    assert_eq!(record.forget("ann@example.org").unwrap(), 0);
    let all = record.list(&Filter::default(), usize::MAX).unwrap();
    assert_eq!(all[0].row.head.as_deref(), Some("x-by: [forgotten]\n"));
    assert_eq!(all[0].row.path.as_deref(), Some("/a/[forgotten]"));
    assert_eq!(all[1].row.reason.as_deref(), Some("from [forgotten]"));
    let body = record.body(&all[1]).unwrap().unwrap();
    assert_eq!(body.start, b"{\"by\":\"[forgotten]\",\"a\":1}");
}
