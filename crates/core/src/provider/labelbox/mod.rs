//! Labelbox: webhooks of both versions, workflow moves, and model training.

mod describe;
mod endpoint;
mod extract;
mod from_api;
mod inspector;
mod labels;
mod topic;
mod types;
mod v1;

pub(super) use endpoint::endpoint;
pub(super) use from_api::describe_entity;
pub(super) use inspector::{DELIVERY_ID_HEADER, Inspector};
pub(super) use types::{KNOWN_TYPES, OPEN_TYPES};
