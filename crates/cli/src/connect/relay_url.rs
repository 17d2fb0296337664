//! The URL at which a platform reaches the relay's source.

use crate::env::Env;
use crate::error::CliError;
use crate::running_serve;
use crate::serve::{Flags, Reach, Settings, public_base, public_url, reach};
use crate::userinfo;
use http::Uri;
use labelrelay_core::config::{Config, SourceConfig};
use std::net::IpAddr;

pub(super) struct RelayUrl {
    /// The URL that the platform delivers to.
    pub(super) url: String,
    /// The same without the source's path.
    base: String,
    /// `true` if nobody named it: it is the address of the `serve` that runs here, which may have a public one besides.
    pub(super) is_assumed: bool,
}

impl RelayUrl {
    /// Of the flag, else of the configuration, else of the `serve` that runs here.
    pub(super) fn find(
        flag: Option<&str>,
        config: &Config,
        source: &SourceConfig,
        env: &Env<'_>,
    ) -> Result<Self, CliError> {
        let names: Vec<_> = config
            .sources
            .iter()
            .map(|source| source.name.as_str())
            .collect();
        if let Some(flag) = flag {
            return Self::given(flag.trim(), &source.name, &names).map_err(CliError::Usage);
        }
        let settings = Settings::read(Flags::default(), Some(config))?;
        let (base, is_assumed) = match (settings.public_url(), running_serve::address(config, env))
        {
            (Some(url), _) => (url.to_owned(), false),
            (None, Some(address)) => (public_base(None, address), true),
            (None, None) => {
                return Err(CliError::usage(
                    "where is the relay? No `serve` runs here with this configuration, which has no `public_url` either: start `labelrelay serve`, or give --relay https://HOST",
                ));
            }
        };
        let relay = Self::given(&base, &source.name, &names)
            .map_err(|problem| CliError::config(format_args!("{}: {problem}", config.origin)))?;
        Ok(Self {
            is_assumed,
            ..relay
        })
    }

    /// `url`, with the path of the source `name` behind it where that is missing.
    fn given(url: &str, name: &str, names: &[&str]) -> Result<Self, String> {
        if userinfo::is_in(url) {
            return Err(format!(
                "the relay's URL {} takes no user or password: the webhook has a secret of its own",
                userinfo::hidden(url)
            ));
        }
        let url = match public_url(url, "the relay's URL") {
            Ok(url) => url,
            Err(CliError::Config(problem)) => return Err(problem),
            Err(_) => return Err("the relay's URL is none".to_owned()),
        };
        let last = last_segment(&url);
        if last == name {
            let base = url.strip_suffix(name).unwrap_or(&url);
            return Ok(Self {
                base: base.trim_end_matches('/').to_owned(),
                url,
                is_assumed: false,
            });
        }
        if names.contains(&last.as_str()) || letters(&last) == letters(name) {
            return Err(format!(
                "the relay's URL {url} ends in /{last}, and the path of the source `{name}` is /{name}: leave /{last} away, it is added"
            ));
        }
        Ok(Self {
            url: format!("{url}/{name}"),
            base: url,
            is_assumed: false,
        })
    }

    /// URL that says whether the relay takes deliveries.
    pub(super) fn ready(&self) -> String {
        format!("{}/-/ready", self.base)
    }

    /// Tells whether a webhook to `url` delivers here.
    pub(super) fn is(&self, url: &str) -> bool {
        let target = Destination::of(url);
        target.is_some() && target == Destination::of(&self.url)
    }

    /// URL of a webhook that was ended: no longer one of ours, so that nothing brings it back with a secret that may
    /// be an old one.
    pub(super) fn ended(&self) -> String {
        format!("{}/ended", self.url)
    }

    /// Reach of the URL, as far as it shows.
    pub(super) fn reach(&self) -> Option<Reach> {
        reach(&self.url)
    }

    /// Tells whether requests to this URL are encrypted on their way.
    pub(super) fn is_https(&self) -> bool {
        Destination::of(&self.url).is_some_and(|target| target.scheme == "https")
    }

    /// Tells whether this URL leads each machine to itself.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }
}

/// Tells whether the host of `url` is one that each machine is to itself.
pub(super) fn is_loopback(url: &str) -> bool {
    let Some(Destination { host, .. }) = Destination::of(url) else {
        return false;
    };
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    match plain.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => plain == "localhost" || plain.ends_with(".localhost"),
    }
}

/// Last part of a URL's path: the name of a source, where the URL ends with the path of one. Empty where there is none.
pub(crate) fn last_segment(url: &str) -> String {
    let parsed: Option<Uri> = url.parse().ok();
    let path = parsed.as_ref().map_or("", Uri::path);
    let last = path.trim_end_matches('/').rsplit('/').next();
    last.unwrap_or_default().to_owned()
}

/// A name as somebody may type it from memory: only its letters and digits.
fn letters(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Target of a URL, however the URL is written.
#[derive(PartialEq, Eq)]
struct Destination {
    scheme: String,
    host: String,
    port: u16,
    path: String,
}

impl Destination {
    fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.trim().parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let usual = if scheme == "https" { 443 } else { 80 };
        let host = uri.host()?.trim_end_matches('.').to_ascii_lowercase();
        Some(Self {
            host,
            port: uri.port_u16().unwrap_or(usual),
            path: uri.path().trim_end_matches('/').to_owned(),
            scheme,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["labelbox", "label-studio"];

    fn given(url: &str) -> Result<RelayUrl, String> {
        RelayUrl::given(url, "label-studio", &NAMES)
    }

    #[test]
    fn the_source_s_path_is_added_where_it_is_missing() {
        for (url, whole, ready) in [
            (
                "http://h:8090",
                "http://h:8090/label-studio",
                "http://h:8090/-/ready",
            ),
            ("https://h/", "https://h/label-studio", "https://h/-/ready"),
            (
                "https://h/relay",
                "https://h/relay/label-studio",
                "https://h/relay/-/ready",
            ),
            (
                "https://h/label-studio/",
                "https://h/label-studio",
                "https://h/-/ready",
            ),
            (
                "https://h/a/label-studio",
                "https://h/a/label-studio",
                "https://h/a/-/ready",
            ),
        ] {
            let relay = given(url).unwrap_or_else(|problem| panic!("{url}: {problem}"));
            assert_eq!((relay.url.as_str(), relay.ready().as_str()), (whole, ready));
        }
    }

    #[test]
    fn a_url_that_is_not_this_source_s_is_refused() {
        for (url, said) in [
            ("http://h/labelbox", "ends in /labelbox"),
            ("http://h/label_studio", "leave /label_studio away"),
            ("http://h/LabelStudio", "is /label-studio"),
            ("http://me:hidden@h", "takes no user"),
            ("h:8090", "is not a URL"),
            ("ftp://h", "is not a URL"),
            ("http://h/?code=x", "is not a URL"),
            ("", "is not a URL"),
        ] {
            let problem = given(url).err().unwrap();
            assert!(problem.contains(said), "{url}: {problem}");
            assert!(!problem.contains("hidden"), "{problem}");
        }
    }

    #[test]
    fn ours_are_those_that_lead_here_however_they_are_written() {
        let relay = given("http://Relay.test").unwrap();
        for (url, is) in [
            ("http://relay.test:80/label-studio", true),
            ("HTTP://relay.test./label-studio/", true),
            ("http://label-studio:secret@relay.test/label-studio", true),
            ("https://relay.test/label-studio", false),
            ("http://relay.test:8090/label-studio", false),
            ("http://relay.test/labelbox", false),
            ("http://relay.test/label-studio/more", false),
            ("http://other.test/label-studio", false),
            ("nothing", false),
            ("", false),
        ] {
            assert_eq!(relay.is(url), is, "{url}");
        }
    }

    #[test]
    fn a_loopback_url_leads_nobody_else_here() {
        for (url, is) in [
            ("http://127.0.0.1:8090", true),
            ("http://127.1.2.3", true),
            ("http://[::1]:8090", true),
            ("http://localhost", true),
            ("http://10.0.0.1", false),
            ("https://relay.test", false),
        ] {
            assert_eq!(is_loopback(url), is, "{url}");
        }
    }
}
