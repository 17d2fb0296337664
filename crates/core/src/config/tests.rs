use super::*;
use crate::signature::SecretHeader;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables: HashMap<_, _> = variables
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    Config::from_toml(
        text,
        "labelrelay.toml",
        PathBuf::from("/base"),
        &|name: &str| variables.get(name).cloned(),
    )
}

fn environment(variables: &[(&str, &str)]) -> Result<Option<Config>, ConfigError> {
    let variables: HashMap<_, _> = variables
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    Config::from_environment(PathBuf::from("/base"), &|name: &str| {
        variables.get(name).cloned()
    })
}

const SOURCE: &str = "[[source]]\nname = \"a\"\nprovider = \"labelbox\"\nsecret = \"env:S\"\n";

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn errors_name_file_key_and_cure() {
    let source = |extra: &str| format!("{SOURCE}{extra}\n");
    let label_studio =
        |extra: &str| format!("{}{extra}\n", SOURCE.replace("labelbox", "label-studio"));
    let cases: [(String, &str, &str); 28] = [
        ("quue = \"x\"".into(), "labelrelay.toml, line 1", "quue"),
        (
            format!("claim_check = \"s3\"\n{SOURCE}"),
            "labelrelay.toml",
            "claim_check",
        ),
        (
            source("secrte = \"env:S\""),
            "labelrelay.toml, line 5",
            "secrte",
        ),
        (
            "[serve]\nport = 1".into(),
            "labelrelay.toml, line 2",
            "port",
        ),
        ("a = [".into(), "labelrelay.toml, line 1", ""),
        (String::new(), "labelrelay.toml", "source"),
        (
            "[[source]]\nname = \"a\"\nprovider = \"labelbox\"".into(),
            "labelrelay.toml, line 1",
            "secret",
        ),
        (
            SOURCE.replace("\"a\"", "\"A\""),
            "labelrelay.toml",
            "source.name",
        ),
        (
            SOURCE.replace("\"a\"", "\"-\""),
            "labelrelay.toml",
            "source.name",
        ),
        (
            SOURCE.replace("\"a\"", "\"a/b\""),
            "labelrelay.toml",
            "source.name",
        ),
        (
            format!("{SOURCE}{SOURCE}"),
            "labelrelay.toml",
            "source.name",
        ),
        (
            SOURCE.replace("labelbox", "label_studio"),
            "labelrelay.toml",
            "source.a.provider",
        ),
        (
            SOURCE.replace("env:S", "hunter2hunter2"),
            "labelrelay.toml",
            "source.a.secret",
        ),
        (
            SOURCE.replace("env:S", "vault:hunter2"),
            "labelrelay.toml",
            "source.a.secret",
        ),
        (
            source("header = \"X-Token\""),
            "labelrelay.toml",
            "source.a.header",
        ),
        (
            source("ml_backend = true"),
            "labelrelay.toml",
            "source.a.ml_backend",
        ),
        (
            label_studio("models = [\"m\"]"),
            "labelrelay.toml",
            "source.a.models",
        ),
        (
            label_studio("header = \"X-Token\"\nml_backend = true"),
            "labelrelay.toml",
            "source.a.header",
        ),
        (
            label_studio("header = \"Content-Type\""),
            "labelrelay.toml",
            "source.a.header",
        ),
        (
            source("allow = [\"10.0.0.0/40\"]"),
            "labelrelay.toml",
            "source.a.allow",
        ),
        (source("allow = []"), "labelrelay.toml", "source.a.allow"),
        (
            source("include = []"),
            "labelrelay.toml",
            "source.a.include",
        ),
        (
            source("include = [\"*.deleted\"]"),
            "labelrelay.toml",
            "source.a.include",
        ),
        (
            source("exclude = [\"LABEL_CREATED\"]"),
            "labelrelay.toml",
            "source.a.exclude",
        ),
        (
            format!("max_body_bytes = \"1MB\"\n{SOURCE}"),
            "labelrelay.toml, line 1",
            "max_body_bytes",
        ),
        (
            source("models = \"hunter2\""),
            "labelrelay.toml, line 5",
            "models",
        ),
        (
            source("deadline_ms = 0"),
            "labelrelay.toml",
            "source.a.deadline_ms",
        ),
        (
            source("previous_until = \"2026-01-01T00:00:00Z\""),
            "labelrelay.toml",
            "source.a.previous_until",
        ),
    ];
    for (text, origin, key) in cases {
        let error = read(&text, &[]).expect_err(&text);
        assert_eq!(error.origin, origin, "{text}\n{error}");
        assert!(error.key.contains(key), "{text}\n{error}");
        assert!(
            !error.cure.is_empty() && !error.to_string().contains("hunter2"),
            "{error}"
        );
    }
}

/// Found by fuzzing: a path that begins with two slashes was shown as one that does not begin with any.
#[test]
fn a_reference_is_shown_as_it_is() {
    for secret in [
        "env:S",
        "file:////srv/secret",
        "file:/srv/secret",
        "aws-ssm:/s",
    ] {
        let config = read(&SOURCE.replace("env:S", secret), &[]).unwrap();
        let reference = config.sources[0].secrets[0].0.clone();
        let shown = reference.to_string();
        let config = read(&SOURCE.replace("env:S", &shown), &[]).unwrap();
        assert_eq!(
            config.sources[0].secrets[0].0, reference,
            "{secret}: {shown}"
        );
    }
}

/// Found by fuzzing: such a line's error named nothing.
#[test]
fn an_error_in_a_line_without_a_key_is_the_files() {
    let error = read("= 1", &[]).unwrap_err();
    assert_eq!(error.key, "file", "{error}");
}

#[test]
fn two_defaults_are_an_error_and_one_moves_the_default() {
    let second = SOURCE.replace("\"a\"", "\"b\"") + "default = true\n";
    assert_eq!(
        read(&format!("{SOURCE}{second}"), &[])
            .unwrap()
            .default_source,
        1
    );
    assert!(
        read(&format!("{SOURCE}default = true\n{second}"), &[])
            .unwrap_err()
            .key
            .contains("default")
    );
}

#[test]
fn references() {
    let config = read(&SOURCE.replace("env:S", "file:secret.txt"), &[]).unwrap();
    assert_eq!(
        config.sources[0].secrets[0].0,
        SecretRef::File("/base/secret.txt".into())
    );
    let config = read(&SOURCE.replace("env:S", "file:///etc/secret"), &[]).unwrap();
    assert_eq!(
        config.sources[0].secrets[0].0,
        SecretRef::File("/etc/secret".into())
    );
    let config = read(
        &SOURCE.replace("env:S", "aws-secretsmanager:arn:aws:x"),
        &[],
    )
    .unwrap();
    assert_eq!(
        config.sources[0].secrets[0].0.to_string(),
        "aws-secretsmanager:arn:aws:x"
    );
    let unset = SecretRef::Env("NOT_SET".into()).open(
        None,
        &|_: &str| None,
        "labelrelay.toml",
        "source.a.secret",
    );
    let error = unset.err().unwrap().to_string();
    assert!(
        error.contains("labelrelay.toml")
            && error.contains("source.a.secret")
            && error.contains("set NOT_SET"),
        "{error}"
    );
    let empty = SecretRef::Env("EMPTY".into()).open(
        None,
        &|_: &str| Some(String::new()),
        "labelrelay.toml",
        "source.a.secret",
    );
    assert!(empty.err().unwrap().to_string().contains("empty"));
}

#[test]
fn the_environment_alone() {
    assert!(environment(&[]).unwrap().is_none());
    let config = environment(&[
        ("LABELBOX_WEBHOOK_SECRET", "x"),
        ("LABEL_STUDIO_WEBHOOK_SECRET", "y"),
        ("LABEL_STUDIO_WEBHOOK_SECRET_PREVIOUS", "z"),
        (
            "LABEL_STUDIO_WEBHOOK_SECRET_PREVIOUS_UNTIL",
            "2026-12-31T00:00:00Z",
        ),
        ("LABEL_STUDIO_WEBHOOK_HEADER", "X-Token"),
        ("LABELRELAY_QUEUE", "sqlite:///q.db"),
        ("LABELRELAY_MAX_BODY_BYTES", "1000"),
        ("LABELRELAY_DEADLINE_MS", "700"),
    ])
    .unwrap()
    .unwrap();
    let names: Vec<_> = config
        .sources
        .iter()
        .map(|s| {
            (
                s.name.as_str(),
                s.secrets.len(),
                s.max_body_bytes,
                s.answer_by.as_millis(),
            )
        })
        .collect();
    assert_eq!(
        names,
        [("labelbox", 1, 1000, 700), ("label-studio", 2, 1000, 700)]
    );
    assert_eq!(
        config.sources[1].header,
        Some(SecretHeader::Named("x-token".parse().unwrap()))
    );
    assert_eq!(config.queue.as_deref(), Some("sqlite:///q.db"));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let one = environment(&[("LABEL_STUDIO_WEBHOOK_SECRET", "y")])
        .unwrap()
        .unwrap();
    assert_eq!(one.sources[0].answer_by, LABEL_STUDIO_ANSWER_BY);
    for (variable, value) in [
        ("LABELBOX_WEBHOOK_SECRET_PREVIOUS", "x"),
        ("LABELRELAY_MAX_BODY_BYTES", "12 MB"),
        ("LABELRELAY_DEADLINE_MS", "0"),
        ("LABEL_STUDIO_WEBHOOK_HEADER", "no good"),
        ("LABELRELAY_PATH_PREFIX", "https://h.example/hooks"),
        ("LABELRELAY_PATH_PREFIX", "/-/ready"),
        ("LABELRELAY_PATH_PREFIX", "/hooks?a=b"),
    ] {
        let error = environment(&[("LABEL_STUDIO_WEBHOOK_SECRET", "y"), (variable, value)])
            .expect_err(variable);
        assert_eq!(
            (error.origin.as_str(), error.key.as_str()),
            ("environment", variable)
        );
    }
}

#[test]
fn a_file_without_sources_takes_those_of_the_environment() {
    let config = read(
        "queue = \"sqlite:q.db\"",
        &[
            ("LABELBOX_WEBHOOK_SECRET", "x"),
            ("LABELRELAY_QUEUE", "stdout:"),
        ],
    )
    .unwrap();
    assert_eq!(config.sources[0].name, "labelbox");
    assert_eq!(
        config.queue.as_deref(),
        Some("stdout:"),
        "a variable wins over the file"
    );
    let config = read(SOURCE, &[("LABELBOX_WEBHOOK_SECRET", "x")]).unwrap();
    assert!(config.warnings[0].contains("LABELBOX_WEBHOOK_SECRET is set but not used"));
    let config = read(&format!("{SOURCE}previous_secret = \"env:OLD\"\n"), &[]).unwrap();
    assert!(config.warnings[0].contains("previous_until"));
}

#[test]
fn a_pattern_that_nothing_matches_is_a_warning() {
    let config = read(&format!("{SOURCE}include = [\"com.labelbox.lable.*\", \"com.labelbox.label.*\", \"com.labelbox.workflow.approve\"]\n"), &[]).unwrap();
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
    assert!(config.warnings[0].contains("com.labelbox.lable.*"));
}

#[test]
fn the_form_of_claim_checks_is_read_from_file_and_environment() {
    use ClaimCheckForm::{Dataref, SqsExtendedClient};
    let form = |text: &str, variables: &[_]| {
        let text = format!("{text}\n{SOURCE}");
        read(&text, variables).map(|config| config.claim_check)
    };
    let variable = |value| [("LABELRELAY_CLAIM_CHECK", value)];
    let extended = "claim_check = \"sqs-extended-client\"";
    assert_eq!(form("", &[]).unwrap(), Dataref);
    assert_eq!(form(extended, &[]).unwrap(), SqsExtendedClient);
    assert_eq!(form(extended, &variable("dataref")).unwrap(), Dataref);
    let of_variable = form("", &variable("sqs-extended-client"));
    assert_eq!(of_variable.unwrap(), SqsExtendedClient);
    let error = form("", &variable("sqs")).unwrap_err();
    assert_eq!(error.key, "LABELRELAY_CLAIM_CHECK");
    assert!(error.cure.contains("sqs-extended-client"), "{error}");
}

#[test]
fn the_largest_size_of_the_queue_is_read_from_file_and_environment() {
    let most = |text: &str, variables: &[(&str, &str)]| {
        read(&format!("{text}{SOURCE}"), variables).map(|config| config.embedded_queue.max_bytes)
    };
    let variable = |value| [("LABELRELAY_QUEUE_MAX_BYTES", value)];
    assert_eq!(most("", &[]).unwrap(), None);
    let file = "queue_max_bytes = 1048576\n";
    assert_eq!(most(file, &[]).unwrap(), Some(1_048_576));
    assert_eq!(most(file, &variable("2000000")).unwrap(), Some(2_000_000));
    let error = most("queue_max_bytes = 1048575\n", &[]).unwrap_err();
    assert!(error.to_string().contains("1048576"), "{error}");
    let error = most("", &variable("7")).unwrap_err();
    assert_eq!(error.key, "LABELRELAY_QUEUE_MAX_BYTES");
}

/// Every variable that a document or a source names.
#[test]
fn the_known_variables_are_those_of_the_documents_and_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files: Vec<PathBuf> = ["README.md", "Dockerfile", "template.yaml"]
        .iter()
        .map(|name| root.join(name))
        .collect();
    let mut folders = vec![root.join("docs"), root.join("infra")];
    folders.extend(
        std::fs::read_dir(root.join("crates"))
            .unwrap()
            .map(|entry| entry.unwrap().path().join("src")),
    );
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    let ours = [
        "LABELRELAY_",
        "LABELBOX_WEBHOOK_",
        "LABELBOX_PULL_",
        "LABEL_STUDIO_WEBHOOK_",
        "LABEL_STUDIO_PULL_",
    ];
    // Read while the program is compiled, for `--version`.
    let of_the_build = "LABELRELAY_COMMIT";
    let mut named = std::collections::BTreeSet::new();
    for file in files {
        if file.ends_with("config/known_variables.rs") || file.ends_with("config/tests.rs") {
            continue;
        }
        // A name that is no text names nothing.
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let words = text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
        named.extend(
            words
                .filter(|word| ours.iter().any(|prefix| word.starts_with(prefix)))
                .filter(|word| !word.ends_with('_') && !word.starts_with("LABELRELAY_TEST_"))
                .filter(|word| *word != of_the_build)
                .map(str::to_owned),
        );
    }
    for name in &named {
        assert!(
            KNOWN_VARIABLES.contains(&name.as_str()),
            "{name} is not in the list"
        );
    }
    for name in KNOWN_VARIABLES {
        let is_made = name.contains("_SECRET_PREVIOUS");
        let is_others = name.ends_with("_API_KEY") || name.ends_with("_URL");
        assert!(
            is_made || is_others || named.contains(*name),
            "nothing names {name}"
        );
    }
    assert!(KNOWN_VARIABLES.is_sorted());
}

#[test]
fn a_variable_is_absent_or_text_or_bytes() {
    let environment: Environment = [("TEXT", "text"), ("EMPTY", "")].into_iter().collect();
    let lookup: Lookup<'_> = &environment;
    assert_eq!(lookup.text("TEXT").unwrap().as_deref(), Some("text"));
    assert_eq!(lookup.text("EMPTY").unwrap(), None);
    assert_eq!(lookup.text("ABSENT").unwrap(), None);
    assert_eq!(lookup.secret("EMPTY").as_deref(), Some(&b""[..]));
    assert_eq!(lookup.secret("ABSENT"), None);
    assert!(!format!("{environment:?}").contains("text"));
}

#[cfg(unix)]
#[test]
fn bytes_are_a_secret_and_no_setting() {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = |bytes: &[u8]| std::ffi::OsString::from_vec(bytes.to_vec());
    let environment: Environment = [
        ("LABELBOX_WEBHOOK_SECRET", bytes(b"\xff\xfe secret")),
        ("LABELRELAY_FALLBACK", bytes(b"file:///donn\xe9es")),
    ]
    .into_iter()
    .collect();
    let lookup: Lookup<'_> = &environment;
    assert_eq!(
        lookup.secret("LABELBOX_WEBHOOK_SECRET").unwrap(),
        b"\xff\xfe secret"
    );
    let error = Config::from_environment("/base".into(), lookup).unwrap_err();
    assert_eq!(error.key, "LABELRELAY_FALLBACK");
    assert!(error.problem.contains("not UTF-8"), "{error}");
}

#[test]
fn connections_of_one_address_are_bounded_unless_all_come_from_a_proxy() {
    let most = |text: &str, variables: &[(&str, &str)]| {
        read(text, variables).unwrap().max_connections_per_address()
    };
    let variable = ("LABELRELAY_MAX_CONNECTIONS_PER_ADDRESS", "7");
    let behind = format!("{SOURCE}trusted_proxies = 1\n");
    let set = format!("[serve]\nmax_connections_per_address = 9\n{behind}");
    assert_eq!(most(SOURCE, &[]), Some(256));
    assert_eq!(most(SOURCE, &[variable]), Some(7));
    assert_eq!(most(&behind, &[]), None);
    assert_eq!(most(&behind, &[variable]), Some(7));
    assert_eq!(most(&set, &[]), Some(9));
    assert_eq!(most(&set, &[variable]), Some(7));
    let none = format!("[serve]\nmax_connections_per_address = 0\n{SOURCE}");
    let error = read(&none, &[]).unwrap_err();
    assert_eq!(error.key, "serve.max_connections_per_address");
}

#[test]
fn a_record_is_on_unless_it_is_switched_off() {
    let unset = read(SOURCE, &[]).unwrap().serve.record;
    assert!(unset.enabled && unset.is_default);
    assert_eq!(unset, RecordConfig::default());
    // Whoever sets something else of it has said nothing of this.
    let other = format!("[serve.record]\nbodies = false\n{SOURCE}");
    let other = read(&other, &[]).unwrap().serve.record;
    assert!(other.enabled && other.is_default);
    let off = format!("[serve.record]\nenabled = false\n{SOURCE}");
    let off = read(&off, &[]).unwrap().serve.record;
    assert!(!off.enabled && !off.is_default);
    let on = format!(
        "[serve.record]\nenabled = true\npage = false\nmax_refused = 7\nmax_disk_percent = 100\nmax_age_s = 60\nkeep_events_bytes = 0\nblot_out = false\n{SOURCE}"
    );
    let record = read(&on, &[]).unwrap().serve.record;
    assert!(record.enabled && !record.is_default);
    assert_eq!(record.page, Some(false));
    assert_eq!(record.max_refused, Some(7));
    assert_eq!(record.max_disk_percent, Some(100));
    assert_eq!(record.max_age, Some(std::time::Duration::from_secs(60)));
    assert_eq!(record.keep_events_bytes, Some(0));
    assert_eq!((record.bodies, record.blot_out), (None, Some(false)));
    for (wrong, key) in [
        ("max_deliveries = 0", "serve.record.max_deliveries"),
        ("max_bodies_bytes = 0", "serve.record.max_bodies_bytes"),
        ("max_disk_percent = 0", "serve.record.max_disk_percent"),
        ("max_disk_percent = 101", "serve.record.max_disk_percent"),
        ("file = \"\"", "serve.record.file"),
        ("dataset = \"\"", "serve.record.dataset"),
        ("max_ages = 1", "max_ages"),
    ] {
        let error = read(&format!("[serve.record]\n{wrong}\n{SOURCE}"), &[]).unwrap_err();
        assert_eq!(error.key, key, "{error}");
    }
}

#[test]
fn traces_have_a_store_and_a_source_may_leave_none() {
    let secret = [("S", "a secret of the test, long enough")];
    let config = read(SOURCE, &secret).unwrap();
    assert_eq!(config.traces, None);
    assert!(config.sources[0].traces);
    let text = format!("traces = \"s3://bucket/traces\"\n{SOURCE}traces = false\n");
    let config = read(&text, &secret).unwrap();
    assert_eq!(config.traces.as_deref(), Some("s3://bucket/traces"));
    assert!(!config.sources[0].traces);
    let variables = [secret[0], ("LABELRELAY_TRACES", "gs://bucket/traces")];
    let config = read(&text, &variables).unwrap();
    assert_eq!(config.traces.as_deref(), Some("gs://bucket/traces"));
    for wrong in [
        "traces = \"\"",
        "traces = \"file:x\"\nfallback = \"file:x\"",
    ] {
        let error = read(&format!("{wrong}\n{SOURCE}"), &secret).unwrap_err();
        assert_eq!(error.key, "traces", "{wrong}");
    }
}

#[test]
fn an_archive_has_a_place_and_its_times_have_defaults() {
    assert_eq!(read(SOURCE, &[]).unwrap().archive, None);
    let archive = |lines: &str| read(&format!("[archive]\n{lines}\n{SOURCE}"), &[]);
    let second = std::time::Duration::from_secs(1);
    let plain = archive("url = \"s3://bucket/archive\"").unwrap().archive;
    let plain = plain.unwrap();
    assert_eq!(plain.url, "s3://bucket/archive");
    assert_eq!(
        (plain.every, plain.hold),
        (60 * second, 7 * 86_400 * second)
    );
    let set = archive("url = \"file:x\"\nevery = \"5s\"\nhold = \"2d\"").unwrap();
    let set = set.archive.unwrap();
    assert_eq!((set.every, set.hold), (5 * second, 2 * 86_400 * second));
    for (wrong, key) in [
        ("every = \"5s\"", "url"),
        ("url = \"\"", "archive.url"),
        ("url = \"file:x\"\nevery = \"soon\"", "archive.every"),
        ("url = \"file:x\"\nhold = \"0s\"", "archive.hold"),
        ("url = \"file:x\"\nkeep = \"1d\"", "keep"),
    ] {
        let error = archive(wrong).unwrap_err();
        assert_eq!(error.key, key, "{error}");
    }
}
