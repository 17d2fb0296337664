//! The folder of one seed: configuration, secrets, queue, stores.

use crate::plan::{Plan, WINDOW_SECONDS};
use crate::sources::{Source, secret};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) struct SeedDir(TempDir);

impl SeedDir {
    pub(crate) fn new(plan: &Plan) -> Self {
        // The laboratory server reads the seed from the name.
        let folder = tempfile::Builder::new()
            .prefix("lab-")
            .suffix(&format!("-{}", plan.seed))
            .tempdir()
            .unwrap();
        let seed_dir = Self(folder);
        std::fs::write(config(seed_dir.folder()), configuration(plan)).unwrap();
        seed_dir.write_secrets(plan.seed, 0);
        seed_dir
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Leaves the folder where it is.
    pub(crate) fn keep(mut self) -> PathBuf {
        self.0.disable_cleanup(true);
        self.0.path().to_owned()
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

    /// Events in the fallback.
    pub(crate) fn waiting(&self) -> Vec<PathBuf> {
        let Ok(files) = std::fs::read_dir(fallback(self.folder())) else {
            return Vec::new();
        };
        let files = files.map(|file| file.unwrap().path());
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

fn configuration(plan: &Plan) -> String {
    let window = if plan.window { WINDOW_SECONDS } else { 0 };
    let mut text = format!(
        "queue = \"sqlite:queue.db\"\ndeadline_ms = {}\n",
        crate::plan::DEADLINE_MS
    );
    if plan.blob_store {
        text.push_str("blob_store = \"file:claims\"\n");
    }
    if plan.fallback {
        text.push_str("fallback = \"file:fallback\"\n");
    }
    let threshold = plan.spool_threshold;
    let _ = writeln!(
        text,
        "[spool]\ndir = \"spool\"\nthreshold_bytes = {threshold}"
    );
    // Whatever is on the queue was sent by somebody: the oracle knows no other event.
    let _ = writeln!(
        text,
        "[embedded_queue]\nrepeat_window_s = {window}\nderive = false"
    );
    for source in Source::ALL {
        let more = match source {
            Source::Labelbox => "provider = \"labelbox\"",
            Source::LabelStudio => "provider = \"label-studio\"",
            Source::Token => "provider = \"label-studio\"\nheader = \"X-Webhook-Token\"",
        };
        let _ = writeln!(
            text,
            "[[source]]\nname = \"{}\"\n{more}\nsecret = \"file:{}\"\nprevious_secret = \"file:{}\"",
            source.name(),
            secret_file(source),
            previous_file(source)
        );
    }
    text
}
