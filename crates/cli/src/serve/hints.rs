//! Lines to enter in either platform so that it delivers here.

use super::private_address;
use crate::error::CliError;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_core::provider::Provider;
use labelrelay_core::signature::SecretHeader;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The URL that senders use: what is configured, else the bound address.
pub(crate) fn public_base(configured: Option<&str>, bound: SocketAddr) -> String {
    if let Some(url) = configured {
        return url.to_owned();
    }
    let ip = match bound.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, bound.port()))
}

/// A URL that paths can be put behind. `at` says where it stands.
pub(crate) fn public_url(url: &str, at: &str) -> Result<String, CliError> {
    let parsed: Option<http::Uri> = url.parse().ok();
    let good = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some()
            && uri.query().is_none()
    });
    if good {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    Err(CliError::config(format_args!(
        "{at}: `{}` is not a URL; write https://HOST or https://HOST/PATH",
        url.escape_debug()
    )))
}

/// The lines for one source. `secret` is the secret itself, when it may be shown: it was made just
/// now, and a person is looking.
pub(super) fn for_source(source: &SourceConfig, base: &str, secret: Option<&str>) -> String {
    let place = source
        .secrets
        .first()
        .map(|(reference, _)| reference.to_string())
        .unwrap_or_default();
    let lines = match source.provider {
        Provider::Labelbox => for_labelbox(source, base, &place, secret),
        _ => for_label_studio(source, base, &place, secret),
    };
    format!("source `{}`\n{lines}", source.name)
}

fn for_labelbox(source: &SourceConfig, base: &str, place: &str, secret: Option<&str>) -> String {
    let secret = secret.map_or_else(|| format!("what is in {place}"), str::to_owned);
    let tunnel = if base.starts_with("https://") {
        ""
    } else {
        "    Labelbox delivers over HTTPS only: put a tunnel or proxy in front, and give --public-url. Without one, `connect` lets `serve` pull\n"
    };
    format!(
        "  Labelbox: `labelrelay connect labelbox`, or Workspace settings → Webhooks → New webhook\n\
        \x20   URL      {base}/{}\n\
        \x20   secret   {secret}\n{tunnel}",
        source.name
    )
}

/// Name and value of the header in which Label Studio shows the secret.
pub(crate) fn secret_header(source: &SourceConfig, secret: &str) -> (String, String) {
    match &source.header {
        Some(SecretHeader::Named(name)) => (name.to_string(), secret.to_owned()),
        _ => ("Authorization".to_owned(), format!("Bearer {secret}")),
    }
}

fn for_label_studio(
    source: &SourceConfig,
    base: &str,
    place: &str,
    secret: Option<&str>,
) -> String {
    let shown = secret.unwrap_or("<secret>");
    let (name, value) = secret_header(source, shown);
    let mut lines = format!(
        "  Label Studio: `labelrelay connect label-studio URL`, or project → Settings → Webhooks → Add webhook\n\
        \x20   Payload URL   {base}/{}\n\
        \x20   header        {name} = {value}\n",
        source.name
    );
    if secret.is_none() {
        lines.push_str("    <secret>      what is in ");
        lines.push_str(place);
        lines.push('\n');
    }
    lines.push_str(private_address::hint(base).unwrap_or_default());
    if source.ml_backend {
        let (scheme, rest) = base.split_once("://").unwrap_or(("http", base));
        lines = format!(
            "{lines}  Label Studio: project → Settings → Model → Connect model\n\
            \x20   Backend URL   {scheme}://label-studio:{shown}@{rest}/{}\n",
            source.name
        );
    }
    lines
}

/// The lines for all sources.
pub(super) fn all(
    config: &Config,
    base: &str,
    made: &[(String, String)],
    show_secrets: bool,
) -> String {
    let mut text = String::new();
    for source in &config.sources {
        let secret = made
            .iter()
            .find(|(name, _)| show_secrets && *name == source.name)
            .map(|(_, secret)| secret.as_str());
        text.push_str(&for_source(source, base, secret));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_of_urls() {
        let bound: SocketAddr = "0.0.0.0:8090".parse().unwrap();
        assert_eq!(public_base(None, bound), "http://127.0.0.1:8090");
        for (url, base) in [
            ("https://x.example/", "https://x.example"),
            ("https://x.example/relay/", "https://x.example/relay"),
        ] {
            assert_eq!(public_url(url, "x").unwrap(), base);
        }
        for wrong in [
            "x.example",
            "ftp://x.example",
            "https://",
            "https://x.example/?a=b",
            "",
        ] {
            assert!(public_url(wrong, "x").is_err(), "{wrong}");
        }
    }
}
