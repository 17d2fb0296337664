//! Label Studio: webhooks, and the calls that it makes to an ML back end.

mod action;
mod describe;
mod endpoint;
mod extract;
mod from_api;
mod inspector;

pub(super) use action::KNOWN_TYPES;
pub(super) use endpoint::endpoint;
pub(super) use from_api::describe_entity;
pub(super) use inspector::Inspector;
