//! A queue and an archive in a directory of their own.

use futures_executor::block_on;
use labelrelay_archive::{Archive, ArchiveError, Feeder, Limits, Search, Step};
use labelrelay_core::object_store::{Created, NewObject};
use labelrelay_core::{BlobError, BoxFuture, ObjectStore, OutboundMessage};
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};
use labelrelay_files::FileObjectStore;
use labelrelay_local::{EmbeddedQueue, Filter, Options, QueueFile};
use labelrelay_testkit::clock::FakeClock;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const HOLD: Duration = Duration::from_secs(7 * 24 * 3600);
const WRITER: u64 = 0xa1;

pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) clock: FakeClock,
}

impl Place {
    /// With a queue that has nothing in it.
    pub(crate) fn new() -> Self {
        let place = Self {
            dir: TempDir::new().unwrap(),
            clock: FakeClock::at("2026-11-24T09:00:00Z"),
        };
        let clock = Arc::new(place.clock.clone());
        let queue = EmbeddedQueue::open(place.queue(), Options::default(), clock).unwrap();
        queue.close();
        place
    }

    pub(crate) fn queue(&self) -> PathBuf {
        self.dir.path().join("queue.db")
    }

    pub(crate) fn file(&self) -> QueueFile {
        QueueFile::open(self.queue(), Arc::new(self.clock.clone())).unwrap()
    }

    /// Queues events with these numbers in their ids.
    pub(crate) fn queued(&self, numbers: std::ops::Range<u32>) -> Vec<OutboundMessage> {
        let messages: Vec<_> = numbers.map(message).collect();
        self.file().append(&messages, 0).unwrap();
        messages
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("archive").join(name)
    }

    pub(crate) fn directory(&self) -> Arc<FileObjectStore> {
        Arc::new(FileObjectStore::open(self.dir.path().join("archive")).unwrap())
    }

    pub(crate) fn archive(&self) -> Result<Archive, ArchiveError> {
        block_on(Archive::open(self.directory(), "file:archive"))
    }

    pub(crate) fn feeder(&self) -> Result<Feeder, ArchiveError> {
        self.feeder_into(self.directory())
    }

    pub(crate) fn feeder_into(&self, store: Arc<dyn ObjectStore>) -> Result<Feeder, ArchiveError> {
        feeder_of(self.file(), store)
    }

    /// Envelopes of all events in the archive, by id, each with how often it is there.
    pub(crate) fn archived(&self) -> BTreeMap<String, (Vec<u8>, usize)> {
        let archive = self.archive().unwrap();
        let search = Search::new(Filter::default());
        let listing = block_on(archive.list(search.filter())).unwrap();
        let mut found = BTreeMap::new();
        for segment in &listing.segments {
            let lines = block_on(archive.read(segment)).unwrap().unwrap();
            assert_eq!(lines.damage(), None);
            for event in search.events(&lines) {
                let event = event.unwrap();
                let place = format!("/{}", segment.source);
                assert_eq!(
                    event.attributes.source, place,
                    "in the folder of its source"
                );
                let date = segment.date.to_string();
                assert!(event.attributes.receivedtime.starts_with(&date));
                let entry = found.entry(event.attributes.id.clone());
                let (_, times) = entry.or_insert_with(|| (event.envelope.to_vec(), 0_usize));
                *times += 1;
            }
        }
        found
    }
}

pub(crate) fn feeder_of(
    file: QueueFile,
    store: Arc<dyn ObjectStore>,
) -> Result<Feeder, ArchiveError> {
    let archive = block_on(Archive::open_or_create(store, "file:archive", 0x1d))?;
    let limits = Limits {
        events: 7,
        ..Limits::default()
    };
    Feeder::begin(file, archive, limits, HOLD, WRITER)
}

/// Steps until nothing more waits.
pub(crate) fn to_the_end(feeder: &mut Feeder) -> Result<Vec<Step>, ArchiveError> {
    let mut steps = Vec::new();
    loop {
        let step = block_on(feeder.step())?;
        let is_last = !step.more;
        steps.push(step);
        if is_last {
            return Ok(steps);
        }
    }
}

/// An event of one of two sources and two days. Every third one has line breaks in its data.
pub(crate) fn message(number: u32) -> OutboundMessage {
    let data = match number % 3 {
        0 => format!("{{\n  \"number\": {number}\n}}"),
        _ => format!("{{\"number\":{number}.0}}"),
    };
    let source = if number.is_multiple_of(2) {
        "/labelbox"
    } else {
        "/label-studio"
    };
    let day = 23 + number / 5 % 2;
    let event_type = EventType::from_static("com.labelbox.label.created");
    let mut attributes = Attributes::new(
        format!("id{number:04}"),
        source,
        &event_type,
        &Digest::of(data.as_bytes()),
        format!("2026-11-{day}T10:00:00Z"),
    );
    attributes.subject = Some(format!("label/{number}"));
    let envelope = encode(
        &attributes,
        DataEncoding::Json,
        data.len(),
        [data.as_bytes()],
    );
    OutboundMessage::new(attributes, envelope)
}

/// A store that fails from some moment on: before or after it did what it was asked for. So it leaves what a writer leaves
/// that was killed at this moment.
pub(crate) struct Dying {
    store: Arc<FileObjectStore>,
    moments: AtomicUsize,
    dies_at: usize,
}

impl Dying {
    pub(crate) fn new(store: Arc<FileObjectStore>, dies_at: usize) -> Self {
        Self {
            store,
            moments: AtomicUsize::new(0),
            dies_at,
        }
    }

    fn lives(&self) -> Result<(), BlobError> {
        if self.moments.fetch_add(1, Ordering::SeqCst) < self.dies_at {
            Ok(())
        } else {
            Err(BlobError::transient("killed"))
        }
    }
}

impl ObjectStore for Dying {
    fn create<'a>(
        &'a self,
        name: &'a str,
        object: NewObject<'a>,
    ) -> BoxFuture<'a, Result<Created, BlobError>> {
        Box::pin(async move {
            self.lives()?;
            let created = self.store.create(name, object).await?;
            self.lives().map(|()| created)
        })
    }

    fn replace<'a>(
        &'a self,
        name: &'a str,
        content: bytes::Bytes,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            self.lives()?;
            self.store.replace(name, content).await?;
            self.lives()
        })
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<bytes::Bytes>, BlobError>> {
        Box::pin(async move {
            self.lives()?;
            self.store.get(name).await
        })
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            self.lives()?;
            self.store.remove(name).await?;
            self.lives()
        })
    }

    fn list<'a>(&'a self, beginning: &'a str) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(async move {
            self.lives()?;
            self.store.list(beginning).await
        })
    }
}
