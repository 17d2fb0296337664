//! Settings, as OpenTelemetry's specification names them.

use crate::sampler::Sampler;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use labelrelay_core::config::{ConfigError, ENVIRONMENT, Lookup};
use percent_encoding::percent_decode_str;
use std::time::Duration;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
pub(crate) const TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";

/// Settings of an export that is on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Where spans go, if they go anywhere.
    pub traces: Option<Target>,
    /// Where metrics go, if they go anywhere.
    pub metrics: Option<Target>,
    /// Which traces are recorded.
    pub sampler: Sampler,
    /// Attributes of this program; `service.name` is among them.
    pub resource: Vec<(String, String)>,
    /// Longest time for one request to the collector.
    pub timeout: Duration,
    /// Spans wait for others for so long.
    pub span_delay: Duration,
    /// Time from one export of the metrics to the next.
    pub metric_interval: Duration,
}

/// Where a signal goes. `Debug` shows no header's value: one may be a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// The whole URL.
    pub url: Uri,
    /// Headers of each request.
    pub headers: HeaderMap,
}

impl Settings {
    /// Reads the variables. `None` if no endpoint is set, or all is switched off.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable and the cure.
    ///
    /// ```
    /// use labelrelay_core::config::Environment;
    /// use labelrelay_otlp::Settings;
    ///
    /// let set = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/")];
    /// let environment: Environment = set.into_iter().collect();
    /// let settings = Settings::read(&environment).unwrap().unwrap();
    /// assert_eq!(settings.traces.unwrap().url, "http://localhost:4318/v1/traces");
    /// ```
    pub fn read(lookup: Lookup<'_>) -> Result<Option<Self>, ConfigError> {
        let disabled = lookup.text("OTEL_SDK_DISABLED")?;
        if disabled.is_some_and(|word| word.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let traces = target(lookup, "TRACES", "/v1/traces")?;
        let metrics = target(lookup, "METRICS", "/v1/metrics")?;
        if traces.is_none() && metrics.is_none() {
            return Ok(None);
        }
        let milliseconds = |name: &str, default: u64| -> Result<Duration, ConfigError> {
            let Some(text) = lookup.text(name)? else {
                return Ok(Duration::from_millis(default));
            };
            match text.parse::<u64>() {
                Ok(number @ 1..) => Ok(Duration::from_millis(number)),
                _ => Err(wrong(
                    name,
                    "is no number of milliseconds",
                    "write 1 or more, or unset it",
                )),
            }
        };
        Ok(Some(Self {
            traces,
            metrics,
            sampler: sampler(lookup)?,
            resource: resource(lookup)?,
            timeout: milliseconds(TIMEOUT, 10_000)?,
            span_delay: milliseconds("OTEL_BSP_SCHEDULE_DELAY", 5_000)?,
            metric_interval: milliseconds("OTEL_METRIC_EXPORT_INTERVAL", 60_000)?,
        }))
    }
}

fn wrong(name: &str, problem: &str, cure: &str) -> ConfigError {
    ConfigError::new(ENVIRONMENT, name, problem, cure)
}

/// A signal's own variable, else the one of all signals; and which it was.
fn of_signal(
    lookup: Lookup<'_>,
    signal: &str,
    what: &str,
) -> Result<Option<(String, String)>, ConfigError> {
    for name in [
        format!("OTEL_EXPORTER_OTLP_{signal}_{what}"),
        format!("OTEL_EXPORTER_OTLP_{what}"),
    ] {
        if let Some(value) = lookup.text(&name)? {
            return Ok(Some((name, value)));
        }
    }
    Ok(None)
}

fn target(lookup: Lookup<'_>, signal: &str, path: &str) -> Result<Option<Target>, ConfigError> {
    let Some((name, mut url)) = of_signal(lookup, signal, "ENDPOINT")? else {
        return Ok(None);
    };
    if name == ENDPOINT {
        url = format!("{}{path}", url.trim_end_matches('/'));
    }
    let exporter = format!("OTEL_{signal}_EXPORTER");
    match lookup.text(&exporter)?.as_deref() {
        None | Some("otlp") => {}
        Some("none") => return Ok(None),
        Some(_) => {
            let problem = "names an exporter that labelrelay does not have";
            return Err(wrong(&exporter, problem, "write otlp or none, or unset it"));
        }
    }
    if let Some((name, protocol)) = of_signal(lookup, signal, "PROTOCOL")?
        && protocol != "http/protobuf"
    {
        let cure = "write http/protobuf, and the collector's port for it in the endpoint, which is 4318 as a rule";
        return Err(wrong(
            &name,
            "is not http/protobuf, which is all that labelrelay speaks",
            cure,
        ));
    }
    let url = url.parse::<Uri>().ok();
    let url = url.filter(|url| matches!(url.scheme_str(), Some("http" | "https")));
    let Some(url) = url.filter(|url| url.host().is_some()) else {
        let cure = "write http://HOST:4318 or https://HOST:4318";
        return Err(wrong(&name, "is not the URL of a collector", cure));
    };
    let headers = match of_signal(lookup, signal, "HEADERS")? {
        Some((name, text)) => headers(&name, &text)?,
        None => HeaderMap::new(),
    };
    Ok(Some(Target { url, headers }))
}

/// Takes `name=value,name=value` apart, where values are percent-encoded.
fn pairs(name: &str, text: &str) -> Result<Vec<(String, String)>, ConfigError> {
    let members = text
        .split(',')
        .map(str::trim)
        .filter(|member| !member.is_empty());
    let pair = |member: &str| {
        let (key, value) = member.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        Some((key.trim().to_owned(), value.into_owned()))
    };
    let pairs: Option<Vec<_>> = members.map(pair).collect();
    pairs.ok_or_else(|| {
        let cure = "write NAME=VALUE,NAME=VALUE, with a comma in a value as %2C";
        wrong(name, "is no list of pairs", cure)
    })
}

fn headers(name: &str, text: &str) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for (key, value) in pairs(name, text)? {
        let key = HeaderName::from_bytes(key.as_bytes());
        let (Ok(key), Ok(mut value)) = (key, HeaderValue::from_str(&value)) else {
            // Not the pair itself: it may be a credential.
            let cure = "write NAME=VALUE,NAME=VALUE, with names of headers and printable values";
            return Err(wrong(name, "has a pair that is no header", cure));
        };
        value.set_sensitive(true);
        headers.append(key, value);
    }
    Ok(headers)
}

fn sampler(lookup: Lookup<'_>) -> Result<Sampler, ConfigError> {
    const NAME: &str = "OTEL_TRACES_SAMPLER";
    const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
    let name = lookup.text(NAME)?;
    let name = name.as_deref().unwrap_or("parentbased_always_on");
    let ratio = match lookup.text(ARGUMENT)? {
        Some(text) if name.ends_with("traceidratio") => text
            .parse::<f64>()
            .ok()
            .filter(|ratio| (0.0..=1.0).contains(ratio))
            .ok_or_else(|| wrong(ARGUMENT, "is no ratio", "write a number from 0 to 1"))?,
        _ => 1.0,
    };
    Sampler::named(name, ratio).ok_or_else(|| {
        let cure = "write parentbased_traceidratio, parentbased_always_on, parentbased_always_off, traceidratio, always_on or always_off";
        wrong(NAME, "names no sampler that labelrelay has", cure)
    })
}

fn resource(lookup: Lookup<'_>) -> Result<Vec<(String, String)>, ConfigError> {
    const NAME: &str = "OTEL_RESOURCE_ATTRIBUTES";
    const SERVICE: &str = "service.name";
    let mut resource = match lookup.text(NAME)? {
        Some(text) => pairs(NAME, &text)?,
        None => Vec::new(),
    };
    if let Some(service) = lookup.text("OTEL_SERVICE_NAME")? {
        resource.retain(|(key, _)| key != SERVICE);
        resource.push((SERVICE.to_owned(), service));
    }
    for (key, value) in [
        (SERVICE, "labelrelay"),
        ("service.version", env!("CARGO_PKG_VERSION")),
    ] {
        if !resource.iter().any(|(known, _)| known == key) {
            resource.push((key.to_owned(), value.to_owned()));
        }
    }
    Ok(resource)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_core::config::Environment;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, ConfigError> {
        let environment: Environment = variables.iter().copied().collect();
        Settings::read(&environment)
    }

    const ON: (&str, &str) = (ENDPOINT, "http://collector:4318");

    #[test]
    fn it_is_off_unless_an_endpoint_is_set() {
        for variables in [
            &[][..],
            &[
                ("OTEL_SERVICE_NAME", "x"),
                ("OTEL_TRACES_EXPORTER", "console"),
            ],
            &[ON, ("OTEL_SDK_DISABLED", "true")],
            &[
                ON,
                ("OTEL_TRACES_EXPORTER", "none"),
                ("OTEL_METRICS_EXPORTER", "none"),
            ],
        ] {
            assert!(read(variables).unwrap().is_none(), "{variables:?}");
        }
    }

    #[test]
    fn a_signals_own_variable_wins_and_is_taken_as_it_is() {
        let settings = read(&[
            ON,
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/other"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=1,authorization=Bearer%20x"),
            ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "a=2"),
        ]);
        let settings = settings.unwrap().unwrap();
        let (traces, metrics) = (settings.traces.unwrap(), settings.metrics.unwrap());
        assert_eq!(traces.url, "https://t/other");
        assert_eq!(metrics.url, "http://collector:4318/v1/metrics");
        assert_eq!(traces.headers["authorization"], "Bearer x");
        assert!(!format!("{traces:?}").contains("Bearer"), "{traces:?}");
        assert_eq!(
            (metrics.headers.len(), &metrics.headers["a"]),
            (1, &HeaderValue::from_static("2"))
        );
    }

    #[test]
    fn a_service_has_a_name_and_a_version() {
        let resource = |variables: &[(&str, &str)]| {
            let settings = read(&[&[ON][..], variables].concat()).unwrap().unwrap();
            settings
                .resource
                .into_iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
        };
        let version = concat!("service.version=", env!("CARGO_PKG_VERSION"));
        assert_eq!(resource(&[]), ["service.name=labelrelay", version]);
        let attributes = (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=a, deployment.environment.name=b%2Cc",
        );
        assert_eq!(
            resource(&[attributes]),
            ["service.name=a", "deployment.environment.name=b,c", version]
        );
        assert_eq!(
            resource(&[attributes, ("OTEL_SERVICE_NAME", "d")]),
            ["deployment.environment.name=b,c", "service.name=d", version]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_cure() {
        for (name, value) in [
            (ENDPOINT, "collector:4318"),
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "ftp://x/"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a b=c"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
            ("OTEL_BSP_SCHEDULE_DELAY", "0"),
            ("OTEL_RESOURCE_ATTRIBUTES", "x"),
            ("OTEL_TRACES_EXPORTER", "console"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
        ] {
            let error = read(&[ON, (name, value)]).unwrap_err();
            assert_eq!(error.key, name);
            assert!(!error.cure.is_empty());
        }
        let ratio = ("OTEL_TRACES_SAMPLER_ARG", "2");
        let error = read(&[
            ON,
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ratio,
        ]);
        assert_eq!(error.unwrap_err().key, "OTEL_TRACES_SAMPLER_ARG");
        assert!(read(&[ON, ratio]).is_ok(), "no sampler asks for it");
    }
}
