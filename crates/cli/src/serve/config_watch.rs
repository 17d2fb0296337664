//! Takes up a section `[source.pull]` that the configuration's file gets while `serve` runs: `labelrelay connect` writes
//! one where no webhook can work. Everything else that changes there needs a start, and the log says so.

use super::pull::Pulling;
use crate::env::Env;
use crate::find_configuration::{self, Missing};
use futures_util::FutureExt as _;
use labelrelay_core::config::{Config, SourceConfig};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Pause between two looks. Whoever wrote the section waits for the first event. A change is read at the second look
/// that sees it: an editor may write a file in pieces, and half a section can mean more than the whole one.
const EVERY: Duration = Duration::from_secs(1);

/// Time of a file's last change, and its length.
type Stamp = (SystemTime, u64);

pub(super) struct ConfigWatch<'a> {
    env: &'a Env<'a>,
    /// The file that the command line names.
    named: Option<&'a Path>,
    file: PathBuf,
    /// Of the file when it was last read. None at first: it may have changed since the start read it.
    stamp: Option<Stamp>,
    /// Of the file at the last look.
    seen: Option<Stamp>,
    /// What this process goes by.
    running: Config,
    /// What was last read.
    read: Config,
}

impl<'a> ConfigWatch<'a> {
    /// `running` is the configuration as it was read, without what flags changed. `None` where it is in no file that can
    /// be read again.
    pub(super) fn new(running: Config, named: Option<&'a Path>, env: &'a Env<'a>) -> Option<Self> {
        let file = env.cwd().join(&running.origin);
        file.is_file().then(|| Self {
            env,
            named,
            file,
            stamp: None,
            seen: None,
            read: running.clone(),
            running,
        })
    }

    async fn look(&mut self, pulling: &mut Pulling) {
        let Some(new) = self.changed() else {
            return;
        };
        let before = std::mem::replace(&mut self.read, new.clone());
        let mut has_failed = false;
        for source in &new.sources {
            let mut all = self.running.sources.iter_mut();
            let Some(running) = all.find(|running| gets_pull(running, source)) else {
                continue;
            };
            let name = &source.name;
            match pulling.take_up(source, &new, self.env).await {
                Ok(()) => {
                    running.pull.clone_from(&source.pull);
                    tracing::info!(name: "pull_taken_up", source = name, configuration = new.origin, "the configuration has a new [source.pull]: taken up");
                }
                Err(error) => {
                    has_failed = true;
                    tracing::warn!(name: "pull_not_taken_up", source = name, configuration = new.origin, reason = error.message(), "the configuration has a new [source.pull], which cannot work: put that right and save the file again, or start `labelrelay serve` again");
                }
            }
        }
        // What was said once is not said again for a change of something else, or back.
        if !has_failed && !is_same(&new, &self.running) && !is_same(&new, &before) {
            tracing::warn!(name: "configuration_changed", configuration = new.origin, "the configuration's file says something else now: start `labelrelay serve` again, for only a new [source.pull] is taken up by itself");
        }
    }

    /// The configuration, if its file changed since it was last read, rests, and can be read.
    fn changed(&mut self) -> Option<Config> {
        let stamp = stamp_of(&self.file);
        let rests = std::mem::replace(&mut self.seen, stamp) == stamp;
        if stamp.is_none() || self.stamp == stamp || !rests {
            return None;
        }
        let found = find_configuration::find(self.env, self.named, Missing::Refuse);
        if stamp_of(&self.file) != stamp {
            // It changed meanwhile.
            return None;
        }
        self.stamp = stamp;
        match found {
            // Another file comes first now: the next start goes by that one.
            Ok(found) if found.config.origin != self.running.origin => {
                tracing::warn!(name: "configuration_changed", configuration = found.config.origin, running = self.running.origin, "another configuration comes first now: this process goes by the one that it read at its start");
                None
            }
            Ok(found) => Some(found.config),
            Err(error) => {
                tracing::warn!(name: "configuration_not_read", reason = error.message(), "the configuration's file changed, and would not let `serve` start: put that right; until then this process goes by what it read before");
                None
            }
        }
    }
}

/// Time of the last change and length of the file at `path`; `None` where there is none.
fn stamp_of(path: &Path) -> Option<Stamp> {
    let found = path.metadata().ok()?;
    let is_file = found.is_file();
    is_file.then_some((found.modified().ok()?, found.len()))
}

/// Tells whether `new` is `running` with a section `[source.pull]`, and nothing else.
fn gets_pull(running: &SourceConfig, new: &SourceConfig) -> bool {
    let mut bare = new.clone();
    let is_new = bare.pull.take().is_some();
    is_new && bare == *running
}

/// Tells whether two configurations say the same.
fn is_same(one: &Config, other: &Config) -> bool {
    let said = |config: &Config| {
        let mut config = config.clone();
        config.warnings.clear();
        config
    };
    said(one) == said(other)
}

/// Looks again and again. Never ends: with `None` it looks at nothing.
pub(super) async fn look_after(watch: Option<ConfigWatch<'_>>, pulling: &mut Pulling) {
    let Some(mut watch) = watch else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(EVERY).await;
        let looked = AssertUnwindSafe(watch.look(pulling)).catch_unwind().await;
        if looked.is_err() {
            // A panic of it was printed where it happened. Deliveries go on.
            return std::future::pending().await;
        }
    }
}
