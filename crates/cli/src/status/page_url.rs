//! `labelrelay status --page-url`: the page's URL, with the token that no log has.

use crate::env::Env;
use crate::error::CliError;
use crate::locations::QueueLocation;
use crate::output::print;
use crate::serve::{Flags, Settings};
use crate::{open, page_token, record, running_serve, serve_address};
use labelrelay_core::config::Config;
use std::net::SocketAddr;

pub(super) fn run(config: &Config, env: &Env<'_>) -> Result<(), CliError> {
    let record = record::shown_by_page(config, env)?.ok_or_else(|| {
        CliError::failed("there is no page: it shows the record of deliveries. Remove `enabled = false` and `page = false` from [serve.record], name a `file` there if the queue is not the embedded one, and start `serve` again")
    })?;
    let token = page_token::read(&record)?.ok_or_else(|| {
        if running_serve::address(config, env).is_some() {
            return CliError::failed(page_token::missing(&record));
        }
        CliError::failed("no `serve` has made the page's token yet: start `labelrelay serve`. If one runs that cannot be found from here, its log says why it made none (`page_off`)")
    })?;
    let url = page_token::url(admin(config, env)?, &token);
    Ok(print(format_args!("{url}"))?)
}

/// The address of the `serve` that runs; what is configured, where nothing tells.
fn admin(config: &Config, env: &Env<'_>) -> Result<SocketAddr, CliError> {
    match open::queue_location(config, env)? {
        QueueLocation::Sqlite(file) if cfg!(unix) => {
            let serve = serve_address::listening(&file);
            serve.and_then(|serve| serve.admin).ok_or_else(|| {
                CliError::failed(
                    "`serve` does not run here, or belongs to another user; `labelrelay serve` starts it",
                )
            })
        }
        _ => Ok(Settings::read(Flags::default(), Some(config))?.admin()),
    }
}
