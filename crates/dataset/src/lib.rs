//! A dataset that stays true: the annotations of a labeling platform as files that a training run reads.
//!
//! Events are folded into a [`Store`], one batch a transaction: what is committed may be acknowledged. An event that
//! comes twice, late or in another order changes nothing. From the store a [`Snapshot`] is written: COCO, YOLO,
//! Parquet, or JSON lines, whole or not at all.
//!
//! ```
//! use labelrelay_dataset::{Format, Options, Store};
//! use labelrelay_event::Event;
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//!
//! let mut store = Store::open(dir)?;
//! let queued = br#"{"specversion":"1.0","id":"1","source":"/label-studio","type":"io.labelstud.annotation.created","datasha256":"a3a2f396ff42b46acc54699888e31b233f90d3d18c980ed05f748957ba3bc477","receivedtime":"2026-11-21T09:47:12Z","data":{"action":"ANNOTATION_CREATED","annotation":{"id":5,"task":7,"updated_at":"2026-11-21T09:47:10.371842Z","result":[]},"project":{"id":1},"task":{"id":7,"data":{"image":"s3://cars/7.jpg"}}}}"#;
//! let folded = store.fold([Event::parse(queued)])?;
//! assert!(folded[0].is_ok()); // and may be acknowledged now
//!
//! let snapshot = labelrelay_dataset::write(&mut store, &Options::of(Format::Coco))?;
//! assert_eq!(snapshot.counts.annotations, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod about;
mod choices;
mod class_list;
mod class_numbers;
mod compare;
mod contents;
mod counts;
mod differences;
mod earlier;
mod error;
mod export;
mod geometry;
mod housekeeping;
mod input;
mod label_config;
mod label_content;
mod manifest;
mod mask;
mod media;
mod media_copy;
mod media_list;
mod options;
mod output;
mod part_counts;
mod publish;
mod published;
mod redact;
mod selection;
mod snapshot;
mod split;
mod status;
mod step;
mod store;
mod tally;
mod verdict;
mod verified;
mod which;

pub use choices::Choices;
pub use compare::compare;
pub use counts::Counts;
pub use differences::{AnnotationId, Differences, Scope};
pub use error::{DatasetError, Unreadable};
pub use export::{Format, YoloTask};
pub use input::Input;
pub use media_copy::MediaCopy;
pub use media_list::MediaList;
pub use options::Options;
pub use publish::Publisher;
pub use redact::Addresses;
pub use snapshot::{Snapshot, latest, write};
pub use split::{Split, Splits};
pub use status::{Status, status};
pub use store::Store;
pub use verdict::Verdict;
pub use which::Which;
