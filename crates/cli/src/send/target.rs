//! Destination of a delivery, and its credential: from the flags, else from the configuration.

use super::{Args, url};
use crate::delivery::Credential;
use crate::env::Env;
use crate::error::CliError;
use crate::find_configuration::{self, Missing};
use crate::running_serve;
use crate::samples::Sample;
use crate::serve::{DEFAULT_LISTEN, public_base};
use labelrelay_core::config::{Config, SecretRef, SourceConfig};
use labelrelay_core::provider::Provider;
use labelrelay_core::signature::SecretHeader;
use std::net::ToSocketAddrs as _;

pub(super) struct Target {
    pub(super) provider: Provider,
    pub(super) secret: SecretRef,
    pub(super) credential: Credential,
    url: String,
    /// `true` if the user gave the URL, which must then stay unchanged.
    exact: bool,
}

impl Target {
    pub(super) fn find(
        args: &Args,
        env: &Env<'_>,
        wanted: Option<Provider>,
    ) -> Result<Self, CliError> {
        let header = args.header.as_deref().map(scheme).transpose()?;
        if let Some(to) = &args.to {
            url::check(to)?;
        }
        if let (Some(url), Some(secret), Some(provider)) = (&args.to, &args.secret, wanted) {
            let credential = credential(provider, header, None)?;
            return Ok(Self {
                provider,
                secret: secret.clone(),
                credential,
                url: url.clone(),
                exact: true,
            });
        }
        let config = find_configuration::find(env, args.config.as_deref(), Missing::Refuse)?.config;
        let source = source(&config, args.source.as_deref(), wanted)?;
        let secret = match (&args.secret, source.secrets.first()) {
            (Some(secret), _) | (None, Some((secret, _))) => secret.clone(),
            (None, None) => {
                return Err(CliError::usage(format_args!(
                    "source `{}` has no secret; give --secret",
                    source.name
                )));
            }
        };
        let url = match &args.to {
            Some(url) => url.clone(),
            None => format!("{}/{}", local_base(&config, env)?, source.name),
        };
        let credential = credential(source.provider, header, source.header.as_ref())?;
        Ok(Self {
            provider: source.provider,
            secret,
            credential,
            url,
            exact: args.to.is_some(),
        })
    }

    pub(super) fn url(&self, sample: Option<&Sample>) -> String {
        let path = sample
            .filter(|_| !self.exact)
            .map(|sample| sample.path)
            .unwrap_or_default();
        format!("{}{path}", self.url)
    }
}

fn source<'a>(
    config: &'a Config,
    name: Option<&str>,
    wanted: Option<Provider>,
) -> Result<&'a SourceConfig, CliError> {
    let fits = |source: &&SourceConfig| {
        name.is_none_or(|name| source.name == name)
            && wanted.is_none_or(|provider| source.provider == provider)
    };
    config.sources.iter().find(fits).ok_or_else(|| {
        let other = config.sources.iter().find(|source| Some(source.name.as_str()) == name);
        if let (Some(other), Some(wanted)) = (other, wanted) {
            return CliError::usage(format_args!(
                "source `{}` is one of {}, and this is a delivery of {}",
                other.name,
                other.provider.as_str(),
                wanted.as_str()
            ));
        }
        let names: Vec<_> = config.sources.iter().map(|source| source.name.as_str()).collect();
        CliError::usage(format_args!(
            "no such source in {}, which has {}; give --source, or --to with --secret and --provider",
            config.origin,
            names.join(", ")
        ))
    })
}

fn credential(
    provider: Provider,
    flag: Option<SecretHeader>,
    configured: Option<&SecretHeader>,
) -> Result<Credential, CliError> {
    match (provider, flag) {
        (Provider::Labelbox, None) => Ok(Credential::Signature),
        (Provider::Labelbox, Some(_)) => Err(CliError::usage(
            "--header: Labelbox sends no secret in a header, it signs the body; leave --header out",
        )),
        (_, flag) => Ok(Credential::Header(
            flag.or_else(|| configured.cloned())
                .unwrap_or(SecretHeader::Authorization),
        )),
    }
}

fn scheme(name: &str) -> Result<SecretHeader, CliError> {
    if name.eq_ignore_ascii_case("authorization") {
        return Ok(SecretHeader::Authorization);
    }
    let name = name
        .parse()
        .map_err(|_| CliError::usage("--header: is not the name of a header"))?;
    Ok(SecretHeader::Named(name))
}

/// The relay that runs here, else the one that the configuration would start: without the tunnel in front.
fn local_base(config: &Config, env: &Env<'_>) -> Result<String, CliError> {
    if let Some(address) = running_serve::address(config, env) {
        return Ok(public_base(None, address));
    }
    let listen = config.serve.listen.as_deref().unwrap_or(DEFAULT_LISTEN);
    let address = listen
        .to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next());
    match address {
        Some(address) if address.port() != 0 => Ok(public_base(None, address)),
        _ => Err(CliError::usage(format_args!(
            "the configured address {listen} names no port, and no `serve` runs here; give --to URL"
        ))),
    }
}
