//! Labelbox: webhooks of both versions, workflow moves, and model training.

mod describe;
mod extract;
mod from_api;
mod inspector;
mod labels;
mod routes;
mod topic;
mod types;
mod v1;

pub(super) use from_api::describe_entity;
pub(super) use inspector::{DELIVERY_ID_HEADER, Inspector};
pub(super) use routes::endpoint;
pub(super) use types::{KNOWN_TYPES, OPEN_TYPES};
