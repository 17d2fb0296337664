use super::{TraceStore, Traces};
use labelrelay_core::traces::{content, key};
use labelrelay_core::{Clock as _, FallbackStore as _, OutboundMessage};
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};
use labelrelay_testkit::clock::FakeClock;
use labelrelay_testkit::in_memory::MemoryFallback;
use std::sync::Arc;
use std::time::Duration;

const DATA: &str = r#"{"task":[{"id":7},{"id":8}]}"#;

/// An event about an annotation, or about two tasks of a project.
fn message(source: &str, id: &str, event_type: &'static str, subject: &str) -> OutboundMessage {
    let event_type = EventType::from_static(event_type);
    let (digest, received) = (Digest::of(DATA.as_bytes()), "2026-11-21T09:00:00Z");
    let source = format!("/{source}");
    let mut attributes = Attributes::new(id.to_owned(), source, &event_type, &digest, received);
    attributes.subject = Some(subject.to_owned());
    let envelope = encode(
        &attributes,
        DataEncoding::Json,
        DATA.len(),
        [DATA.as_bytes()],
    );
    OutboundMessage::new(attributes, envelope)
}

struct Bench {
    store: Arc<MemoryFallback>,
    clock: FakeClock,
    traces: Traces,
}

impl Bench {
    fn new() -> Self {
        let store = Arc::new(MemoryFallback::default());
        let clock = FakeClock::at("2026-11-21T09:00:00Z");
        let at = TraceStore {
            store: store.clone(),
            location: "memory".to_owned(),
        };
        let traces = Traces::new(at, "label-studio", Arc::new(clock.clone()), |words| {
            panic!("{words}")
        });
        Self {
            store,
            clock,
            traces,
        }
    }

    /// Leaves a trace, as of so many seconds ago.
    async fn leave(&self, seconds_ago: u64, source: &str, message: &OutboundMessage) {
        let now = self.clock.now();
        let then = now.checked_sub(Duration::from_secs(seconds_ago)).unwrap();
        let key = key(then, source, message.id());
        self.store.put(&key, content(message)).await.unwrap();
    }

    /// Numbers and ids of what is told after this number.
    async fn told(&self, after: u64) -> Vec<(u64, String)> {
        self.traces.catch_up(after).await;
        let events = self.traces.events_after(after, 1000);
        events
            .into_iter()
            .map(|event| (event.seq, event.attributes.id))
            .collect()
    }
}

fn annotation(id: &str) -> OutboundMessage {
    let event_type = "io.labelstud.annotation.created";
    message("label-studio", id, event_type, "annotation/1")
}

fn run(work: impl Future<Output = ()>) {
    crate::runtime::small().unwrap().block_on(work);
}

/// Red if a trace goes before the ledger has it, if one is told twice, or if one that comes to be there a little later
/// than its key says is passed over.
#[test]
fn traces_are_told_once_and_removed_once_they_are_recorded() {
    run(async {
        let bench = Bench::new();
        bench.leave(3000, "label-studio", &annotation("a")).await;
        bench.leave(10, "label-studio", &annotation("b")).await;
        bench.leave(9, "labelbox", &annotation("others")).await;
        let told = |seq: u64, id: &str| (seq, id.to_owned());
        // The ledger has read a queue up to there.
        assert_eq!(bench.told(41).await, [told(42, "a"), told(43, "b")]);
        assert_eq!(bench.told(41).await.len(), 2, "not recorded yet");
        bench.traces.remove_recorded().await;
        assert_eq!(bench.store.keys().len(), 3);

        assert_eq!(bench.told(42).await, [told(43, "b")]);
        assert!(bench.told(43).await.is_empty());
        bench.leave(20, "label-studio", &annotation("late")).await;
        bench.clock.advance(Duration::from_secs(1));
        bench.leave(0, "label-studio", &annotation("new")).await;
        assert_eq!(bench.told(43).await, [told(44, "late"), told(45, "new")]);
        bench.traces.remove_recorded().await;
        assert_eq!(bench.store.keys().len(), 3, "those of a and b went");
        assert!(bench.told(45).await.is_empty());
        bench.traces.remove_recorded().await;
        let left = bench.store.keys();
        assert!(left.len() == 1 && left[0].contains("labelbox"), "{left:?}");
    });
}

#[test]
fn an_event_about_several_things_comes_with_its_data() {
    run(async {
        let bench = Bench::new();
        let event_type = "io.labelstud.task.created";
        let import = message("label-studio", "import", event_type, "project/1");
        bench.leave(0, "label-studio", &import).await;
        bench.clock.advance(Duration::from_secs(1));
        bench.leave(0, "label-studio", &annotation("one")).await;
        bench.traces.catch_up(0).await;
        let events = bench.traces.events_after(0, 1000);
        let data: Vec<_> = events.into_iter().map(|event| event.data).collect();
        assert_eq!(data, [Some(DATA.as_bytes().to_vec()), None]);
    });
}

#[test]
fn many_are_read_a_part_at_a_time() {
    run(async {
        let bench = Bench::new();
        for number in 0..1300 {
            let event = annotation(&number.to_string());
            bench.leave(2000 - number, "label-studio", &event).await;
        }
        let mut after = 0;
        let mut parts = Vec::new();
        loop {
            let told = bench.told(after).await;
            let Some((last, _)) = told.last() else { break };
            after = *last;
            parts.push(told.len());
        }
        assert_eq!(after, 1300);
        assert!(parts.iter().all(|part| *part < 600), "{parts:?}");
    });
}
