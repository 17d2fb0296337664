//! The page of labelrelay: deliveries as they come, and the annotation that each one brought.
//!
//! [`Page::answer`] takes the head of a request and gives a whole response back. It knows no server, no runtime and no
//! database: whoever has a server mounts it, and whoever has a record implements [`PageData`]. It reads through that while
//! it answers, so call it where waiting for a disk holds up nobody.
//!
//! Deliveries hold personal data and live tokens, and every user of a machine reaches a loopback port. So everything but
//! the static assets asks for a token ([`PageToken`]), and no other web page gets an answer.
//!
//! What a payload says goes into JSON, and from there into text of the page. No part of it becomes markup, but for the
//! address of a medium that somebody wants to see or to hear: it stands in a document of its own, where nothing runs.
//! What is too large to be looked at is cut: each answer says what it left out.

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod access;
mod answer;
mod api;
mod assets;
mod data;
mod drawing;
mod page;
mod query;
mod token;

pub use data::{
    Acted, Action, BodyPart, DataError, Delivery, ListQuery, Listing, PageData, Part, PartState,
    Previous, Show, SourceView, Summary,
};
pub use page::Page;
pub use token::{InvalidToken, PageToken};
