//! Label Studio: webhooks, and the calls that it makes to an ML back end.

mod action;
mod describe;
mod endpoint;
mod from_api;
mod inspector;
mod extract;

pub(super) use action::KNOWN_TYPES;
pub(super) use endpoint::endpoint;
pub(super) use from_api::describe_entity;
pub(super) use inspector::Inspector;
