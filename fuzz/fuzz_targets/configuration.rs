//! Configuration. Input: environment variables, one `NAME=value` a line, then a line `---`, then TOML. It is
//! accepted, or the error names place, key and cure; what is accepted serves a delivery.

#![no_main]

use labelrelay_core::config::{Config, ConfigError, DEFAULT_MAX_BODY_BYTES};
use labelrelay_core::signature::sign_sha1;
use labelrelay_fuzz::{Bench, LABELBOX_SECRET, Limits, head};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

const LIMITS: Limits = Limits {
    xml_characters_only: false,
    single_line: false,
    tiny: false,
};

fuzz_target!(|data: &str| {
    let (variables, toml) = data.split_once("---\n").unwrap_or(("", data));
    let variables: BTreeMap<_, _> = variables
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let lookup = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    let base = || PathBuf::from("/etc/labelrelay");
    assert_sound(Config::from_toml(toml, "fuzz.toml", base(), &lookup));
    if let Some(config) = Config::from_environment(base(), &lookup).transpose() {
        assert_sound(config);
    }
});

fn assert_sound(config: Result<Config, ConfigError>) {
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            let named = |part: &str| !part.trim().is_empty();
            assert!(
                named(&error.origin)
                    && named(&error.key)
                    && named(&error.problem)
                    && named(&error.cure),
                "{error:?}"
            );
            return;
        }
    };
    assert!(config.default_source < config.sources.len());
    for (index, source) in config.sources.iter().enumerate() {
        assert!(!source.secrets.is_empty());
        assert!(source.max_body_bytes > 0 && source.answer_by > Duration::ZERO);
        assert!(
            config.sources[..index]
                .iter()
                .all(|other| other.name != source.name)
        );
        assert!(
            serde_json::from_slice::<BTreeMap<String, serde_json::Value>>(&source.models).is_ok()
        );
    }
    // The memory that a body needs depends on the queue; this bench has the default's.
    if config.bytes_in_flight.is_some()
        || config
            .sources
            .iter()
            .any(|source| source.max_body_bytes > DEFAULT_MAX_BODY_BYTES)
    {
        return;
    }
    // Every secret is the same here, whatever it is called.
    let bench = Bench::of(&config, LIMITS, &|_: &str| Some(LABELBOX_SECRET.to_owned()));
    let body = br#"{"action": "PROJECT_DELETED", "project": {"id": 1}}"#;
    for source in &config.sources {
        let (signature, bearer) = (
            sign_sha1(LABELBOX_SECRET.as_bytes(), body),
            format!("Bearer {LABELBOX_SECRET}"),
        );
        let lines = [
            ("x-hub-signature", signature.as_bytes()),
            ("authorization", bearer.as_bytes()),
        ];
        let answer = bench.deliver(head(&format!("/{}", source.name), lines), [&body[..]]);
        let status = answer.outcome.status().as_u16();
        assert!(status != 500 && status != 404, "{:?}", answer.outcome);
    }
}
