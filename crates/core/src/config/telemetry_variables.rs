//! Variables that ask for OpenTelemetry: a program that is built without it says that it was asked in vain.

use super::variables::Lookup;

/// Where a collector is, for all that is sent or for a part of it.
const ENDPOINTS: [&str; 3] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
];

/// What a program that is built without OpenTelemetry says of such a variable.
pub const TELEMETRY_LEFT_OUT: &str = "this program is built without OpenTelemetry: build it with `--features otlp`, or unset the variable";

/// Those that are set, unless all of OpenTelemetry is switched off. One that is no text asks for it, too.
///
/// ```
/// use labelrelay_core::config::{Environment, telemetry_asked_by};
///
/// let set = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")];
/// let environment: Environment = set.into_iter().collect();
/// let asked: Vec<_> = telemetry_asked_by(&environment).collect();
/// assert_eq!(asked, ["OTEL_EXPORTER_OTLP_ENDPOINT"]);
/// ```
pub fn telemetry_asked_by(lookup: Lookup<'_>) -> impl Iterator<Item = &'static str> {
    let disabled = lookup.secret("OTEL_SDK_DISABLED");
    let is_on = !disabled.is_some_and(|word| word.eq_ignore_ascii_case(b"true"));
    ENDPOINTS.into_iter().filter(move |name| {
        let value = lookup.secret(name);
        is_on && value.is_some_and(|value| !value.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    #[test]
    fn only_what_is_set_and_not_switched_off_asks_for_it() {
        const ON: (&str, &str) = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://c:4318");
        for (variables, expected) in [
            (&[ON][..], 1),
            (&[], 0),
            (&[("OTEL_SERVICE_NAME", "x")], 0),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")], 0),
            (&[ON, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "x")], 2),
            (&[ON, ("OTEL_SDK_DISABLED", "false")], 1),
            (&[ON, ("OTEL_SDK_DISABLED", "TRUE")], 0),
        ] {
            let environment: Environment = variables.iter().copied().collect();
            let asked = telemetry_asked_by(&environment).count();
            assert_eq!(asked, expected, "{variables:?}");
        }
    }
}
