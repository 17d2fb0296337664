//! `serve --demo`: a real relay and a real queue in a directory that is gone afterwards, to which
//! recorded deliveries and forgeries are sent over HTTP.

mod queued_events;
mod scenario;
mod scenarios;
mod table;

use super::signals;
use crate::env::Env;
use crate::error::CliError;
use crate::open::{self, Extras, Opened};
use crate::output::{print, say};
use crate::random_secret::new_secret;
use labelrelay_core::config::Config;
use labelrelay_core::observe::NoObserver;
use labelrelay_core::{Observer, Secret};
use labelrelay_http::{ServeOptions, serve};
use labelrelay_startup::SystemClock;
use labelrelay_startup::log::LogObserver;
use scenario::PlayedScenario;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const CONFIG: &str = "\
queue = \"sqlite:queue.db\"
# Nobody hangs up here: a slow disk is no refusal.
deadline_ms = 10000
# What is sent is what is shown.
[embedded_queue]
derive = false

[[source]]
name = \"labelbox\"
provider = \"labelbox\"
secret = \"env:LABELBOX\"
[[source]]
name = \"label-studio\"
provider = \"label-studio\"
secret = \"env:LABEL_STUDIO\"
";

/// The secrets of a demo: those of the two sources, and one that the relay does not know.
pub(super) struct Secrets {
    labelbox: Secret,
    label_studio: Secret,
    foreign: Secret,
}

pub(super) fn run(verbose: bool) -> Result<(), CliError> {
    let directory = tempfile::Builder::new()
        .prefix("labelrelay-demo-")
        .tempdir()
        .map_err(|error| {
            CliError::failed(format_args!("cannot make a temporary directory: {error}"))
        })?;
    let runtime = crate::runtime::full()?;
    let result = runtime.block_on(async {
        let stop = signals::watch(|| {})?;
        tokio::select! {
            result = demo(directory.path(), verbose) => result,
            () = signals::stopped(stop) => Err(CliError::failed("stopped")),
        }
    });
    // The queue's threads end with the runtime; then its directory can go.
    drop(runtime);
    directory.close().map_err(|error| {
        CliError::failed(format_args!(
            "cannot remove the temporary directory: {error}"
        ))
    })?;
    result
}

async fn demo(directory: &Path, verbose: bool) -> Result<(), CliError> {
    let (labelbox, label_studio) = (new_secret()?, new_secret()?);
    let lookup = |name: &str| match name {
        "LABELBOX" => Some(labelbox.clone()),
        "LABEL_STUDIO" => Some(label_studio.clone()),
        _ => None,
    };
    let secret = |name: &str, value: String| Secret::new(name, value).map_err(CliError::failed);
    let secrets = Secrets {
        labelbox: secret("labelbox", labelbox.clone())?,
        label_studio: secret("label-studio", label_studio.clone())?,
        foreign: secret("foreign", new_secret()?)?,
    };
    let env = Env::new(&lookup, directory.to_owned());
    let config = Config::from_toml(CONFIG, "demo", directory.to_owned(), &lookup)?;
    let observer: Arc<dyn Observer> = if verbose {
        Arc::new(LogObserver)
    } else {
        Arc::new(NoObserver)
    };
    let Opened { relay, embedded } = open::relay(
        &config,
        &env,
        Arc::new(SystemClock::new()),
        observer,
        Extras::default(),
    )
    .await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move {
        // A sender that is gone means the same.
        let _ = stopped.await;
    };
    let server = tokio::spawn(serve(listener, relay, stopped, ServeOptions::default()));
    say(format_args!(
        "labelrelay demo at {base}, queue in {}; both are gone at the end\n",
        directory.display()
    ));

    let mut played = Vec::new();
    for scenario in scenarios::all() {
        played.push(PlayedScenario::run(scenario, &base, &secrets).await?);
    }
    let _ = stop.send(());
    server
        .await
        .map_err(|error| CliError::failed(format_args!("the server broke down: {error}")))?;
    if let Some(queue) = embedded {
        let closed = tokio::task::spawn_blocking(move || queue.close()).await;
        closed
            .map_err(|error| CliError::failed(format_args!("the queue did not close: {error}")))?;
    }
    let queued = queued_events::read(&directory.join("queue.db"))?;
    let mut table = Vec::new();
    let all_is_well = table::write(&mut table, &played, &queued)?;
    print(format_args!(
        "{}",
        String::from_utf8_lossy(&table).trim_end()
    ))?;
    if all_is_well {
        Ok(())
    } else {
        Err(CliError::Reported)
    }
}
