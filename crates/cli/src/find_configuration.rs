//! Finds the configuration: where every program looks ([`Search`]), then in the directory of our own,
//! `./.labelrelay/labelrelay.toml`, which `serve` makes where there is none.

use crate::failure::Failure;
use crate::home::Home;
use crate::world::World;
use labelrelay_core::config::Config;
use labelrelay_startup::configuration::Search;
use std::path::{Path, PathBuf};

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
    match search(world, explicit).find()? {
        Some(config) => Ok(Found {
            config,
            made: Vec::new(),
        }),
        None => at_home(world, missing),
    }
}

/// Whether `serve` is about to make a configuration.
pub(crate) fn is_first_start(world: &World<'_>, explicit: Option<&Path>) -> Result<bool, Failure> {
    let is_there = search(world, explicit).is_there()?;
    Ok(!is_there && !Home::below(world.cwd()).has_configuration()?)
}

fn search<'a>(world: &'a World<'_>, file: Option<&'a Path>) -> Search<'a> {
    Search {
        lookup: world.lookup(),
        cwd: world.cwd(),
        file,
    }
}

fn at_home(world: &World<'_>, missing: Missing) -> Result<Found, Failure> {
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
