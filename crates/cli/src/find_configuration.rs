//! Finds the configuration: where every program looks ([`Search`]), then in the directory of our own,
//! `./.labelrelay/labelrelay.toml`, which `serve` makes where there is none.

use crate::env::Env;
use crate::error::CliError;
use crate::local_dir::LocalDir;
use crate::stack_outputs;
use labelrelay_core::config::Config;
use labelrelay_startup::configuration::Search;
use std::path::{Path, PathBuf};

/// Shown by the help of every verb that reads a configuration.
pub(crate) const HELP: &str = "\
Configuration, the first of these that exists: --config FILE; LABELRELAY_CONFIG (a path); \
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

pub(crate) struct FoundConfiguration {
    pub(crate) config: Config,
    /// Secrets that were made just now: source and secret.
    pub(crate) made: Vec<(String, String)>,
}

pub(crate) fn find(
    env: &Env<'_>,
    explicit: Option<&Path>,
    missing: Missing,
) -> Result<FoundConfiguration, CliError> {
    if let Some(file) = explicit.filter(|file| stack_outputs::are_in(file))
        && missing == Missing::Refuse
    {
        return Ok(FoundConfiguration {
            config: stack_outputs::read(file, env)?,
            made: Vec::new(),
        });
    }
    match search(env, explicit).find()? {
        Some(config) => Ok(FoundConfiguration {
            config,
            made: Vec::new(),
        }),
        None => in_local_dir(env, missing),
    }
}

/// Tells whether `serve` is about to make a configuration.
pub(crate) fn is_first_start(env: &Env<'_>, explicit: Option<&Path>) -> Result<bool, CliError> {
    let is_there = search(env, explicit).is_there()?;
    Ok(!is_there && !LocalDir::below(env.cwd()).has_configuration()?)
}

fn search<'a>(env: &'a Env<'_>, file: Option<&'a Path>) -> Search<'a> {
    Search {
        lookup: env.lookup(),
        cwd: env.cwd(),
        file,
    }
}

fn in_local_dir(env: &Env<'_>, missing: Missing) -> Result<FoundConfiguration, CliError> {
    let local_dir = LocalDir::below(env.cwd());
    let made = match (local_dir.has_configuration()?, missing) {
        (true, Missing::Make) => {
            local_dir.keep_private();
            Vec::new()
        }
        (true, Missing::Refuse) => Vec::new(),
        (false, Missing::Make) => local_dir.make_configuration()?,
        (false, Missing::Refuse) => {
            return Err(CliError::config(
                "there is none; `labelrelay serve` makes one here, or give --config FILE",
            ));
        }
    };
    let file = local_dir.config_file();
    let base = file
        .parent()
        .map_or_else(|| env.cwd().to_owned(), PathBuf::from);
    let origin = file.display().to_string();
    let config = Config::from_toml(&local_dir.configuration()?, &origin, base, env.lookup())?;
    Ok(FoundConfiguration { config, made })
}
