//! Before zero configuration makes anything: can this start succeed? The secrets that it makes are
//! shown once, by the start that made them, so one that cannot listen must not make them.

use super::Args;
use super::listen_address::cannot_bind;
use super::settings::{Flags, Settings};
use crate::env::Env;
use crate::error::CliError;
use crate::find_configuration;
use std::net::{SocketAddr, TcpListener};

/// Binds what `serve` is about to bind, and lets go of it. Does nothing where there is a configuration.
pub(super) fn check(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    if !find_configuration::is_first_start(env, args.config.as_deref())? {
        return Ok(());
    }
    let settings = Settings::read(Flags::of(args), None)?;
    let listener = bind(settings.listen, "--listen")?;
    if let Some(admin) = settings.admin {
        bind(admin, "--admin-listen")?;
    }
    drop(listener);
    Ok(())
}

fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, CliError> {
    TcpListener::bind(address).map_err(|error| match cannot_bind(address, flag, &error) {
        CliError::Failed(message) => {
            CliError::failed(format_args!("{message}. No configuration was made yet"))
        }
        other => other,
    })
}
