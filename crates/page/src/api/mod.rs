//! What the page's script asks for, as JSON.

mod body;
mod curl;
mod delivery;
mod list;
mod media;
mod media_form;
mod outline;
mod route;
mod steps;
mod text;

pub(crate) use route::{Deed, answer, media_document};
