//! From the configuration to the last answer.

use super::config_watch::{self, ConfigWatch};
use super::delivery_lines::DeliveryLines;
use super::listen_address::{bind, bind_admin};
use super::page::{Making, Page};
use super::pull::{Prepared, Pulling};
use super::pull_state::PullState;
use super::ready_file::ReadyFile;
use super::recording::Recording;
use super::rotation_watch::RotationWatch;
use super::service_manager::ServiceManager;
use super::settings::{Flags, Settings};
use super::telemetry::Telemetry;
use super::{
    Args, archiving, file_descriptors, hints, private_address, queue_watch, redrive, signals,
};
use crate::env::Env;
use crate::error::CliError;
use crate::find_configuration::{self, FoundConfiguration, Missing};
use crate::locations::QueueLocation;
use crate::logging::Format;
use crate::open::{self, Opened};
use crate::output::{from_a_thread, say};
use crate::serve_address::{Listening, ServeAddress};
use labelrelay_core::Clock;
use labelrelay_core::config::Config;
use labelrelay_core::provider::Provider;
use labelrelay_http::admin::{Metrics, serve_admin};
use labelrelay_http::observe::Tee;
use labelrelay_http::{ServeOptions, memory, serve};
use labelrelay_local::EmbeddedQueue;
use labelrelay_startup::SystemClock;
use labelrelay_startup::log::BoundedLog;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// After the server itself has stopped, connections to it have nothing to wait for.
const RUNTIME_END: Duration = Duration::from_secs(1);

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let mut found = find_configuration::find(env, args.config.as_deref(), Missing::Make)?;
    let as_read = found.config.clone();
    // Checked before anything is opened or bound.
    let settings = Settings::read(Flags::of(args), Some(&found.config))?;
    // Its path may be left in front of those that arrive.
    found
        .config
        .serve
        .public_url
        .clone_from(&settings.public_url);
    let runtime = crate::runtime::full()?;
    let result = runtime.block_on(
        Start {
            args,
            env,
            found,
            as_read,
            settings,
        }
        .serve(),
    );
    runtime.shutdown_timeout(RUNTIME_END);
    result
}

struct Start<'a> {
    args: &'a Args,
    env: &'a Env<'a>,
    found: FoundConfiguration,
    /// The configuration without what the flags changed.
    as_read: Config,
    settings: Settings,
}

impl Start<'_> {
    fn write_ready_file(&self, bound: SocketAddr) -> Result<Option<ReadyFile>, CliError> {
        let path = self.args.ready_file.as_deref();
        path.map(|path| ReadyFile::write(path, bound)).transpose()
    }

    fn queue(&self) -> Result<String, CliError> {
        Ok(open::queue_location(&self.found.config, self.env)?.to_string())
    }

    async fn serve(self) -> Result<(), CliError> {
        memory::give_back_after_bursts();
        let config = &self.found.config;
        let lines = from_a_thread()?;
        let dropped = move || lines.dropped();
        let clock = Arc::new(SystemClock::new());
        let timer: Arc<dyn Clock> = Arc::<SystemClock>::clone(&clock);
        let telemetry = Telemetry::of(&self.queue()?, self.env, &timer);
        let port = self.settings.listen.port();
        let recording = Recording::of(config, self.env, &timer, port)?;
        let metrics = telemetry.counted_by(Metrics::new().with_dropped_lines(dropped));
        let metrics = Arc::new(recording.counted_by(metrics));
        expect_deliveries(config, &metrics);
        let pulls = Prepared::new(config, self.env, &timer).await?;
        let archive = archiving::Prepared::new(config, self.env, &timer).await?;
        let log = BoundedLog::new(Arc::<SystemClock>::clone(&clock));
        let observer = Tee(Arc::clone(&metrics), log);
        let lines = DeliveryLines::of(self.args, self.env, &timer, recording.is_on())?;
        let observer = Tee(observer, Tee(lines.clone(), RotationWatch::default()));
        let observer = recording.after(Tee(observer, telemetry.observer()));
        let extras = recording.extras(config, self.env, pulls.arrivals())?;
        let opened = open::relay(config, self.env, clock, observer, extras).await?;
        let Opened { relay, embedded } = opened;
        // All of it before a port is bound: whoever connects to one that nobody serves yet hangs for as long.
        let mut warnings = config.warnings.clone();
        warnings.extend(open::may_start(&relay, config, self.env).await?);
        warnings.extend(self.network());
        warnings.extend(self.unread_traces());
        recording.begin();
        if let Some(path) = &self.args.ready_file {
            ReadyFile::clear(path)?;
        }
        let manager = ServiceManager::of(self.env)?;
        let options = options(config);
        let listener = bind(self.settings.listen, "--listen").await?;
        let admin = bind_admin(self.settings.admin).await?;
        let bound = listener.local_addr()?;
        let admin_bound = admin.local_addr()?;
        let ready_path = self.args.ready_file.clone();
        let stop = signals::watch(move || {
            if let Some(path) = ready_path {
                let _ = std::fs::remove_file(path);
            }
        })?;
        let memory =
            memory::most_bytes(&relay, &options) + recording.most_bytes() + telemetry.most_bytes();
        let page = self.page(bound, admin_bound, timer, &recording, pulls.state());
        self.announce(bound, admin_bound, page.as_ref(), &warnings, memory)?;

        let reasons = serve_admin(
            admin,
            Arc::clone(&metrics),
            Arc::clone(&relay),
            page.map(|page| page.answer),
            signals::stopped(stop.clone()),
        );
        let reasons = tokio::spawn(reasons);
        let shared = redrive::shared_work(config);
        let until = signals::stopped(stop.clone());
        let moving = redrive::keep_moving(Arc::clone(&relay), shared, until);
        let moving = tokio::spawn(moving);
        let watching = embedded.as_ref().map(|queue| {
            let watching = queue_watch::watch(
                Arc::clone(queue),
                Arc::clone(&metrics),
                lines.clone(),
                Arc::clone(&relay.parts().clock),
                signals::stopped(stop.clone()),
            );
            tokio::spawn(watching)
        });
        tokio::spawn(manager.clone().stopping(stop.clone()));
        let telemetry = telemetry.begin(&metrics);
        let archive = archive.begin(&metrics, &stop)?;
        let mut pulling = pulls.start(&relay, &metrics, &stop)?;
        let server = serve(listener, relay, signals::stopped(stop), options);
        let server = tokio::spawn(server);
        // The listener is bound and its server runs: whoever connects from now on is answered.
        let running = self.publish_address(bound, admin_bound);
        let ready_file = self.write_ready_file(bound)?;
        manager.ready(bound);
        let watch = ConfigWatch::new(self.as_read, self.args.config.as_deref(), self.env);
        until_ended(server, watch, &mut pulling).await?;
        drop(ready_file);
        // Before the queue is another process's to own.
        drop(running);
        reasons.abort();
        // It ends at the signal; what it was moving is moved again by the next start.
        moving.abort();
        pulling.end().await;
        archive.end().await;
        if let Some(watching) = watching {
            // It ended at the signal, and its file with it; a panic of it was printed where it happened.
            let _ = watching.await;
        }
        recording.end().await;
        close(embedded).await?;
        telemetry.end().await;
        tracing::info!(name: "stopped", "stopped: everything that was accepted is finished");
        Ok(())
    }

    /// The embedded queue's file, where that is the queue.
    fn queue_file(&self) -> Option<PathBuf> {
        match open::queue_location(&self.found.config, self.env) {
            Ok(QueueLocation::Sqlite(file)) => Some(file),
            _ => None,
        }
    }

    fn unread_traces(&self) -> Option<String> {
        self.queue_file()
            .filter(|_| self.found.config.traces.is_some())?;
        let words = "`traces` is set, but a pull looks into this queue and reads no traces: nothing removes them. Remove the setting";
        Some(words.to_owned())
    }

    fn network(&self) -> Option<String> {
        open::network_file_system::warning(&self.queue_file()?)
    }

    /// For `send` and `status`. That they do not find this one is no reason not to serve.
    fn publish_address(&self, bound: SocketAddr, admin: SocketAddr) -> Option<ServeAddress> {
        let listening = Listening {
            address: bound,
            admin: Some(admin),
        };
        let told = ServeAddress::publish(&self.queue_file()?, listening);
        told.inspect_err(|error| {
            tracing::warn!(name: "address_not_told", reason = %error, "`labelrelay send` will not find this relay by itself");
        })
        .ok()
    }

    /// The page of the record, where there is one.
    fn page(
        &self,
        bound: SocketAddr,
        admin: SocketAddr,
        clock: Arc<dyn Clock>,
        recording: &Recording,
        pulls: PullState,
    ) -> Option<Page> {
        let making = Making {
            config: &self.found.config,
            env: self.env,
            clock,
            relay: recording.relay(),
            record: recording.place(),
            pulls,
            base: &hints::public_base(self.settings.public_url.as_deref(), bound),
            admin,
        };
        making.page()
    }

    /// Tells people, or programs, where to deliver.
    fn announce(
        &self,
        bound: SocketAddr,
        admin: SocketAddr,
        page: Option<&Page>,
        warnings: &[String],
        max_memory_bytes: u64,
    ) -> Result<(), CliError> {
        let base = hints::public_base(self.settings.public_url.as_deref(), bound);
        let config = &self.found.config;
        for warning in warnings {
            tracing::warn!(name: "configuration_warning", "{warning}");
        }
        let queue = open::queue_location(config, self.env)?;
        if self.args.log == Format::Json {
            for source in &config.sources {
                let url = format!("{base}/{}", source.name);
                let hint = private_address::hint(&base)
                    .filter(|_| source.provider == Provider::LabelStudio);
                let hint = hint.map(|hint| hint.split_whitespace().collect::<Vec<_>>().join(" "));
                tracing::info!(name: "source", source = source.name, platform = source.provider.as_str(), url, hint, "source");
            }
            // Without its token: a log is read by more people than the page.
            let page = page.map(|page| page.address.as_str());
            tracing::info!(name: "listening", address = %bound, admin = %admin, page, configuration = config.origin, %queue, max_memory_bytes, "listening");
            return Ok(());
        }
        let at_terminal = std::io::stderr().is_terminal();
        say(format_args!(
            "labelrelay {} listens on {bound}\n\
             configuration {}, queue {queue}\n\
             metrics http://{admin}/metrics, state http://{admin}/ready\n{}\n{}",
            env!("CARGO_PKG_VERSION"),
            config.origin,
            page_line(page, at_terminal),
            hints::all(config, &base, &self.found.made, at_terminal)
        ));
        if !self.found.made.is_empty() && at_terminal {
            say(format_args!(
                "The secrets are shown this once; they stay in the files of the configuration's directory.\n"
            ));
        }
        Ok(())
    }
}

/// The line of the page; its token is for somebody who looks on, and for no file.
fn page_line(page: Option<&Page>, at_terminal: bool) -> String {
    match page {
        Some(page) if at_terminal => format!("page {}\n", page.url),
        Some(page) => format!(
            "page {}; `labelrelay status --page-url` prints its URL with the token\n",
            page.address
        ),
        None => String::new(),
    }
}

/// Waits until the server has ended. Meanwhile the configuration's file is looked after.
async fn until_ended(
    server: JoinHandle<()>,
    watch: Option<ConfigWatch<'_>>,
    pulling: &mut Pulling,
) -> Result<(), CliError> {
    let ended = tokio::select! {
        ended = server => ended,
        // It never ends by itself.
        () = config_watch::look_after(watch, pulling) => Ok(()),
    };
    ended.map_err(|error| CliError::failed(format_args!("the server broke down: {error}")))
}

async fn close(queue: Option<Arc<EmbeddedQueue>>) -> Result<(), CliError> {
    let Some(queue) = queue else {
        return Ok(());
    };
    let closed = tokio::task::spawn_blocking(move || queue.close()).await;
    closed.map_err(|error| CliError::failed(format_args!("the queue did not close: {error}")))
}

fn options(config: &Config) -> ServeOptions {
    let options = ServeOptions::default()
        .with_max_connections_per_address(config.max_connections_per_address());
    options.with_max_connections(file_descriptors::connections(options.max_connections))
}

/// Tells the metrics which sources shall bring something.
fn expect_deliveries(config: &Config, metrics: &Metrics) {
    for source in &config.sources {
        metrics.begin(&source.name);
        // A source that pulls may have no webhook. One that the configuration describes shall bring something.
        if source.pull.is_some() && source.webhook.is_none() {
            metrics.allow_deliveries(&source.name);
        } else {
            metrics.expect_deliveries(&source.name);
        }
    }
}
