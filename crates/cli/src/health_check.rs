//! `labelrelay status --ready`: asks the `serve` that runs here, as a health check of a container does. An image
//! without a shell has nothing else to ask it with.

use crate::env::Env;
use crate::error::CliError;
use crate::output::print;
use crate::running_serve;
use crate::serve::{Flags, Settings, public_base};
use bytes::Bytes;
use http::Request;
use labelrelay_core::config::Config;
use std::net::SocketAddr;

/// Fails unless a delivery would be durable now.
pub(crate) fn run(config: &Config, env: &Env<'_>) -> Result<(), CliError> {
    let url = format!("{}/-/ready", public_base(None, address(config, env)?));
    let request = Request::get(&url)
        .body(Bytes::new())
        .map_err(CliError::failed)?;
    let runtime = crate::runtime::small()?;
    let answer = runtime.block_on(labelrelay_http_client::send(request));
    let answer = answer.map_err(|error| {
        CliError::failed(format_args!(
            "not ready: {url}: {error}; `labelrelay serve` starts it"
        ))
    })?;
    if answer.status == 200 {
        return Ok(print(format_args!("ready: {url}"))?);
    }
    Err(CliError::failed(format_args!(
        "not ready: {url} answers {}; the log of `serve` says why",
        answer.status
    )))
}

/// Address of the `serve` that runs here, else the configured one.
fn address(config: &Config, env: &Env<'_>) -> Result<SocketAddr, CliError> {
    if let Some(address) = running_serve::address(config, env) {
        return Ok(address);
    }
    let listen = Settings::read(Flags::default(), Some(config))?.listen();
    if listen.port() == 0 {
        return Err(CliError::failed(
            "not ready: no `serve` runs here, and the configured address names no port",
        ));
    }
    Ok(listen)
}
