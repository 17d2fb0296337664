//! The dataset that a verb works on: a directory, or an object store with a working directory on this machine.

use crate::env::Env;
use crate::error::CliError;
use crate::open::BackEnds;
use labelrelay_core::{Clock, CommandLineBackEnd as _, Location};
use labelrelay_dataset::{Publisher, Snapshot, Store};
use labelrelay_startup::SystemClock;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(super) struct DatasetLocation {
    /// Directory of the dataset, or its URL in a store: `s3://…`, `gs://…`, `az://…`
    #[arg(value_name = "DIR")]
    dataset: String,
    /// With a URL: the working directory [default: the URL's last part]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
}

impl DatasetLocation {
    /// The directory, as the user wrote it.
    pub(super) fn dir(&self) -> PathBuf {
        match (&self.work, self.url()) {
            (Some(work), Some(_)) => work.clone(),
            (None, Some(url)) => last_part(url).into(),
            (_, None) => PathBuf::from(&self.dataset),
        }
    }

    pub(super) fn url(&self) -> Option<&str> {
        self.dataset.contains("://").then_some(&*self.dataset)
    }

    /// Opens the working state, and makes it where there is none.
    pub(super) fn open(&self, env: &Env<'_>) -> Result<Store, CliError> {
        Ok(Store::open(self.checked_dir(env)?)?)
    }

    /// Where the working state is.
    fn checked_dir(&self, env: &Env<'_>) -> Result<PathBuf, CliError> {
        if self.work.is_some() && self.url().is_none() {
            return Err(CliError::usage(
                "--work is for a dataset with a URL; a directory has its working state in itself",
            ));
        }
        Ok(env.cwd().join(self.dir()))
    }

    /// Opens the working state of a dataset that is there.
    pub(super) fn existing(&self, env: &Env<'_>) -> Result<Store, CliError> {
        self.must_exist(env)?;
        self.open(env)
    }

    /// The same, to compare it; while another process works on it, to look at it alone.
    pub(super) fn beside(&self, env: &Env<'_>) -> Result<Store, CliError> {
        self.must_exist(env)?;
        let dir = self.checked_dir(env)?;
        match Store::open_if_free(&dir)? {
            Some(store) => Ok(store),
            None => Ok(Store::look(&dir)?),
        }
    }

    fn must_exist(&self, env: &Env<'_>) -> Result<(), CliError> {
        let dir = self.dir();
        if !Store::is_there(env.cwd().join(&dir)) {
            return Err(CliError::usage(format_args!(
                "{}: there is no such dataset; make it with `labelrelay dataset sync` or `dataset rebuild`",
                dir.display()
            )));
        }
        Ok(())
    }

    /// Opens the store that snapshots are published to, and makes the prefix there that of this dataset; `None` if the
    /// dataset is a directory. Must be called within a Tokio runtime.
    pub(super) async fn publisher(
        &self,
        store: &Store,
        takes_over: bool,
        env: &Env<'_>,
    ) -> Result<Option<Publisher>, CliError> {
        let Some(url) = self.url() else {
            return Ok(None);
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let back_ends = BackEnds::new(labelrelay_local::Options::default(), env, clock);
        let at = Location {
            url,
            base_dir: env.cwd(),
        };
        let target = back_ends.object_store(at).await?;
        // A signature in it is not to be kept, nor shown.
        let url = url.split('?').next().unwrap_or(url);
        Ok(Some(Publisher::open(store, target, url, takes_over).await?))
    }
}

/// Publishes a snapshot where the dataset has a store.
pub(super) async fn publish(
    place: &DatasetLocation,
    store: &Store,
    snapshot: &Snapshot,
    env: &Env<'_>,
) -> Result<(), CliError> {
    if let Some(mut publisher) = place.publisher(store, false, env).await? {
        publisher.publish(store, snapshot).await?;
    }
    Ok(())
}

/// The last part of a URL's path, as `git clone` names a directory.
fn last_part(url: &str) -> &str {
    let path = url.split('?').next().unwrap_or(url).trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or(path);
    if matches!(last, "" | "." | "..") {
        "dataset"
    } else {
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_working_directory_is_named_after_the_url() {
        for (url, name) in [
            ("s3://bucket/datasets/cars", "cars"),
            ("s3://bucket/datasets/cars/", "cars"),
            ("gs://bucket", "bucket"),
            (
                "https://a.blob.core.windows.net/c/cars?sv=1&sig=a/b",
                "cars",
            ),
            ("s3://bucket/..", "dataset"),
        ] {
            assert_eq!(last_part(url), name, "{url}");
        }
    }
}
