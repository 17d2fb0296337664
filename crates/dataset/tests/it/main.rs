//! Events of Label Studio and Labelbox become files of a dataset.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bad_input;
mod classes;
mod coco;
mod compare;
#[cfg(unix)] // it looks at tables as `parts` does
mod earlier_formats;
mod fold;
mod ground_truths;
#[cfg(unix)] // it looks at tables as `parts` does
mod known_late;
mod label_reviews;
mod media;
#[cfg(unix)] // a file with two names has one number there
mod parts;
mod privacy;
mod publish;
#[cfg(unix)] // it looks at tables as `parts` does
mod scores;
mod snapshots;
mod state;
mod support;
#[cfg(unix)] // it looks at tables as `parts` does
mod tasks;
mod verdicts;
mod yolo;
