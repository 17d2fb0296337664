//! The annotations of an event as shapes, over those of the version before: the script only draws.

mod answers;
mod budget;
mod compare;
mod drafts;
mod forms;
mod mask;
mod read;
mod scene;
mod texts;
mod timeline;
mod view;

pub(crate) use read::{Version, of};
pub(crate) use view::Drawings;
