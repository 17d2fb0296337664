//! Label Studio: webhooks, and the calls that it makes to an ML back end.

mod action;
mod describe;
mod extract;
mod from_api;
mod inspector;
mod routes;
mod task_facts;

pub(super) use action::KNOWN_TYPES;
pub(super) use from_api::describe_entity;
pub(super) use inspector::Inspector;
pub(super) use routes::endpoint;
pub(super) use task_facts::task_facts;
