//! Finds the configuration. The first of these that is there wins:
//!
//! 1. `--config FILE`
//! 2. `LABELRELAY_CONFIG`, a path
//! 3. `LABELRELAY_CONFIG_TOML`, the text itself
//! 4. `./labelrelay.toml`
//! 5. environment variables alone, when one of them names a secret
//! 6. `./.labelrelay/labelrelay.toml`, which zero configuration made
//! 7. zero configuration: `serve` makes 6

use crate::failure::Failure;
use crate::home::Home;
use crate::world::World;
use labelrelay_core::config::Config;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

const PATH: &str = "LABELRELAY_CONFIG";
const TEXT: &str = "LABELRELAY_CONFIG_TOML";
const HERE: &str = "labelrelay.toml";

/// Far above any configuration, so that a device without an end is an error and fills no memory.
const MAX_BYTES: u64 = 1024 * 1024;

/// Shown by the help of every verb that reads a configuration.
pub(crate) const HELP: &str = "\
Configuration, the first that is there: --config FILE; LABELRELAY_CONFIG (a path); \
LABELRELAY_CONFIG_TOML (the text); ./labelrelay.toml; environment variables alone \
(LABELBOX_WEBHOOK_SECRET, LABEL_STUDIO_WEBHOOK_SECRET); ./.labelrelay/labelrelay.toml.";

/// Course to take when there is no configuration at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Make one in a directory of our own.
    Make,
    /// Say so.
    Refuse,
}

pub(crate) struct Found {
    pub(crate) config: Config,
    /// Secrets that were made just now: source and secret.
    pub(crate) made: Vec<(String, String)>,
}

pub(crate) fn find(
    world: &World<'_>,
    explicit: Option<&Path>,
    missing: Missing,
) -> Result<Found, Failure> {
    let mut found = search(world, explicit, missing)?;
    if explicit.is_none() && world.var(PATH)?.is_some() && world.var(TEXT)?.is_some() {
        let warning = format!("both {PATH} and {TEXT} are set; {TEXT} is not read");
        found.config.warnings.push(warning);
    }
    Ok(found)
}

/// Whether `serve` is about to make a configuration.
pub(crate) fn is_first_start(world: &World<'_>, explicit: Option<&Path>) -> Result<bool, Failure> {
    let named = explicit.is_some() || world.var(PATH)?.is_some() || world.var(TEXT)?.is_some();
    Ok(!named
        && !exists(&world.cwd().join(HERE))?
        && Config::from_environment(world.cwd().to_owned(), world.lookup())?.is_none()
        && !Home::below(world.cwd()).has_configuration()?)
}

fn search(world: &World<'_>, explicit: Option<&Path>, missing: Missing) -> Result<Found, Failure> {
    let found = |config| Found {
        config,
        made: Vec::new(),
    };
    if let Some(file) = explicit {
        return read(world, file).map(found);
    }
    if let Some(path) = world.var(PATH)? {
        return read(world, Path::new(&path)).map(found);
    }
    if let Some(text) = world.var(TEXT)? {
        let config = Config::from_toml(&text, TEXT, world.cwd().to_owned(), world.lookup())?;
        return Ok(found(config));
    }
    let here = Path::new(HERE);
    if exists(&world.cwd().join(here))? {
        must_be_a_file(&world.cwd().join(here))?;
        return read(world, here).map(found);
    }
    if let Some(config) = Config::from_environment(world.cwd().to_owned(), world.lookup())? {
        return Ok(found(config));
    }
    let home = Home::below(world.cwd());
    let made = match (home.has_configuration()?, missing) {
        (true, Missing::Make) => {
            home.keep_private();
            Vec::new()
        }
        (true, Missing::Refuse) => Vec::new(),
        (false, Missing::Make) => home.make_configuration()?,
        (false, Missing::Refuse) => {
            return Err(Failure::config(
                "there is none; `labelrelay serve` makes one here, or give --config FILE",
            ));
        }
    };
    let file = home.config_file();
    let base = file
        .parent()
        .map_or_else(|| world.cwd().to_owned(), PathBuf::from);
    let origin = file.display().to_string();
    let config = Config::from_toml(&home.configuration()?, &origin, base, world.lookup())?;
    Ok(Found { config, made })
}

fn read(world: &World<'_>, file: &Path) -> Result<Config, Failure> {
    let path = world.cwd().join(file);
    let origin = file.display().to_string();
    let mut text = String::new();
    let read =
        File::open(&path).and_then(|opened| opened.take(MAX_BYTES + 1).read_to_string(&mut text));
    read.map_err(|error| {
        let cure = match error.kind() {
            ErrorKind::InvalidData => "save the file in UTF-8",
            _ => "correct the path or the file's permissions",
        };
        Failure::config(format_args!("cannot read {origin}: {error}; {cure}"))
    })?;
    if text.len() as u64 > MAX_BYTES {
        return Err(Failure::config(format_args!(
            "cannot read {origin}: it has more than {MAX_BYTES} bytes; give the configuration's own file"
        )));
    }
    let base = path
        .parent()
        .map_or_else(|| world.cwd().to_owned(), PathBuf::from);
    Ok(Config::from_toml(&text, &origin, base, world.lookup())?)
}

/// Whether there is something of that name. A file that cannot even be looked at is an error, and a link that
/// leads nowhere is a configuration that cannot be read: neither is an absent one.
fn exists(file: &Path) -> Result<bool, Failure> {
    match file.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::config(format_args!(
            "cannot read {}: {error}",
            file.display()
        ))),
    }
}

/// Nobody asked for what lies here by its name, so opening it must not wait for a writer that never comes.
fn must_be_a_file(file: &Path) -> Result<(), Failure> {
    match file.metadata() {
        Ok(found) if !found.is_file() => Err(Failure::config(format_args!(
            "{} is no regular file; replace it, or name another with --config",
            file.display()
        ))),
        // What is wrong otherwise, reading says.
        _ => Ok(()),
    }
}
