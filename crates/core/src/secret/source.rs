//! Sources of live secrets.

use super::error::SecretError;
use super::value::Secret;
use crate::BoxFuture;

/// A place of live secrets: a file, a cloud's secret store, fixed text.
pub trait SecretSource: Send + Sync {
    /// All secrets that are live now, the newest first.
    ///
    /// # Errors
    /// [`SecretError`] when the store cannot be read. An empty list is an error too.
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>>;

    /// The newest secrets alone, where each of the others is a question of its own. `None` where one question brings
    /// all of them: then ask [`fetch`](Self::fetch).
    fn fetch_newest(&self) -> Option<BoxFuture<'_, Result<Vec<Secret>, SecretError>>> {
        None
    }

    /// Tells whether the result of [`fetch`](Self::fetch) may have changed, if that can be told cheaply.
    fn changed(&self) -> bool {
        false
    }

    /// Doubts about the place where they are kept, each with a cure.
    fn doubts(&self) -> Vec<String> {
        Vec::new()
    }

    /// Tells whether secrets from here never change while the process lives.
    fn is_fixed(&self) -> bool {
        false
    }
}

/// A secret that cannot change while the process lives: text from the environment.
#[derive(Debug, Clone)]
pub struct FixedSecret(pub Secret);

impl SecretSource for FixedSecret {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        Box::pin(std::future::ready(Ok(vec![self.0.clone()])))
    }

    fn is_fixed(&self) -> bool {
        true
    }
}
