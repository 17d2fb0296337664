//! Random edits over the embedded queue: shuffled, repeated, with handlers that fail and workers that die. In the end the
//! copy is what the platform has.

use crate::bodies::changed;
use labelrelay_consumer::{Consumer, Failure, Incoming, MemoryState, Settings};
use labelrelay_core::{EventQueue as _, OutboundMessage};
use labelrelay_event::changes::{Change, Key, Kind};
use labelrelay_event::{Envelope, EventType};
use labelrelay_local::{EmbeddedQueue, FileSource, Options, QueueFile};
use labelrelay_testkit::clock::FakeClock;
use labelrelay_tests::random::Random;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Label Studio on `PostgreSQL`, which gives no id twice.
#[derive(Default)]
struct Platform {
    edits: u64,
    last_id: u64,
    /// Projects with their tasks with their annotations, and the version of each thing that has one.
    projects: BTreeMap<u64, BTreeMap<u64, BTreeSet<u64>>>,
    versions: HashMap<(Kind, u64), String>,
}

impl Platform {
    fn id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// A moment later.
    fn now(&mut self) -> String {
        self.edits += 1;
        format!("2026-11-28T00:00:00.{:06}Z", self.edits)
    }

    fn pick<T: Copy>(random: &mut Random, from: &[T]) -> Option<T> {
        let at = random.below(from.len().max(1) as u64);
        from.get(usize::try_from(at).unwrap()).copied()
    }

    fn tasks(&self) -> Vec<(u64, u64)> {
        let projects = self.projects.iter();
        projects
            .flat_map(|(project, tasks)| tasks.keys().map(move |task| (*project, *task)))
            .collect()
    }

    fn annotations(&self) -> Vec<(u64, u64, u64)> {
        let tasks = self.tasks().into_iter();
        tasks
            .flat_map(|(project, task)| {
                let all = self.projects[&project][&task].clone();
                all.into_iter()
                    .map(move |annotation| (project, task, annotation))
            })
            .collect()
    }

    /// One edit, as the event that the relay would have queued of it.
    fn edit(&mut self, random: &mut Random) -> Vec<u8> {
        let time = self.now();
        match random.below(20) {
            0 => self.new_project(&time),
            1 if self.projects.len() > 1 => self.project_goes(random, &time),
            2..=5 => self.new_task(random, &time),
            6 => self.task_goes(random, &time),
            7..=8 => self.annotation_goes(random, &time),
            9..=13 => self.new_annotation(random, &time),
            _ => self.annotation_changes(random, &time),
        }
    }

    fn queued(&self, kind: &str, time: &str, body: &str) -> Vec<u8> {
        changed(&format!("event-{}", self.edits), kind, body, |attributes| {
            time.clone_into(&mut attributes.receivedtime);
        })
    }

    fn new_project(&mut self, time: &str) -> Vec<u8> {
        let id = self.id();
        self.projects.insert(id, BTreeMap::new());
        self.versions.insert((Kind::Project, id), time.to_owned());
        let body = format!(r#"{{"project":{{"id":{id},"title":"p","updated_at":"{time}"}}}}"#);
        self.queued("project.created", time, &body)
    }

    fn project_goes(&mut self, random: &mut Random, time: &str) -> Vec<u8> {
        let all: Vec<_> = self.projects.keys().copied().collect();
        let id = Self::pick(random, &all).unwrap();
        self.projects.remove(&id);
        let body = format!(r#"{{"project":{{"id":{id}}}}}"#);
        self.queued("project.deleted", time, &body)
    }

    fn new_task(&mut self, random: &mut Random, time: &str) -> Vec<u8> {
        let all: Vec<_> = self.projects.keys().copied().collect();
        let Some(project) = Self::pick(random, &all) else {
            return self.new_project(time);
        };
        let id = self.id();
        self.projects
            .get_mut(&project)
            .unwrap()
            .insert(id, BTreeSet::new());
        self.versions.insert((Kind::Task, id), time.to_owned());
        let body = format!(
            r#"{{"tasks":[{{"id":{id},"data":{{}},"updated_at":"{time}"}}],"project":{{"id":{project}}}}}"#
        );
        self.queued("task.created", time, &body)
    }

    fn task_goes(&mut self, random: &mut Random, time: &str) -> Vec<u8> {
        let Some((project, task)) = Self::pick(random, &self.tasks()) else {
            return self.new_project(time);
        };
        self.projects.get_mut(&project).unwrap().remove(&task);
        let body = format!(r#"{{"tasks":[{{"id":{task}}}],"project":{{"id":{project}}}}}"#);
        self.queued("task.deleted", time, &body)
    }

    fn new_annotation(&mut self, random: &mut Random, time: &str) -> Vec<u8> {
        let Some((project, task)) = Self::pick(random, &self.tasks()) else {
            return self.new_task(random, time);
        };
        let id = self.id();
        let tasks = self.projects.get_mut(&project).unwrap();
        tasks.get_mut(&task).unwrap().insert(id);
        self.annotation(project, task, id, time, "annotation.created")
    }

    fn annotation_changes(&mut self, random: &mut Random, time: &str) -> Vec<u8> {
        let Some((project, task, id)) = Self::pick(random, &self.annotations()) else {
            return self.new_annotation(random, time);
        };
        self.annotation(project, task, id, time, "annotation.updated")
    }

    fn annotation(&mut self, project: u64, task: u64, id: u64, time: &str, kind: &str) -> Vec<u8> {
        self.versions
            .insert((Kind::Annotation, id), time.to_owned());
        let body = format!(
            r#"{{"annotation":{{"id":{id},"task":{task},"updated_at":"{time}","result":[]}},"task":{{"id":{task}}},"project":{{"id":{project}}}}}"#
        );
        self.queued(kind, time, &body)
    }

    fn annotation_goes(&mut self, random: &mut Random, time: &str) -> Vec<u8> {
        let Some((project, task, id)) = Self::pick(random, &self.annotations()) else {
            return self.new_annotation(random, time);
        };
        let tasks = self.projects.get_mut(&project).unwrap();
        tasks.get_mut(&task).unwrap().remove(&id);
        // As Label Studio has it: the id, and the project.
        let body = format!(r#"{{"annotations":[{{"id":{id}}}],"project":{{"id":{project}}}}}"#);
        self.queued("annotation.deleted", time, &body)
    }

    /// Everything that is there, in its version.
    fn things(&self) -> BTreeMap<(Kind, u64), String> {
        let projects = self.projects.keys().map(|id| (Kind::Project, *id));
        let tasks = self.tasks().into_iter().map(|(_, id)| (Kind::Task, id));
        let annotations = self.annotations().into_iter();
        let annotations = annotations.map(|(.., id)| (Kind::Annotation, id));
        projects
            .chain(tasks)
            .chain(annotations)
            .map(|thing| (thing, self.versions[&thing].clone()))
            .collect()
    }
}

/// Shuffled by up to eight places, and one in five twice.
fn shuffled(events: Vec<Vec<u8>>, random: &mut Random) -> Vec<Vec<u8>> {
    let mut placed = Vec::new();
    for (at, event) in events.into_iter().enumerate() {
        let at = at as u64 * 2;
        if random.below(5) == 0 {
            placed.push((at + random.below(16), event.clone()));
        }
        placed.push((at + random.below(16), event));
    }
    placed.sort_by_key(|(at, _)| *at);
    placed.into_iter().map(|(_, event)| event).collect()
}

async fn send(queue: &EmbeddedQueue, envelope: Vec<u8>) {
    let attributes = Envelope::decode(&envelope).unwrap().attributes;
    assert!(attributes.event_type.parse::<EventType>().is_ok());
    let message = OutboundMessage::new(attributes, envelope);
    queue.send(&message).await.unwrap();
}

/// The copy that handlers keep: what is there, with the version that the platform wrote.
type Kept = Arc<Mutex<BTreeMap<Key<'static>, String>>>;

fn keep(copy: &Kept, calls: &Arc<AtomicU64>, incoming: &Incoming) -> Result<(), Failure> {
    // One call in ten fails: half of those have done their work by then.
    let call = calls.fetch_add(1, Ordering::Relaxed);
    if call % 20 == 7 {
        return Err(Failure::retry("before its work"));
    }
    let mut copy = copy.lock().unwrap();
    match incoming.change() {
        Change::Removed(removed) => {
            copy.remove(&removed.key);
        }
        Change::Changed(changed) => {
            let version = changed.version.clone().unwrap_or_default();
            copy.insert(changed.key.clone(), version);
        }
        _ => {}
    }
    if call % 20 == 17 {
        return Err(Failure::retry("after its work"));
    }
    Ok(())
}

/// Ends where the platform is. Workers are dropped in the middle of everything, and go on with the same state.
async fn converges(edits: usize, consumer: impl Fn() -> Consumer) {
    let mut random = Random::seeded();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("queue.db");
    let clock = FakeClock::at("2026-11-28T01:00:00Z");
    let mut options = Options::default();
    options.window = Duration::ZERO;
    options.max_receives = 10_000;
    let queue = EmbeddedQueue::open(&path, options, Arc::new(clock.clone())).unwrap();
    let mut platform = Platform::default();
    let mut events: Vec<_> = (0..edits).map(|_| platform.edit(&mut random)).collect();
    // A project that was deleted at last took nearly everything with it.
    while platform.things().len() <= 5 {
        events.push(platform.edit(&mut random));
    }
    for envelope in shuffled(events, &mut random) {
        send(&queue, envelope).await;
    }

    let (copy, calls) = (Kept::default(), Arc::new(AtomicU64::new(0)));
    let file = QueueFile::open(&path, Arc::new(clock.clone())).unwrap();
    let mut rounds = 0_u64;
    loop {
        let stats = file.stats().unwrap();
        if stats.ready + stats.in_flight == 0 {
            assert_eq!(stats.dead, 0);
            break;
        }
        rounds += 1;
        assert!(rounds < 1000, "{stats:?}");
        // Two workers, which share what is remembered, and the queue.
        let worker = || {
            let (copy, calls) = (Arc::clone(&copy), Arc::clone(&calls));
            let consumer = consumer().on_all(move |incoming: Incoming| {
                let kept = keep(&copy, &calls, &incoming);
                async move {
                    tokio::task::yield_now().await;
                    kept
                }
            });
            let mut settings = Settings::default();
            settings.until_idle = Some(Duration::from_millis(100));
            let source = FileSource::open(&path, Arc::new(clock.clone())).unwrap();
            let consumer = consumer.settings(settings);
            async move { consumer.run(Arc::new(source), std::future::pending()).await }
        };
        let both = futures_util::future::join(worker(), worker());
        // The first ones die, after a while that differs.
        let life = if rounds < 6 {
            Duration::from_millis(5 + random.below(60))
        } else {
            Duration::from_secs(60)
        };
        if let Ok((one, other)) = tokio::time::timeout(life, both).await {
            one.unwrap();
            other.unwrap();
        }
        // Leases of the dead in the state run out by the machine's own clock, events by the queue's.
        clock.advance(Duration::from_secs(1000));
    }
    let platform = platform.things();
    let version = |time: &str| {
        let digits: String = time.chars().filter(|c| !"-:".contains(*c)).collect();
        digits.replace('Z', "000Z")
    };
    let expected: BTreeMap<_, _> = platform
        .iter()
        .map(|((kind, id), time)| {
            (
                Key::new("/label-studio", *kind, id.to_string()),
                version(time),
            )
        })
        .collect();
    assert_eq!(*copy.lock().unwrap(), expected);
}

/// Clones of one consumer keep things apart in one process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_ends_where_the_platform_is() {
    let consumer = Consumer::new(MemoryState::new());
    converges(400, || consumer.clone()).await;
}

/// Two consumers with a connection each, as two processes have them: the leases in the file keep things apart.
#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_two_processes_ends_where_the_platform_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.db");
    let state = || labelrelay_consumer::SqliteState::open(&path).unwrap();
    converges(200, || Consumer::new(state())).await;
}
