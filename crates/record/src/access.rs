//! What is asked of a record, wherever it is: in a file beside one relay, or in a database that several relays share.

use crate::class::Class;
use crate::error::RecordError;
use crate::filter::Filter;
use crate::options::Options;
use crate::reader::{Body, RecordFile};
use crate::row::{Recorded, Row};

/// A record, for whoever looks into it. Every method may wait for a disk or a network.
pub trait Record {
    /// Deliveries that pass `filter`, in the order in which they were recorded (or its reverse), `limit` at most.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read.
    fn list(&self, filter: &Filter, limit: usize) -> Result<Vec<Recorded>, RecordError>;

    /// Deliveries that pass `filter`, and have `text` as an id or as the beginning of one, `limit` at most.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read.
    fn search(
        &self,
        text: &str,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<Recorded>, RecordError>;

    /// Deliveries that somebody calls `which`: by their name in the record, by the beginning of the event's id, or by
    /// that of the platform's id of the delivery. The newest comes first.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read.
    fn find(&self, which: &str) -> Result<Vec<Recorded>, RecordError>;

    /// The first part of a delivery's body, where it was kept.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read.
    fn body(&self, delivery: &Recorded) -> Result<Option<Body>, RecordError>;

    /// Number of the deliveries in it.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read.
    fn count(&self) -> Result<u64, RecordError>;

    /// Deliveries that are missing, because more came than could be written.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read.
    fn lost(&self) -> Result<u64, RecordError>;

    /// Takes an e-mail address out of all that is kept, in whatever letters. Returns the number of deliveries in which it
    /// stood.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read or written. What was done until then stays done.
    fn forget(&self, address: &str) -> Result<u64, RecordError>;
}

impl Record for RecordFile {
    fn list(&self, filter: &Filter, limit: usize) -> Result<Vec<Recorded>, RecordError> {
        self.list(filter, limit)
    }

    fn search(
        &self,
        text: &str,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<Recorded>, RecordError> {
        self.search(text, filter, limit)
    }

    fn find(&self, which: &str) -> Result<Vec<Recorded>, RecordError> {
        self.find(which)
    }

    fn body(&self, delivery: &Recorded) -> Result<Option<Body>, RecordError> {
        self.body(delivery)
    }

    fn count(&self) -> Result<u64, RecordError> {
        self.count()
    }

    fn lost(&self) -> Result<u64, RecordError> {
        self.lost()
    }

    fn forget(&self, address: &str) -> Result<u64, RecordError> {
        self.forget(address)
    }
}

/// A record that several relays share. Each of them keeps a journal of its own, and moves what is in it here.
///
/// Numbers are given here, to one relay after the other: whoever has read everything up to a number misses nothing by
/// asking for what follows it.
pub trait SharedRecord: Record + Send + Sync {
    /// Tells whether anything was ever recorded.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read.
    fn exists(&self) -> Result<bool, RecordError>;

    /// A name for a journal that no other journal has.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be reached.
    fn name_of_journal(&self) -> Result<String, RecordError>;

    /// The place up to which the record has the deliveries of this journal; 0 where it has none.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be read.
    fn moved(&self, journal: &str) -> Result<i64, RecordError>;

    /// Takes deliveries in, all of them or none, and removes what is too much or too old. Returns the place up to which
    /// the record has those of this journal. If that was another one than [`Moving::after`], it took nothing. A journal
    /// that it does not know begins there.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be written.
    fn take_in(&self, moving: &Moving<'_>) -> Result<i64, RecordError>;

    /// Removes what is too much or older than `oldest_ms` (milliseconds since 1970): some of it, if that is a lot.
    ///
    /// # Errors
    /// [`RecordError`] when the record cannot be written.
    fn prune(&self, options: &Options, oldest_ms: i64) -> Result<(), RecordError>;
}

/// Deliveries on their way out of a journal into the record.
#[derive(Debug, Clone, Copy)]
pub struct Moving<'a> {
    /// Name of the journal.
    pub journal: &'a str,
    /// The place up to which the record has it.
    pub after: i64,
    /// The place up to which it has it afterwards.
    pub upto: i64,
    /// The deliveries of these places that are to be kept, with their bodies.
    pub rows: &'a [Row],
    /// Deliveries that a secret has vouched for, and others, that were lost on the way to the journal or in it.
    pub lost: [u64; 2],
    /// Bounds of the record.
    pub options: &'a Options,
    /// What came before this moment is too old; milliseconds since 1970.
    pub oldest_ms: i64,
}

impl Moving<'_> {
    /// Deliveries of a class that were lost.
    pub const fn lost_of(&self, class: Class) -> u64 {
        let [verified, stranger] = self.lost;
        match class {
            Class::Verified => verified,
            Class::Stranger => stranger,
        }
    }
}
