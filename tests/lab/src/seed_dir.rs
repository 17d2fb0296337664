//! The folder of one seed: configuration, secrets, queue, stores.

use crate::plan::{Deployment, Plan, WINDOW_SECONDS};
use crate::sources::{Source, secret};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) struct SeedDir {
    folder: TempDir,
    /// Folders of the processes that run at once: this one, or one in it for each replica.
    homes: Vec<PathBuf>,
}

impl SeedDir {
    pub(crate) fn new(plan: &Plan) -> Self {
        // The laboratory server reads the seed from the name.
        let folder = tempfile::Builder::new()
            .prefix("lab-")
            .suffix(&format!("-{}", plan.seed))
            .tempdir()
            .unwrap();
        let homes = match plan.deployment {
            Deployment::Serve | Deployment::Laboratory => vec![folder.path().to_owned()],
            Deployment::Replicas => (0..plan.processes())
                .map(|replica| folder.path().join(format!("replica-{replica}")))
                .collect(),
        };
        for home in &homes {
            std::fs::create_dir_all(home).unwrap();
            std::fs::write(config(home), configuration(plan, folder.path())).unwrap();
        }
        let seed_dir = Self { folder, homes };
        if plan.deployment == Deployment::Replicas {
            std::fs::create_dir(blobs(seed_dir.folder())).unwrap();
        }
        seed_dir.write_secrets(plan.seed, 0);
        seed_dir
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Folders of the processes that run at once.
    pub(crate) fn homes(&self) -> &[PathBuf] {
        &self.homes
    }

    /// The folder of one of them.
    pub(crate) fn home(&self, replica: usize) -> PathBuf {
        self.homes[replica].clone()
    }

    /// Leaves the folder where it is.
    pub(crate) fn keep(mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }

    /// Gives each source the secret of this rotation, and the one before as its previous one. In the order
    /// in which it is done by hand: the old one is never missing.
    pub(crate) fn write_secrets(&self, seed: u64, generation: u32) {
        for source in Source::ALL {
            let before = secret(seed, source, generation.saturating_sub(1));
            self.replace(&previous_file(source), &before);
            self.replace(&secret_file(source), &secret(seed, source, generation));
        }
    }

    /// Takes the files of the secrets away, or puts them back.
    pub(crate) fn hide_secrets(&self, hide: bool) {
        for source in Source::ALL {
            for name in [secret_file(source), previous_file(source)] {
                let there = self.folder().join(&name);
                let away = self.folder().join(format!("{name}.away"));
                let (from, to) = if hide { (there, away) } else { (away, there) };
                std::fs::rename(from, to).unwrap();
            }
        }
    }

    fn replace(&self, name: &str, contents: &str) {
        let temporary = self.folder().join(format!("{name}.new"));
        std::fs::write(&temporary, format!("{contents}\n")).unwrap();
        std::fs::rename(temporary, self.folder().join(name)).unwrap();
    }

    /// Length of the queue's journal.
    pub(crate) fn journal_bytes(&self) -> u64 {
        let journal = self.folder().join("queue.db-wal");
        std::fs::metadata(journal).map_or(0, |meta| meta.len())
    }

    /// Events in the fallback, or in the fallbacks of all replicas.
    pub(crate) fn waiting(&self) -> Vec<PathBuf> {
        let folders = self.homes.iter().map(|home| fallback(home));
        let files = folders.filter_map(|folder| std::fs::read_dir(folder).ok());
        let files = files.flatten().map(|file| file.unwrap().path());
        files
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect()
    }
}

pub(crate) fn config(folder: &Path) -> PathBuf {
    folder.join("labelrelay.toml")
}

pub(crate) fn queue(folder: &Path) -> PathBuf {
    folder.join("queue.db")
}

pub(crate) fn blobs(folder: &Path) -> PathBuf {
    folder.join("claims")
}

pub(crate) fn fallback(folder: &Path) -> PathBuf {
    folder.join("fallback")
}

pub(crate) fn spool(folder: &Path) -> PathBuf {
    folder.join("spool")
}

fn secret_file(source: Source) -> String {
    format!("{}.secret", source.name())
}

fn previous_file(source: Source) -> String {
    format!("{}.previous", source.name())
}

/// The configuration of each process. Replicas share secrets and blob store, and find their queue by a variable.
fn configuration(plan: &Plan, folder: &Path) -> String {
    let are_replicas = plan.deployment == Deployment::Replicas;
    let shared = if are_replicas {
        format!("{}/", folder.display())
    } else {
        String::new()
    };
    let mut text = format!("deadline_ms = {}\n", crate::plan::DEADLINE_MS);
    if !are_replicas {
        text.push_str("queue = \"sqlite:queue.db\"\n");
    }
    if plan.blob_store {
        let host = if are_replicas { "//" } else { "" };
        let _ = writeln!(text, "blob_store = \"file:{host}{shared}claims\"");
    }
    if plan.fallback {
        text.push_str("fallback = \"file:fallback\"\n");
    }
    let threshold = plan.spool_threshold;
    let _ = writeln!(
        text,
        "[spool]\ndir = \"spool\"\nthreshold_bytes = {threshold}"
    );
    if !are_replicas {
        let window = if plan.window { WINDOW_SECONDS } else { 0 };
        let derive = plan.derives;
        let _ = writeln!(
            text,
            "[embedded_queue]
repeat_window_s = {window}
derive = {derive}"
        );
    }
    for source in Source::ALL {
        let more = match source {
            Source::Labelbox => "provider = \"labelbox\"",
            Source::LabelStudio => "provider = \"label-studio\"",
            Source::Token => "provider = \"label-studio\"\nheader = \"X-Webhook-Token\"",
        };
        let _ = writeln!(
            text,
            "[[source]]\nname = \"{}\"\n{more}\nsecret = \"file:{shared}{}\"\nprevious_secret = \"file:{shared}{}\"",
            source.name(),
            secret_file(source),
            previous_file(source)
        );
    }
    text
}
