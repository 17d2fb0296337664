//! Labelbox: webhooks of both versions, workflow moves, and model training.

mod describe;
mod event_types;
mod extract;
mod from_api;
mod inspector;
mod labels;
mod routes;
mod topic;
mod v1;

pub(super) use event_types::{KNOWN_TYPES, OPEN_TYPES};
pub(super) use from_api::describe_entity;
pub(super) use inspector::{DELIVERY_ID_HEADER, Inspector};
pub(super) use routes::endpoint;
