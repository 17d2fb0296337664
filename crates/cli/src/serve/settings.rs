//! The addresses and the URL that `serve` goes by: of its flags, else of the configuration.

use super::Args;
use super::hints::public_url;
use super::listen_address::{DEFAULT_ADMIN_LISTEN, DEFAULT_LISTEN, parse, parse_loopback};
use crate::error::CliError;
use labelrelay_core::config::Config;
use std::net::SocketAddr;

/// Values of the flags; `status` has none of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Flags<'a> {
    listen: Option<&'a str>,
    admin_listen: Option<&'a str>,
    public_url: Option<&'a str>,
}

impl<'a> Flags<'a> {
    pub(super) fn of(args: &'a Args) -> Self {
        Self {
            listen: args.listen.as_deref(),
            admin_listen: args.admin_listen.as_deref(),
            public_url: args.public_url.as_deref(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Settings {
    /// Address for deliveries.
    pub(super) listen: SocketAddr,
    /// Address for metrics and reasons; `None` is the default one, or any where that is taken.
    pub(super) admin: Option<SocketAddr>,
    /// The URL that senders use, where it is not the address.
    pub(super) public_url: Option<String>,
}

impl Settings {
    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// The address for metrics and the page, as far as it is known before a start.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.admin.unwrap_or(DEFAULT_ADMIN_LISTEN)
    }

    pub(crate) fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    /// Takes them together; errors name the flag, or the file and the key.
    pub(crate) fn read(flags: Flags<'_>, config: Option<&Config>) -> Result<Self, CliError> {
        let file = config.map(|config| &config.serve);
        let pick = |flag: Option<&str>, key: &str, configured: Option<&String>| match (
            flag, configured, config,
        ) {
            (Some(text), _, _) => Some((text.to_owned(), format!("`--{}`", key.replace('_', "-")))),
            (None, Some(text), Some(config)) => {
                Some((text.clone(), format!("{}: `serve.{key}`", config.origin)))
            }
            _ => None,
        };
        let (listen, at) = pick(
            flags.listen,
            "listen",
            file.and_then(|file| file.listen.as_ref()),
        )
        .unwrap_or_else(|| (DEFAULT_LISTEN.to_owned(), "the default".to_owned()));
        let listen = parse(&listen, &at)?;
        let admin = pick(
            flags.admin_listen,
            "admin_listen",
            file.and_then(|file| file.admin_listen.as_ref()),
        )
        .map(|(text, at)| parse_loopback(&text, &at))
        .transpose()?;
        let public_url = pick(
            flags.public_url,
            "public_url",
            file.and_then(|file| file.public_url.as_ref()),
        )
        .map(|(url, at)| public_url(&url, &at))
        .transpose()?;
        Ok(Self {
            listen,
            admin,
            public_url,
        })
    }
}
