//! The configured source of a platform: the one that is named, else the only one.

use crate::error::CliError;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_core::provider::Provider;

/// The source called `name`, or the only one of `provider`.
pub(crate) fn find<'a>(
    config: &'a Config,
    provider: Provider,
    name: Option<&str>,
) -> Result<&'a SourceConfig, CliError> {
    let of_platform = || {
        config
            .sources
            .iter()
            .filter(|source| source.provider == provider)
    };
    let names = || {
        let names: Vec<_> = of_platform().map(|source| source.name.as_str()).collect();
        names.join(", ")
    };
    if let Some(name) = name {
        return of_platform()
            .find(|source| source.name == *name)
            .ok_or_else(|| {
                CliError::usage(format_args!(
                    "--source {name}: there is no such source of {}; there are: {}",
                    provider.as_str(),
                    names()
                ))
            });
    }
    let mut sources = of_platform();
    match (sources.next(), sources.next()) {
        (Some(source), None) => Ok(source),
        (None, _) => Err(CliError::config(format_args!(
            "{}: no source is of {}; add a [[source]] section, for ids and names are made of it",
            config.origin,
            provider.as_str()
        ))),
        (Some(_), Some(_)) => Err(CliError::usage(format_args!(
            "several sources are of {}: say which with --source NAME: {}",
            provider.as_str(),
            names()
        ))),
    }
}
