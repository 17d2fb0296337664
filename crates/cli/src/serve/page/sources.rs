//! Sources, and what to enter on their platforms. A secret is named by its place, and never shown.

use crate::serve::hints::secret_header;
use crate::serve::private_address;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_core::provider::Provider;
use labelrelay_page::SourceView;

pub(super) fn views(config: &Config, base: &str) -> Vec<SourceView> {
    config
        .sources
        .iter()
        .map(|source| view(source, base))
        .collect()
}

fn view(source: &SourceConfig, base: &str) -> SourceView {
    let url = format!("{base}/{}", source.name);
    let place = source.secrets.first();
    let place = place.map_or_else(String::new, |(reference, _)| reference.to_string());
    let secret = format!("what is in {place}");
    let entry = |label: &str, value: String| (label.to_owned(), value);
    let mut findings = Vec::new();
    let (platform, enter) = if source.provider == Provider::Labelbox {
        if !base.starts_with("https://") {
            findings.push("Labelbox delivers over HTTPS only: put a tunnel or proxy in front, and give its address as `public_url`".to_owned());
        }
        let enter = vec![entry("URL", url), entry("secret", secret)];
        ("Labelbox", enter)
    } else {
        let hint = private_address::hint(base);
        findings.extend(hint.map(|hint| hint.split_whitespace().collect::<Vec<_>>().join(" ")));
        let (name, value) = secret_header(source, "<secret>");
        let mut enter = vec![
            entry("Payload URL", url),
            entry("header", format!("{name} = {value}")),
            entry("<secret>", secret),
        ];
        if source.ml_backend {
            let (scheme, rest) = base.split_once("://").unwrap_or(("http", base));
            let url = format!("{scheme}://label-studio:<secret>@{rest}/{}", source.name);
            enter.push(entry("Backend URL of an ML backend", url));
        }
        ("Label Studio", enter)
    };
    SourceView {
        name: source.name.clone(),
        platform: platform.to_owned(),
        enter,
        findings,
    }
}
