//! Knowledge of the events that came, for `labelrelay status`: the embedded queue has them all. Of any other queue, a
//! ledger knows what `serve` or `labelrelay pull` recorded.

use crate::env::Env;
use crate::error::{CliError, chain};
use crate::local_dir::LocalDir;
use crate::locations::{self, StoreLocation};
use crate::open;
use crate::recent_deliveries::RecentDeliveries;
use crate::remote_ledger::{LocalCopy, RemoteLedger};
use jiff::Timestamp;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_core::ledger::LedgerError;
use labelrelay_core::{Clock, Ledger as _, time};
use labelrelay_local::LedgerFile;
use labelrelay_reconcile::label_studio::ChangedThing;
use labelrelay_startup::{BLOB_STORE, Setting, SystemClock};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Time to fetch a ledger from a store. It may be large, and `status` is asked now and then.
const FETCH_WITHIN: Duration = Duration::from_secs(10);

/// A change is in a store's ledger so much later than in the file of this machine: it is saved once a minute.
const STORE_IS_LATE: Duration = Duration::from_secs(120);

/// Everything that is known of the events of one source.
#[derive(Clone, Copy)]
pub(crate) enum Evidence<'a> {
    /// The embedded queue.
    Queue(&'a RecentDeliveries),
    /// A ledger.
    Ledger(&'a KnownThings),
    /// Nothing is known: why.
    Nothing(&'a str),
}

/// A ledger, for reading.
pub(crate) struct KnownThings {
    ledger: LedgerFile,
    /// `true` if it knows what was delivered as well, because `serve` keeps it.
    pub(crate) knows_deliveries: bool,
    /// A change may be so much younger and not be in it yet.
    pub(crate) late: Duration,
    /// Removed after use.
    _copy: Option<LocalCopy>,
}

impl KnownThings {
    /// The ledger of `source`, whose queue is no file; `None` if nobody keeps one.
    ///
    /// # Errors
    /// Problem, in words, when it cannot be read, or `serve` should keep one and it is not there.
    pub(crate) async fn of(
        config: &Config,
        source: &SourceConfig,
        env: &Env<'_>,
    ) -> Result<Option<Self>, String> {
        let said = |error: CliError| error.message().to_owned();
        let Some(pull) = &source.pull else {
            let Some(url) = &config.blob_store else {
                return Ok(None);
            };
            // `labelrelay pull` has it there, unless it is told otherwise.
            let at = open::setting(BLOB_STORE, config, env);
            let location = locations::store(url, at.base_dir);
            let location = location.map_err(|error| said(error.at(at.origin, at.key).into()))?;
            let location = location.below("ledger").below(&source.name);
            return in_store(&location, at, source, false, env)
                .await
                .map_err(said);
        };
        let Some(url) = &pull.ledger else {
            let file = LocalDir::below(env.cwd()).ledger_file(&source.name);
            if !file.exists() {
                return Err(not_there(&file.display().to_string()));
            }
            let things = Self::read(&file, source, true, Duration::ZERO, None);
            return things.map(Some).map_err(|error| chain(&error));
        };
        let at = Setting {
            origin: &config.origin,
            key: &format!("source.{}.pull.ledger", source.name),
            base_dir: &config.base_dir,
        };
        let location = locations::store(url, at.base_dir);
        let location = location.map_err(|error| said(error.at(at.origin, at.key).into()))?;
        let location = location.below(&source.name);
        let things = in_store(&location, at, source, true, env)
            .await
            .map_err(said)?;
        things
            .map(Some)
            .ok_or_else(|| not_there(&location.to_string()))
    }

    fn read(
        file: &Path,
        source: &SourceConfig,
        knows_deliveries: bool,
        late: Duration,
        copy: Option<LocalCopy>,
    ) -> Result<Self, LedgerError> {
        Ok(Self {
            ledger: LedgerFile::open_read_only(file, &source.name)?,
            knows_deliveries,
            late,
            _copy: copy,
        })
    }

    /// Moment up to which everything in the project was seen, by the platform's clock; `None` where no look through it
    /// has come to its end.
    pub(crate) fn watermark(&self, project: u64) -> Result<Option<Timestamp>, LedgerError> {
        self.ledger.watermark(&project.to_string())
    }

    /// Changes that the ledger does not know.
    pub(crate) fn unknown(
        &self,
        changes: Vec<ChangedThing>,
    ) -> Result<Vec<ChangedThing>, LedgerError> {
        let keys: Vec<_> = changes.iter().map(|change| change.key.clone()).collect();
        let known = self.ledger.known(&keys)?;
        let is_new = |(change, known): (ChangedThing, _)| {
            let known: Option<labelrelay_core::ledger::Known> = known;
            let is_known = known.is_some_and(|known| {
                let version = time::sequence(change.time);
                // Of what is gone, a newer version is another thing with its id.
                known.sequence.is_none_or(|sequence| sequence >= version)
            });
            (!is_known).then_some(change)
        };
        Ok(changes.into_iter().zip(known).filter_map(is_new).collect())
    }
}

fn not_there(place: &str) -> String {
    format!(
        "the ledger of `serve` is not there ({place}): `serve` has not pulled yet, or runs in another directory"
    )
}

async fn in_store(
    location: &StoreLocation,
    at: Setting<'_>,
    source: &SourceConfig,
    knows_deliveries: bool,
    env: &Env<'_>,
) -> Result<Option<KnownThings>, CliError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let words = location.to_string();
    let fetched = tokio::time::timeout(FETCH_WITHIN, async {
        let Some(store) = open::objects(location, at, env, &clock, false).await? else {
            return Ok(None);
        };
        let remote = RemoteLedger::new(store, words.clone(), Arc::clone(&clock), |_| {});
        remote.fetch().await.map(Some)
    });
    let fetched = fetched.await.unwrap_or_else(|_| {
        Err(CliError::failed(format_args!(
            "ledger in {words}: was not read within {} s",
            FETCH_WITHIN.as_secs()
        )))
    });
    let Some(copy) = fetched? else {
        return Ok(None);
    };
    let file = copy.file();
    if !file.exists() {
        return Ok(None);
    }
    let late = STORE_IS_LATE;
    let read = KnownThings::read(&file, source, knows_deliveries, late, Some(copy));
    Ok(Some(read?))
}
