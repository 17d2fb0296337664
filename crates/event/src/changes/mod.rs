//! Changes: what an event says of each thing that it names.
//!
//! An event says that something happened: an annotation was created, or eighteen tasks were deleted at once. A change says
//! of one thing what is true of it now. [`docs/changes.md`] is the specification, and `tests/fixtures/changes` decides:
//! this reader and the Python package's are held to the same files.
//!
//! ```
//! use labelrelay_event::Event;
//! use labelrelay_event::changes::{Change, Record, Shape};
//!
//! fn handle(message: &[u8]) -> Result<(), labelrelay_event::EventError> {
//!     let event = Event::parse(message)?;
//!     event.verify()?; // the body is what the sender sent
//!     for change in event.changes()? {
//!         match change {
//!             Change::Removed(removed) => println!("gone: {}", removed.key),
//!             Change::Changed(changed) => {
//!                 println!("there: {} {:?}", changed.key, changed.version);
//!                 let Some(Record::Annotation(annotation)) = changed.record.as_deref() else {
//!                     continue;
//!                 };
//!                 for region in &annotation.regions {
//!                     if let Shape::Box(found) = &region.shape {
//!                         println!("{:?} at {:?}", region.label(), found.pixels);
//!                     }
//!                 }
//!             }
//!             _ => {}
//!         }
//!     }
//!     Ok(())
//! }
//! # let queued = br#"{"specversion":"1.0","id":"1","source":"/ls","type":"io.labelstud.task.created","datasha256":"c3626faee9e58addbc3bdac09d87e8bebc55c1ea42772f950e1cb0fdfc8de86b","receivedtime":"2026-01-01T00:00:00Z","data":{"task":{"id":7,"data":{}}}}"#;
//! # assert!(handle(queued).is_ok());
//! ```
//!
//! [`docs/changes.md`]: https://github.com/labelrelay/labelrelay/blob/main/docs/changes.md

mod brush;
mod change;
mod context;
mod key;
mod label_studio;
mod labelbox;
mod marks;
mod raw;
mod reader;
mod records;
mod regions;
mod size;
mod version;

pub use brush::decode as decode_brush;
pub use change::{By, Change, Changed, Order, Removed};
pub use key::{Key, Kind};
pub use raw::Raw;
pub use records::{
    Annotation, Answer, Classification, Project, Record, Relation, Review, Task, Thing, Workflow,
};
pub use regions::{
    Box, Ellipse, Frame, Image, Keypoint, Line, Mask, Other, Point, Polygon, Radii, Rect, Region,
    Shape, Span, TimeSpan, TimeUnit, Track,
};
pub use size::Size;

pub(crate) use reader::reader_of;
