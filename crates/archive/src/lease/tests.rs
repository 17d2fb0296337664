use super::*;
use futures_executor::block_on;
use labelrelay_core::object_store::{Created, NewObject};
use labelrelay_core::{BlobError, BoxFuture, ObjectStore};
use labelrelay_files::FileObjectStore;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// An archive in a directory.
struct Place {
    dir: TempDir,
    store: Arc<FileObjectStore>,
    archive: Archive,
}

impl Place {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = FileObjectStore::open(dir.path().join("archive")).unwrap();
        let store = Arc::new(store);
        let opening =
            Archive::open_or_create(Arc::<FileObjectStore>::clone(&store), "file:archive", 1);
        let archive = block_on(opening).unwrap();
        Self {
            dir,
            store,
            archive,
        }
    }

    fn begin(&self, work: Work) -> Result<Lease<'_>, ArchiveError> {
        block_on(Lease::begin(&self.archive, work))
    }

    /// Names of the runs' files.
    fn files(&self) -> Vec<String> {
        block_on(self.archive.names(BUSY_FILES)).unwrap()
    }

    /// Leaves the file of a run that was killed. Its lease is over in so many seconds.
    fn left_behind(&self, work: Work, over_in_s: i64) {
        let until_s = Timestamp::now().as_second() + over_in_s;
        let text = serde_json::to_vec(&Busy { work, until_s }).unwrap();
        let name = format!("{BUSY_FILES}-left-{over_in_s}.json");
        std::fs::write(self.dir.path().join("archive").join(name), text).unwrap();
    }
}

/// A store where something happens in front of one request.
struct Interrupted {
    store: Arc<FileObjectStore>,
    requests: AtomicUsize,
    at: usize,
    meanwhile: Box<dyn Fn() + Send + Sync>,
}

impl Interrupted {
    fn asked(&self) -> &FileObjectStore {
        if self.requests.fetch_add(1, Ordering::SeqCst) == self.at {
            (self.meanwhile)();
        }
        &self.store
    }
}

impl ObjectStore for Interrupted {
    fn create<'a>(
        &'a self,
        name: &'a str,
        object: NewObject<'a>,
    ) -> BoxFuture<'a, Result<Created, BlobError>> {
        self.asked().create(name, object)
    }

    fn replace<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        self.asked().replace(name, content)
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        self.asked().get(name)
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        self.asked().remove(name)
    }

    fn list<'a>(&'a self, beginning: &'a str) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        self.asked().list(beginning)
    }
}

/// Begins `first`, and `second` in front of its request `at`: which of the two have a lease. `None` if there are no so many
/// requests.
fn begun_at_once(place: &Place, first: Work, second: Work, at: usize) -> Option<(bool, bool)> {
    let begun = Arc::new(Mutex::new(None));
    let (told, other) = (Arc::clone(&begun), place.archive.clone());
    let meanwhile = move || {
        let other = other.clone();
        let beginning = move || block_on(Lease::begin(&other, second)).is_ok();
        // A thread has one executor.
        *told.lock().unwrap() = Some(std::thread::spawn(beginning).join().unwrap());
    };
    let store = Interrupted {
        store: Arc::clone(&place.store),
        requests: AtomicUsize::new(0),
        at,
        meanwhile: Box::new(meanwhile),
    };
    let archive = block_on(Archive::open(Arc::new(store), "file:archive")).unwrap();
    let first = block_on(Lease::begin(&archive, first)).is_ok();
    let second = begun.lock().unwrap().take()?;
    Some((first, second))
}

/// Red if both write: lines that one has read come back over those that the other one changed.
#[test]
fn of_two_that_begin_at_once_one_at_most_has_a_lease() {
    let pairs = [
        (Work::Compact, Work::Forget),
        (Work::Forget, Work::Compact),
        (Work::Forget, Work::Forget),
    ];
    // Of what a killed run left, both see that it is over.
    for left in [None, Some(0), Some(-2 * LEFT_FOR_S)] {
        for (first, second) in pairs {
            for at in 0.. {
                let place = Place::new();
                if let Some(over_in_s) = left {
                    place.left_behind(Work::Compact, over_in_s);
                }
                let Some(leases) = begun_at_once(&place, first, second, at) else {
                    assert!(at > 2, "{at} requests only");
                    break;
                };
                assert_ne!(
                    leases,
                    (true, true),
                    "{first:?}, {second:?}, {at}, {left:?}"
                );
            }
        }
    }
}

/// Red if a run that ends lets an address be taken out of lines that another run has read already, and writes yet.
#[test]
fn a_run_that_ends_does_not_end_the_lease_of_another() {
    let place = Place::new();
    let first = place.begin(Work::Compact).unwrap();
    let second = place.begin(Work::Compact).unwrap();
    block_on(first.end()).unwrap();
    assert!(place.begin(Work::Forget).is_err());
    block_on(second.end()).unwrap();
    block_on(place.begin(Work::Forget).unwrap().end()).unwrap();
    assert_eq!(place.files(), [""; 0], "nothing is left");
}

#[test]
fn what_was_left_behind_is_over_and_removed_later() {
    let place = Place::new();
    place.left_behind(Work::Compact, 60);
    assert!(place.begin(Work::Forget).is_err());
    assert_eq!(place.files().len(), 1, "who was refused leaves nothing");
    let place = Place::new();
    place.left_behind(Work::Compact, -60);
    place.left_behind(Work::Forget, -LEFT_FOR_S);
    block_on(place.begin(Work::Forget).unwrap().end()).unwrap();
    // Its run may have a clock that is late.
    assert_eq!(place.files().len(), 1);
}

/// Red if a run that slept writes lines from before another run's lease.
#[test]
fn a_run_that_was_held_up_for_too_long_does_not_go_on() {
    let place = Place::new();
    let mut lease = place.begin(Work::Compact).unwrap();
    lease.kept_s -= KEPT_EVERY_S;
    let kept_s = lease.kept_s;
    block_on(lease.keep()).unwrap();
    assert!(lease.kept_s > kept_s);
    lease.kept_s -= LASTS_S;
    let held_up = block_on(lease.keep()).unwrap_err();
    assert!(matches!(held_up, ArchiveError::HeldUp { .. }), "{held_up}");
}
