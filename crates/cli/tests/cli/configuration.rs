//! Bad configuration: 78 before any port is bound, with file, key and cure.

use crate::support::{CONFIG, Place, configured};

/// The mistake, the file, and the words that the message has to hold.
const WRONG: &[(&str, &str, &[&str])] = &[
    (
        "an unknown key",
        "quue = 'sqlite:q.db'\n",
        &["labelrelay.toml, line 1", "quue", "correct the spelling"],
    ),
    ("no TOML", "queue = \n", &["labelrelay.toml, line 1"]),
    (
        "an unset variable",
        "[[source]]\nname='a'\nprovider='labelbox'\nsecret='env:NOT_SET'\n",
        &["labelrelay.toml", "NOT_SET", "not set", "set NOT_SET to"],
    ),
    (
        "an empty secret in the environment",
        "[[source]]\nname='a'\nprovider='labelbox'\nsecret='env:EMPTY'\n",
        &["labelrelay.toml", "EMPTY", "is empty", "set EMPTY to"],
    ),
    (
        "an empty secret in a file",
        "[[source]]\nname='a'\nprovider='labelbox'\nsecret='file:empty'\n",
        &["source `a`", "is empty", "correct the reference"],
    ),
    (
        "a secret file that is not there",
        "[[source]]\nname='a'\nprovider='labelbox'\nsecret='file:gone'\n",
        &["source `a`", "gone", "correct the reference"],
    ),
    (
        "two sources with one name",
        "[[source]]\nname='a'\nprovider='labelbox'\nsecret='env:FULL'\n[[source]]\nname='a'\nprovider='label-studio'\nsecret='env:FULL'\n",
        &[
            "labelrelay.toml",
            "source.name",
            "two sources are called `a`",
            "name of its own",
        ],
    ),
    (
        "no source",
        "queue='sqlite:q.db'\n",
        &["labelrelay.toml", "no source", "[[source]]"],
    ),
    (
        "a queue of a cloud",
        "queue='sqs://x'\n[[source]]\nname='a'\nprovider='labelbox'\nsecret='env:FULL'\n",
        &["labelrelay.toml", "`queue`"],
    ),
    (
        "a fallback of a cloud",
        "fallback='s3://x'\n[[source]]\nname='a'\nprovider='labelbox'\nsecret='env:FULL'\n",
        &["labelrelay.toml", "`fallback`"],
    ),
    (
        "an address without a port",
        "[serve]\nlisten='127.0.0.1'\n[[source]]\nname='a'\nprovider='labelbox'\nsecret='env:FULL'\n",
        &[
            "labelrelay.toml: `serve.listen`",
            "127.0.0.1",
            "write ADDRESS:PORT",
        ],
    ),
    (
        "an address for reasons that others reach",
        "[serve]\nadmin_listen='0.0.0.0:9000'\n[[source]]\nname='a'\nprovider='labelbox'\nsecret='env:FULL'\n",
        &[
            "labelrelay.toml: `serve.admin_listen`",
            "not a loopback address",
            "write 127.0.0.1:PORT",
        ],
    ),
    (
        "no URL",
        "[serve]\npublic_url='relay.example'\n[[source]]\nname='a'\nprovider='labelbox'\nsecret='env:FULL'\n",
        &[
            "labelrelay.toml: `serve.public_url`",
            "relay.example",
            "write https://HOST",
        ],
    ),
    (
        "a secret store of a cloud",
        "[[source]]\nname='a'\nprovider='labelbox'\nsecret='aws-ssm:/x'\n",
        &["labelrelay.toml", "aws-ssm:/x"],
    ),
    (
        "an unknown form of claim checks",
        "claim_check='s3'\n[[source]]\nname='a'\nprovider='labelbox'\nsecret='env:FULL'\n",
        &[
            "labelrelay.toml: `claim_check`",
            "`s3` is no form",
            "write sqs-extended-client",
        ],
    ),
    (
        "claim checks of SQS without a blob store",
        "claim_check='sqs-extended-client'\n[[source]]\nname='a'\nprovider='labelbox'\nsecret='env:FULL'\n",
        &[
            "labelrelay.toml: `claim_check`",
            "there is no blob store",
            "set blob_store to s3://BUCKET/PREFIX",
        ],
    ),
    (
        "claim checks of SQS for a queue of this machine",
        "queue='sqlite:q.db'\nblob_store='file:claims'\nclaim_check='sqs-extended-client'\n[[source]]\nname='a'\nprovider='labelbox'\nsecret='env:FULL'\n",
        &[
            "labelrelay.toml: `queue`",
            "`sqlite:q.db` is no queue of SQS",
            "remove claim_check",
        ],
    ),
];

/// Message of a build without a cloud's back end about a resource of that cloud.
#[cfg(not(feature = "aws"))]
#[test]
fn a_cloud_that_was_not_built_in_is_named_with_its_feature() {
    let source = "[[source]]\nname='a'\nprovider='labelbox'\nsecret='env:FULL'\n";
    for (text, key) in [
        (format!("queue='sqs://x'\n{source}"), "queue"),
        (format!("blob_store='s3://x'\n{source}"), "blob_store"),
        (format!("fallback='s3://x'\n{source}"), "fallback"),
        (source.replace("env:FULL", "aws-ssm:/x"), "source.a.secret"),
    ] {
        let ran = place(&text).run(&["status"]);
        let key = format!("labelrelay.toml: `{key}`");
        ran.failed(
            78,
            &[
                &key,
                "is of AWS",
                "without the feature `aws`",
                "--features aws",
            ],
        );
    }
}

fn place(text: &str) -> Place {
    let place = Place::new()
        .with("EMPTY", "")
        .with("FULL", "a secret that is long enough");
    place.write("empty", "");
    place.write("labelrelay.toml", text);
    place
}

#[test]
fn serve_and_check_say_what_is_wrong_where_and_what_to_do() {
    for (what, text, words) in WRONG {
        let place = place(text);
        for verb in ["serve", "status"] {
            let ran = place.run(&[verb]);
            assert_eq!(ran.code, 78, "{what}: {ran:?}");
            ran.failed(78, words);
            assert!(
                !ran.stderr.contains("a secret that is long enough"),
                "{what}: {ran:?}"
            );
        }
        let ran = place.run(&["status", "--json"]);
        assert_eq!(ran.code, 78);
        let verdict = &ran.json()[0];
        assert_eq!(verdict["ok"], false);
        assert!(
            verdict["error"]
                .as_str()
                .unwrap()
                .contains(words[words.len() - 1]),
            "{what}: {verdict}"
        );
    }
}

#[test]
fn wrong_addresses_are_refused_before_anything_is_made() {
    for (words, says) in [
        (["--listen", "nonsense"], "is not an address"),
        (["--admin-listen", "0.0.0.0:0"], "is not a loopback address"),
        (["--public-url", "relay.example"], "is not a URL"),
    ] {
        let place = configured();
        place
            .run(&["serve", words[0], words[1]])
            .failed(78, &[&format!("`{}`: ", words[0]), says]);
        assert!(!place.path("queue.db").exists());
    }
}

/// Taken for absent, it would be replaced by another configuration, with fresh secrets and without a fallback.
#[cfg(unix)]
#[test]
fn one_that_is_there_and_cannot_be_read_is_never_absent() {
    let place = Place::new();
    let file = place.path("labelrelay.toml");
    std::os::unix::fs::symlink("gone.toml", &file).unwrap();
    refused(&place, &[], "labelrelay.toml");

    // Opening a pipe waits for whoever writes into it.
    std::fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status();
    assert!(made.unwrap().success());
    refused(&place, &[], "no regular file");

    std::fs::remove_file(&file).unwrap();
    refused(&place, &["--config", "."], "is a directory");
    refused(
        &place,
        &["--config", "/dev/zero"],
        "more than 1048576 bytes",
    );
}

#[cfg(unix)]
fn refused(place: &Place, more: &[&str], named: &str) {
    for verb in ["status", "serve"] {
        let ran = place.run(&[&[verb], more].concat());
        assert_eq!(ran.code, 78, "{}", ran.stderr);
        assert!(ran.stderr.contains(named), "{}", ran.stderr);
        assert!(!place.path(".labelrelay").exists());
    }
}

/// A shell gives the output of a command as a pipe.
#[cfg(unix)]
#[test]
fn a_pipe_that_is_named_is_read_once() {
    let place = configured();
    let text = place.read("labelrelay.toml");
    let pipe = place.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let writer = std::thread::spawn(move || std::fs::write(pipe, text));
    let ran = place.run(&["status", "--config", "pipe"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    writer.join().unwrap().unwrap();
}

#[test]
fn the_configuration_that_is_named_first_wins() {
    let place = configured().with("SECRET", "a secret that is long enough");
    let named = CONFIG.replace("\"labelbox\"\nprovider", "\"named\"\nprovider");
    place.write("named.toml", &named);
    let sources = |place: &Place, words: &[&str]| {
        let ran = place.run(&[&["status", "--json"], words].concat());
        ran.json()[0]["sources"][0].as_str().unwrap().to_owned()
    };
    assert_eq!(sources(&place, &[]), "labelbox");
    assert_eq!(sources(&place, &["--config", "named.toml"]), "named");
    let text = "[[source]]\nname='text'\nprovider='labelbox'\nsecret='env:SECRET'\n";
    let place = place.with("LABELRELAY_CONFIG_TOML", text);
    assert_eq!(sources(&place, &[]), "text");
    let place = place.with("LABELRELAY_CONFIG", "named.toml");
    assert_eq!(sources(&place, &[]), "named");
    place
        .run(&["status"])
        .failed(0, &["both LABELRELAY_CONFIG and LABELRELAY_CONFIG_TOML"]);
    place
        .run(&["status", "--config", "not-there.toml"])
        .failed(78, &["not-there.toml", "correct the path"]);
}

#[test]
fn a_queue_in_the_environment_is_relative_to_where_the_process_starts() {
    let place = configured();
    std::fs::create_dir(place.path("etc")).unwrap();
    for file in ["labelrelay.toml", "labelbox.secret", "label-studio.secret"] {
        std::fs::rename(place.path(file), place.path(&format!("etc/{file}"))).unwrap();
    }
    let queue = |place: &Place| {
        let ran = place.run(&["status", "--json", "--config", "etc/labelrelay.toml"]);
        ran.json()[0]["queue"].as_str().unwrap().to_owned()
    };
    assert!(queue(&place).ends_with("/etc/queue.db"));
    let place = place.with("LABELRELAY_QUEUE", "sqlite:here.db");
    assert_eq!(
        queue(&place),
        format!("sqlite:{}", place.path("here.db").display())
    );
}
