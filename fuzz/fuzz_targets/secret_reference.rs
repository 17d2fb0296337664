//! References to secrets. Input: the reference (a line), then what the variable holds that it may name. No
//! error repeats either: somebody may have written a secret there.

#![no_main]

use labelrelay_core::config::{Config, ConfigError, SecretRef};
use libfuzzer_sys::fuzz_target;
use std::path::{Path, PathBuf};

fuzz_target!(|data: &str| {
    let (reference, value) = data.split_once('\n').unwrap_or((data, ""));
    let Ok(secret) = read(reference).map_err(|error| assert_says_nothing(&error, reference)) else {
        return;
    };
    let (scheme, name) = reference.split_once(':').expect("a reference has a scheme");
    match &secret {
        SecretRef::Env(variable) => assert_eq!((scheme, name), ("env", variable.as_str())),
        SecretRef::File(path) => {
            assert_eq!(scheme, "file");
            assert!(path.starts_with("/etc/labelrelay") || path.is_absolute());
            let name = name.strip_prefix("//").unwrap_or(name);
            assert_eq!(*path, Path::new("/etc/labelrelay").join(name));
        }
        SecretRef::Store {
            scheme: store,
            name: rest,
        } => {
            assert_eq!((scheme, name), (*store, rest.as_str()));
        }
        _ => panic!("a kind that this target does not know"),
    }
    // A reference is shown as one.
    assert_eq!(read(&secret.to_string()).ok().as_ref(), Some(&secret));

    let lookup = |asked: &str| {
        assert_eq!(asked, name, "another variable than the one that is named");
        Some(value.to_owned())
    };
    match secret.open(None, &lookup, "fuzz.toml", "secret") {
        Ok(Some(_source)) => assert!(scheme == "file" || !value.is_empty()),
        Ok(None) => assert!(matches!(secret, SecretRef::Store { .. })),
        Err(error) => {
            assert!(value.is_empty(), "{error}");
            assert_named(&error);
        }
    }
});

/// Reads a reference as the configuration does.
fn read(reference: &str) -> Result<SecretRef, ConfigError> {
    // JSON's strings are TOML's basic strings, but for one character.
    let quoted = serde_json::to_string(reference)
        .expect("text")
        .replace('\u{7f}', "\\u007f");
    let toml = format!("[[source]]\nname = \"x\"\nprovider = \"labelbox\"\nsecret = {quoted}\n");
    let config = Config::from_toml(
        &toml,
        "fuzz.toml",
        PathBuf::from("/etc/labelrelay"),
        &|_: &str| None,
    )?;
    Ok(config.sources[0].secrets[0].0.clone())
}

fn assert_says_nothing(error: &ConfigError, reference: &str) {
    assert_named(error);
    // The text that every error has may hold this one by chance.
    let always = read("?").expect_err("it is none").to_string();
    assert!(
        always.contains(reference) || !error.to_string().contains(reference),
        "{error}"
    );
}

fn assert_named(error: &ConfigError) {
    assert_eq!(error.key.rsplit('.').next(), Some("secret"), "{error}");
}
