//! Variables of the environment that are there but not as they should be.

use crate::support::{CONFIG, Place, Ran, configured, patient, send_laid_out};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

const SECRET: &str = "example-secret-0123456789";

/// A path as Latin-1 writes it.
const LATIN_1: &[u8] = b"file:///tmp/donn\xe9es";

fn run(place: &Place, name: &str, value: &[u8], words: &[&str]) -> Ran {
    let mut command = place.command(words);
    command.env(name, OsStr::from_bytes(value));
    Ran::from(command.output().unwrap())
}

#[test]
fn a_variable_that_is_not_utf_8_is_named_and_not_taken_for_absent() {
    for name in [
        "LABELRELAY_CONFIG",
        "LABELRELAY_CONFIG_TOML",
        "LABELRELAY_QUEUE",
        "LABELRELAY_BLOB_STORE",
        "LABELRELAY_FALLBACK",
        "LABELRELAY_TRACES",
        "LABELRELAY_LISTEN",
        "LABELRELAY_ADMIN_LISTEN",
        "LABELRELAY_PUBLIC_URL",
        "LABELRELAY_MAX_BODY_BYTES",
        "LABELRELAY_MAX_BYTES_IN_FLIGHT",
        "LABELRELAY_MAX_IN_FLIGHT",
        "LABELRELAY_DEADLINE_MS",
        "LABELRELAY_SPOOL_DIR",
        "LABELRELAY_SPOOL_THRESHOLD_BYTES",
        "LABELRELAY_SPOOL_MAX_BYTES",
        "LABELRELAY_LOG",
        "LABEL_STUDIO_WEBHOOK_HEADER",
    ] {
        let place = Place::new()
            .with("LABEL_STUDIO_WEBHOOK_SECRET", SECRET)
            .with("LABELRELAY_QUEUE", "sqlite:q.db");
        for verb in ["status", "serve"] {
            run(&place, name, LATIN_1, &[verb]).failed(78, &[name, "not UTF-8", "unset it"]);
        }
        assert!(!place.path(".labelrelay").exists(), "{name}");
    }
}

#[test]
fn verbs_that_look_into_the_queue_take_no_other_one_instead() {
    let place = Place::new();
    assert_eq!(place.serve(&[]).stop(), 0);
    place.run(&["queue", "stats"]).good();
    for name in [
        "LABELRELAY_CONFIG",
        "LABELRELAY_CONFIG_TOML",
        "LABELRELAY_QUEUE",
    ] {
        run(&place, name, LATIN_1, &["queue", "stats"]).failed(78, &[name, "not UTF-8"]);
    }
}

/// Whoever runs a collector sets these for all programs of a machine, some of which speak what this one does not.
#[test]
fn no_variable_of_opentelemetry_keeps_deliveries_out() {
    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
    let variables: [(&str, &[u8]); 16] = [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", b"grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", b"http/json"),
        (ENDPOINT, b"collector:4317"),
        (ENDPOINT, LATIN_1),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", b"unix:///collector"),
        ("OTEL_EXPORTER_OTLP_HEADERS", b"authorization"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", b"10s"),
        ("OTEL_BSP_SCHEDULE_DELAY", b"0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", b"-1"),
        ("OTEL_RESOURCE_ATTRIBUTES", b"production"),
        ("OTEL_SERVICE_NAME", b"\xff"),
        ("OTEL_TRACES_EXPORTER", b"console"),
        ("OTEL_METRICS_EXPORTER", b"prometheus"),
        (SAMPLER, b"jaeger_remote"),
        ("OTEL_TRACES_SAMPLER_ARG", b"2"),
        ("OTEL_SDK_DISABLED", b"\xff"),
    ];
    for (name, value) in variables {
        let place = patient()
            .with(ENDPOINT, "http://127.0.0.1:4317")
            .with(SAMPLER, "parentbased_traceidratio");
        let mut command = place.command(&[]);
        command.env(name, OsStr::from_bytes(value));
        let log = || {
            std::fs::File::options()
                .append(true)
                .create(true)
                .open(place.path("serve.log"))
        };
        let serving =
            place.serve_command(command, &[], log().unwrap().into(), log().unwrap().into());
        let named = if cfg!(feature = "otlp") {
            name
        } else {
            "built without OpenTelemetry"
        };
        place.logged(&[named]);
        send_laid_out(&place, &serving);
        assert_eq!(serving.stop(), 0, "{name}");
    }
}

#[test]
fn a_secret_may_be_any_bytes() {
    let secret = b"example-\xff-secret-0123456789";
    let place = Place::new();
    run(&place, "LABELBOX_WEBHOOK_SECRET", secret, &["status"])
        .failed(0, &["LABELBOX_WEBHOOK_SECRET"]);
    let body = place.write("body.json", "{}");
    let signature = labelrelay_core::signature::sign_sha1(secret, b"{}");
    let words = [
        "verify",
        "--file",
        body.to_str().unwrap(),
        "--signature",
        &signature,
        "--secret",
        "env:OF_BYTES",
    ];
    run(&place, "OF_BYTES", secret, &words).good();
}

#[test]
fn an_optional_variable_that_is_set_to_nothing_counts_as_unset() {
    let empty = [
        "LABELRELAY_CONFIG",
        "LABELRELAY_CONFIG_TOML",
        "LABELRELAY_QUEUE",
        "LABELRELAY_BLOB_STORE",
        "LABELRELAY_FALLBACK",
        "LABELRELAY_TRACES",
        "LABELRELAY_LISTEN",
        "LABELRELAY_ADMIN_LISTEN",
        "LABELRELAY_PUBLIC_URL",
        "LABELRELAY_MAX_BODY_BYTES",
        "LABELRELAY_DEADLINE_MS",
        "LABELRELAY_SPOOL_DIR",
        "LABELRELAY_LOG",
        "LABEL_STUDIO_WEBHOOK_HEADER",
        "LABEL_STUDIO_WEBHOOK_SECRET_PREVIOUS",
        "LABEL_STUDIO_WEBHOOK_SECRET_PREVIOUS_UNTIL",
        "LABELBOX_WEBHOOK_SECRET",
    ];
    let mut place = Place::new().with("LABEL_STUDIO_WEBHOOK_SECRET", SECRET);
    for name in empty {
        place = place.with(name, "");
    }
    let ran = place.run(&["status", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let verdict = &ran.json()[0];
    assert_eq!(verdict["configuration"], "environment");
    assert_eq!(verdict["sources"], serde_json::json!(["label-studio"]));
    let warnings = verdict["warnings"].to_string();
    assert!(
        warnings.contains("LABELBOX_WEBHOOK_SECRET is set to nothing"),
        "{warnings}"
    );
    assert!(!warnings.contains("_PREVIOUS"), "{warnings}");
}

/// Somebody meant a secret to be there: no other one is made in its place, and an empty one verifies nothing.
#[test]
fn an_empty_secret_is_no_secret() {
    let place = Place::new().with("LABELBOX_WEBHOOK_SECRET", "");
    for verb in ["status", "serve"] {
        place.run(&[verb]).failed(
            78,
            &["LABELBOX_WEBHOOK_SECRET", "is set to nothing", "unset it"],
        );
    }
    assert!(!place.path(".labelrelay").exists());
}

#[test]
fn a_misspelt_variable_is_a_warning_with_the_nearest_name() {
    for (wrong, nearest) in [
        ("LABELRELAY_FALBACK", "LABELRELAY_FALLBACK"),
        ("LABELRELAY_FALLBACK_URL", "LABELRELAY_FALLBACK"),
        ("LABELRELAY_BLOBSTORE", "LABELRELAY_BLOB_STORE"),
        ("LABEL_RELAY_QUEUE", "LABELRELAY_QUEUE"),
        ("labelrelay_listen", "LABELRELAY_LISTEN"),
        ("LABELRELAY_LOG_LEVEL", "LABELRELAY_LOG"),
        ("LABELBOX_WEBHOOK_SECRT", "LABELBOX_WEBHOOK_SECRET"),
        ("LABELSTUDIO_WEBHOOK_SECRET", "LABEL_STUDIO_WEBHOOK_SECRET"),
        ("LABELRELAY_PORT", "LABELRELAY_"),
        ("LABELBOX_WEBHOOK_SECRET_OLD", "LABELBOX_WEBHOOK_SECRET"),
        ("LABELREALY_QUEUE", "LABELRELAY_QUEUE"),
        ("LABELRELY_FALLBACK", "LABELRELAY_FALLBACK"),
        ("LABELBOX_WEBHOK_SECRET", "LABELBOX_WEBHOOK_SECRET"),
    ] {
        let place = configured().with(wrong, "a value");
        place.run(&["status"]).failed(0, &[wrong, nearest]);
    }
}

#[test]
fn variables_of_others_are_no_warning() {
    let place = configured()
        .with("LABELRELAY_LOG", "info")
        // Set by Kubernetes for a service that is called `labelrelay`.
        .with("LABELRELAY_SERVICE_HOST", "10.0.0.1")
        .with("LABELRELAY_SERVICE_PORT", "8090")
        .with("LABELRELAY_SERVICE_PORT_HTTP", "8090")
        .with("LABELRELAY_PORT", "tcp://10.0.0.1:8090")
        .with("LABELRELAY_PORT_8090_TCP", "tcp://10.0.0.1:8090")
        .with("LABELRELAY_PORT_8090_TCP_ADDR", "10.0.0.1")
        .with("LABELRELAY", "/usr/local/bin/labelrelay")
        // Read by others.
        .with("LABEL_DELAY", "5")
        .with("LABELBOX_API_KEYS", "k")
        .with("LABEL_STUDIO_API_KEY", "k")
        .with("LABEL_STUDIO_URL", "http://label-studio.example")
        .with("LABEL_STUDIO_HOST", "http://label-studio.example")
        .with("LABEL_STUDIO_WEBHOOK_TIMEOUT", "10")
        .with("LABELBOX_API_KEY", "k")
        // Named by the configuration itself.
        .with("LABELRELAY_MINE", SECRET);
    let text = CONFIG.replacen("file:labelbox.secret", "env:LABELRELAY_MINE", 1);
    place.write("labelrelay.toml", text);
    let ran = place.run(&["status", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let warnings = ran.json()[0]["warnings"].to_string();
    assert!(!warnings.contains("did you mean"), "{warnings}");
}
