//! Secrets: where they come from, how long they live, and that they never show.

mod encoding;
mod error;
mod file;
mod likely_mistakes;
mod regular_file;
mod ring;
mod source;
mod store;
mod value;

pub use error::SecretError;
pub use file::FileSecret;
pub use regular_file::{open_to_others, read_file};
pub use ring::SecretRing;
pub use source::{FixedSecret, SecretSource};
pub use store::{SecretStore, words_without};
pub use value::Secret;
