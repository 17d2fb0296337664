//! The laboratory server: everything real but for the wrappers between the pipeline and its back ends,
//! which do what the laboratory tells them on standard input.
//!
//! `lab server FOLDER TIME_OF_DAY_OFFSET [SABOTAGE]`; prints its address, then one `ok` for each command. It
//! ends when standard input does, so that it never outlives the laboratory.

mod clock;
mod mode;
mod queue;
mod secret;
mod stores;

use crate::plan::LABORATORY_LIMIT;
use crate::seed_dir;
use crate::sources::Source;
use clock::LabClock;
use labelrelay_core::config::{Config, SecretRef};
use labelrelay_core::derive::Derivation;
use labelrelay_core::fallback::redrive;
use labelrelay_core::{Parts, Relay, SecretSource};
use labelrelay_files::FileSpool;
use labelrelay_http::{ServeOptions, serve};
use labelrelay_local::{EmbeddedQueue, FileBlobStore, FileFallback, Options};
use labelrelay_startup::OsEntropy;
use labelrelay_startup::log::LogObserver;
use mode::Switch;
use queue::LabQueue;
use secret::LabSecret;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use stores::{LabBlobs, LabFallback};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Pause between two looks at the fallback. Short, so that a redrive is under way whenever something happens.
const REDRIVE_EVERY: Duration = Duration::from_millis(40);

/// Switches of the laboratory.
#[derive(Clone)]
struct Switches {
    queue: Switch,
    fallback: Switch,
    blobs: Switch,
    secrets: Switch,
    clock: Arc<LabClock>,
}

pub(crate) fn run(args: &[String]) {
    let [folder, offset, rest @ ..] = args else {
        panic!("lab server FOLDER OFFSET [SABOTAGE]");
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let switches = Switches {
        queue: Switch::new(),
        fallback: Switch::new(),
        blobs: Switch::new(),
        secrets: Switch::new(),
        clock: Arc::new(LabClock::new(offset.parse().unwrap())),
    };
    let (relay, queue) = open(
        Path::new(folder),
        &switches,
        rest.first().map(String::as_str),
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    // The sabotage: asked to stop, it drops what it has.
    let is_hasty = rest.first().is_some_and(|sabotage| sabotage == "hasty");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        say(&listener.local_addr().unwrap().to_string());
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            obey(&switches);
            if is_hasty {
                std::process::exit(0);
            }
            let _ = stop.send(());
        });
        let moving = tokio::spawn(keep_moving(Arc::clone(&relay)));
        let stopped = async {
            let _ = stopped.await;
        };
        serve(listener, relay, stopped, ServeOptions::default()).await;
        moving.abort();
    });
    // Work of the redrive that is under way ends before the file is given up.
    runtime.shutdown_timeout(Duration::from_secs(1));
    queue.close();
}

fn open(
    folder: &Path,
    switches: &Switches,
    sabotage: Option<&str>,
) -> (Arc<Relay>, Arc<EmbeddedQueue>) {
    let text = std::fs::read_to_string(seed_dir::config(folder)).unwrap();
    let origin = "labelrelay.toml";
    let config = Config::from_toml(&text, origin, folder.to_owned(), &|_: &str| None).unwrap();
    let mut options = Options::default();
    options.max_message_bytes = LABORATORY_LIMIT;
    options.window = config
        .embedded_queue
        .repeat_window
        .unwrap_or(options.window);
    if sabotage == Some("twice") {
        options.window = Duration::ZERO;
    }
    if config.embedded_queue.derive.unwrap_or(true) {
        let mut sources = config.sources.clone();
        if sabotage == Some("forget") {
            // What follows from deliveries to this source never comes.
            sources.retain(|source| source.name != Source::Token.name());
        }
        options.derivation = Derivation::of(&sources).map(Arc::new);
    }
    let derivation = options.derivation.clone();
    let clock = Arc::clone(&switches.clock);
    let queue = EmbeddedQueue::open(seed_dir::queue(folder), options, clock.clone()).unwrap();
    let queue = Arc::new(queue);
    let lab_queue = LabQueue::new(
        Arc::clone(&queue),
        switches.queue.clone(),
        derivation,
        sabotage,
    );
    let mut parts = Parts::new(
        Arc::new(lab_queue),
        clock,
        Arc::new(OsEntropy),
        Arc::new(LogObserver),
    );
    let spool = FileSpool::open(seed_dir::spool(folder), config.spool.max_bytes()).unwrap();
    parts = parts.with_spool(Some(Arc::new(spool)));
    if config.blob_store.is_some() {
        let store = FileBlobStore::open(seed_dir::blobs(folder)).unwrap();
        let blobs = LabBlobs::new(store, switches.blobs.clone());
        parts = parts.with_blobs(Some(Arc::new(blobs)));
    }
    if config.fallback.is_some() {
        let store = FileFallback::open(seed_dir::fallback(folder)).unwrap();
        let fallback = LabFallback::new(store, switches.fallback.clone());
        parts = parts.with_fallback(Some(Arc::new(fallback)));
    }
    let forge = sabotage == Some("forge");
    let open_secret = |reference: &SecretRef, end| -> Result<Box<dyn SecretSource>, _> {
        let SecretRef::File(path) = reference else {
            panic!("secrets of the laboratory are in files");
        };
        let path: PathBuf = path.clone();
        Ok(Box::new(LabSecret::new(
            path,
            end,
            switches.secrets.clone(),
            forge,
        )))
    };
    let relay = Relay::new(&config, parts, &open_secret).unwrap();
    (Arc::new(relay), queue)
}

/// As `serve` does, but without its pauses.
async fn keep_moving(relay: Arc<Relay>) {
    let parts = relay.parts();
    let Some(fallback) = parts.fallback.as_deref() else {
        return;
    };
    loop {
        let until = parts.clock.monotonic() + Duration::from_secs(60);
        let blobs = parts.blobs.as_deref();
        // An event that cannot be moved stays, and is tried again later.
        let _ = redrive(fallback, &*parts.queue, blobs, &*parts.clock, until).await;
        tokio::time::sleep(REDRIVE_EVERY).await;
    }
}

/// Follows commands until there are no more.
fn obey(switches: &Switches) {
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["queue", mode] => switches.queue.switch_to(mode),
            ["fallback", mode] => switches.fallback.switch_to(mode),
            ["blobs", mode] => switches.blobs.switch_to(mode),
            ["secrets", mode] => switches.secrets.switch_to(mode),
            ["time-of-day", seconds] => switches.clock.set(seconds.parse().unwrap()),
            ["sleep", seconds] => switches.clock.sleep_for(seconds.parse().unwrap()),
            ["stop"] => return,
            _ => panic!("no command: {line}"),
        }
        say("ok");
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}
