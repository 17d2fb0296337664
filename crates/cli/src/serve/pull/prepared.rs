//! Opens what pulling needs, before anything listens: a configuration that cannot work ends the start.

use super::Pulling;
use super::ledger::LedgerLocation;
use super::puller::{Job, Puller};
use crate::arrivals::{Arrivals, Arrived};
use crate::clouds::Cloud;
use crate::env::Env;
use crate::error::CliError;
use crate::label_studio_access;
use crate::labelbox_access;
use crate::local_dir::LocalDir;
use crate::locations::{self, QueueLocation, StoreLocation};
use crate::open::{self, BackEnds};
use crate::platform_http;
use crate::queue_sender::QueueSender;
use crate::remote_ledger::RemoteLedger;
use crate::serve::observed_queue::ObservedQueue;
use crate::serve::pull_state::PullState;
use crate::serve::signals::Stop;
use labelrelay_core::config::{Config, PullConfig, SecretRef, SourceConfig};
use labelrelay_core::provider::Provider;
use labelrelay_core::{Clock, Relay, SecretSource};
use labelrelay_http::admin::Metrics;
use labelrelay_local::{LedgerFile, Options};
use labelrelay_reconcile::http::Proxies;
use labelrelay_reconcile::labelbox::ENDPOINT;
use labelrelay_startup::{QUEUE, Setting};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

pub(crate) struct Prepared {
    sources: Vec<One>,
    opener: Opener,
    state: PullState,
}

/// Everything that is opened for the pulls of one source.
pub(super) struct One {
    source: SourceConfig,
    settings: PullConfig,
    server: String,
    token: Box<dyn SecretSource>,
    proxies: Proxies,
    place: LedgerLocation,
    arrived: Option<Arrived>,
}

/// Opens it, for each source.
pub(super) struct Opener {
    location: QueueLocation,
    /// Several sources have one ledger, beside the embedded queue.
    turn: Arc<Mutex<()>>,
    /// What the queue took, where it cannot be looked into.
    pub(super) arrivals: Option<Arc<Arrivals>>,
    clock: Arc<dyn Clock>,
}

/// Everything that the pulls of all sources share.
pub(super) struct Shared {
    sender: Arc<QueueSender>,
    /// The runtime of the deliveries.
    main: Handle,
    clock: Arc<dyn Clock>,
    state: PullState,
    pub(super) metrics: Arc<Metrics>,
}

impl Prepared {
    /// Everything that `config` says of pulling. Sends nothing. Needs a Tokio runtime around it.
    pub(crate) async fn new(
        config: &Config,
        env: &Env<'_>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, CliError> {
        let location = open::queue_location(config, env)?;
        let is_embedded = matches!(location, QueueLocation::Sqlite(_));
        let opener = Opener {
            location,
            turn: Arc::default(),
            // Also where nothing is pulled yet: the configuration may get a section for it.
            arrivals: (!is_embedded).then(Arc::default),
            clock: Arc::clone(clock),
        };
        let mut sources = Vec::new();
        for source in &config.sources {
            if let Some(settings) = &source.pull {
                sources.push(opener.one(source, settings, config, env).await?);
            }
        }
        Ok(Self {
            sources,
            opener,
            state: PullState::default(),
        })
    }

    /// What the pulls will have found, once there are some.
    pub(in crate::serve) fn state(&self) -> PullState {
        self.state.clone()
    }

    /// List in which the queue notes what it took; `None` if the queue can be looked into.
    pub(crate) fn arrivals(&self) -> Option<Arc<Arrivals>> {
        self.opener.arrivals.clone()
    }

    /// Begins to pull, on a thread of its own, until the signal to stop. Needs the Tokio runtime of the deliveries around
    /// it.
    pub(crate) fn start(
        self,
        relay: &Arc<Relay>,
        metrics: &Arc<Metrics>,
        stop: &Stop,
    ) -> Result<Pulling, CliError> {
        let parts = relay.parts();
        let queue = Arc::new(ObservedQueue(Arc::clone(relay)));
        let sender = QueueSender::new(queue, parts.blobs.clone(), Arc::clone(&parts.clock));
        let shared = Shared {
            sender: Arc::new(sender),
            main: Handle::current(),
            clock: Arc::clone(&parts.clock),
            state: self.state,
            metrics: Arc::clone(metrics),
        };
        let mut pulling = Pulling::new(self.opener, shared, stop);
        pulling.begin(self.sources)?;
        Ok(pulling)
    }
}

impl Opener {
    /// What `settings` of `source` name. A configuration that cannot work is an error.
    pub(super) async fn one(
        &self,
        source: &SourceConfig,
        settings: &PullConfig,
        config: &Config,
        env: &Env<'_>,
    ) -> Result<One, CliError> {
        let clock = &self.clock;
        let key = |name: &str| format!("source.{}.pull.{name}", source.name);
        let ledger = key("ledger");
        let server = match (&settings.url, source.provider) {
            (Some(url), _) => url.clone(),
            (None, Provider::Labelbox) => ENDPOINT.to_owned(),
            (None, _) => {
                return Err(CliError::config(format_args!(
                    "{}: `{}` is not set: write where Label Studio is, such as http://HOST:8080, or set LABEL_STUDIO_URL",
                    config.origin,
                    key("url")
                )));
            }
        };
        let token = token(source, settings, config, &key("token"), env, clock).await?;
        let at = match (&self.location, &settings.ledger) {
            // It lies where the queue's own setting says, which may be that of the environment.
            (QueueLocation::Cloud(Cloud::Postgres, _), None) => open::setting(QUEUE, config, env),
            _ => Setting {
                origin: &config.origin,
                key: &ledger,
                base_dir: &config.base_dir,
            },
        };
        let (queue, turn) = (&self.location, &self.turn);
        let place = place(source, settings, queue, turn, at, env, clock).await?;
        let proxies = platform_http::proxies(env)?;
        // Last: what is noted, somebody takes.
        let arrivals = self.arrivals.as_ref();
        Ok(One {
            arrived: arrivals.map(|arrivals| arrivals.of(&source.name)),
            source: source.clone(),
            settings: settings.clone(),
            server,
            token,
            proxies,
            place,
        })
    }
}

impl Shared {
    pub(super) fn puller(&self, one: One) -> Puller {
        let job = Job {
            source: one.source,
            settings: one.settings,
            server: one.server,
            token: one.token,
            proxies: one.proxies,
            place: one.place,
            sender: Arc::clone(&self.sender),
            main: self.main.clone(),
            clock: Arc::clone(&self.clock),
            state: self.state.clone(),
            metrics: Arc::clone(&self.metrics),
        };
        Puller::new(job, one.arrived)
    }
}

async fn token(
    source: &SourceConfig,
    settings: &PullConfig,
    config: &Config,
    key: &str,
    env: &Env<'_>,
    clock: &Arc<dyn Clock>,
) -> Result<Box<dyn SecretSource>, CliError> {
    let given = settings.token.as_ref();
    let (reference, page) = match source.provider {
        Provider::Labelbox => (
            labelbox_access::reference(given),
            "Workspace settings of Labelbox",
        ),
        _ => (
            label_studio_access::reference(given),
            "Account & Settings of Label Studio",
        ),
    };
    if let SecretRef::Env(name) = &reference
        && env
            .lookup()
            .secret(name)
            .is_none_or(|value| value.is_empty())
    {
        return Err(CliError::config(format_args!(
            "{}: `{key}`: the environment variable {name} is not set; set it to a token ({page}), or write where the token is: file:/path",
            config.origin
        )));
    }
    let back_ends = BackEnds::new(Options::default(), env, Arc::clone(clock));
    let open = back_ends.open();
    let opened = open.secret(&reference, None, &config.origin, key).await?;
    Ok(opened)
}

async fn place(
    source: &SourceConfig,
    settings: &PullConfig,
    queue: &QueueLocation,
    turn: &Arc<Mutex<()>>,
    at: Setting<'_>,
    env: &Env<'_>,
    clock: &Arc<dyn Clock>,
) -> Result<LedgerLocation, CliError> {
    match (queue, &settings.ledger) {
        (QueueLocation::Sqlite(queue), None) => Ok(LedgerLocation::Beside {
            queue: queue.clone(),
            ledger: LedgerFile::beside(queue),
            turn: Arc::clone(turn),
        }),
        (QueueLocation::Sqlite(queue), Some(_)) => Err(CliError::config(format_args!(
            "{}: `{}`: is for queues elsewhere: this one is a file, and its ledger is {}; remove it",
            at.origin,
            at.key,
            LedgerFile::beside(queue).display()
        ))),
        (QueueLocation::Cloud(Cloud::Postgres, url), None) => {
            let location = locations::ledger_in_postgres(url).below(&source.name);
            store(&location, at, env, clock).await
        }
        (_, None) => Ok(LedgerLocation::File {
            local_dir: LocalDir::below(env.cwd()),
            source: source.name.clone(),
        }),
        (_, Some(url)) => {
            let location = locations::store(url, at.base_dir);
            let location = location.map_err(|error| error.at(at.origin, at.key))?;
            store(&location.below(&source.name), at, env, clock).await
        }
    }
}

async fn store(
    location: &StoreLocation,
    at: Setting<'_>,
    env: &Env<'_>,
    clock: &Arc<dyn Clock>,
) -> Result<LedgerLocation, CliError> {
    let words = location.to_string();
    let Some(store) = open::objects(location, at, env, clock, true).await? else {
        return Err(CliError::config(format_args!("{words}: is not there")));
    };
    let remote = RemoteLedger::new(store, words, Arc::clone(clock), warn);
    Ok(LedgerLocation::Store(Arc::new(remote)))
}

fn warn(words: &str) {
    tracing::warn!(name: "ledger_warning", "{words}");
}
