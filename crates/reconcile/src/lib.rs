//! Finds through a labelling platform's API what no delivery brought, and sends it.
//!
//! [`Reconcile`] is the same for every platform: it goes by a [`Ledger`](labelrelay_core::Ledger) of what was
//! seen so far, reads what the queue got meanwhile, sends what is new through a [`Sink`], and looks after
//! what is missing. A [`Platform`] yields what a project holds, page by page, and knows its own API; a new
//! platform is one implementation of that trait. While one page is sent, the next one is fetched.
//!
//! An event that is sent has the id that the live event would have had (see [`labelrelay_core::from_api`]), and says
//! `origin: reconcile`. It is recorded after it was sent; a watermark moves only after everything before it was
//! recorded: whatever breaks off leaves repeats with the same ids at worst.
//!
//! [`label_studio::Management`] and [`labelbox::Management`] make, mend and remove webhooks.
//!
//! The platforms' management clients live in this crate and nowhere else: nothing that takes deliveries in
//! links it.

pub mod http;
pub mod label_studio;
pub mod labelbox;
mod page;
mod platform;
mod progress;
mod run;
mod sink;

pub use page::{Entity, Page};
pub use platform::{Counts, EntityRef, EntityVersions, Platform, PlatformError, Project};
pub use progress::{NoProgress, Progress};
pub use run::{Reconcile, ReconcileError, Summary, things_of};
pub use sink::{LiveEvent, SendOutcome, Sink, SinkError};
