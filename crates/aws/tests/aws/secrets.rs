//! Secrets Manager and Parameter Store: rotation, permissions, and stores that fail.

use crate::setup::{aws, aws_with};
use labelrelay_aws::Aws;
use labelrelay_core::config::SecretRef;
use labelrelay_core::secret::SecretRing;
use labelrelay_core::{Secret, SecretError, SecretSource, SecretStore};
use labelrelay_testkit::clock::FakeClock;
use labelrelay_tests::servers::{Behaviour, Ministack, Misbehaving};
use std::sync::Arc;
use std::time::Duration;

const SCHEMES: [&str; 2] = ["aws-secretsmanager", "aws-ssm"];

fn source(aws: &Aws, scheme: &'static str, name: &str) -> Box<dyn SecretSource> {
    let name = name.to_owned();
    let reference = SecretRef::Store { scheme, name };
    let source = aws.secret(&reference, None).expect("settings");
    source.expect("a store of AWS")
}

fn store(aws: &Aws, scheme: &'static str, name: &str) -> Box<dyn SecretStore> {
    let name = name.to_owned();
    let reference = SecretRef::Store { scheme, name };
    let store = aws.secret_store(&reference).expect("settings");
    store.expect("a store of AWS")
}

fn values(secrets: &[Secret]) -> Vec<&str> {
    let text = |secret: &Secret| {
        std::str::from_utf8(secret.expose())
            .expect("text")
            .to_owned()
            .leak() as &str
    };
    secrets.iter().map(text).collect()
}

/// Puts a value into a store, as its owner does.
fn write(server: &Ministack, scheme: &str, name: &str, value: &str) {
    let script = "
scheme, name, value = args
if scheme == 'aws-ssm':
    client('ssm').put_parameter(Name=name, Value=value, Type='SecureString', Overwrite=True)
else:
    store = client('secretsmanager')
    try: store.create_secret(Name=name, SecretString=value)
    except store.exceptions.ResourceExistsException: store.put_secret_value(SecretId=name, SecretString=value)";
    server.boto3(script, &[scheme, name, value]);
}

#[tokio::test]
#[ignore = "needs MiniStack: cargo xtask test"]
async fn ministack() {
    let server = Ministack::start();
    let aws = aws(&server.endpoint());
    for scheme in SCHEMES {
        let name = "/label/relay";
        let absent = source(&aws, scheme, name)
            .fetch()
            .await
            .expect_err("absent");
        assert!(
            !absent.retryable && absent.message.contains(name),
            "{absent}"
        );
        assert!(absent.message.contains("eu-central-1"), "{absent}");
        let nowhere = source(&aws, scheme, name);
        let newest = nowhere.fetch_newest().expect("a question of its own");
        let newest = newest.await.expect_err("absent");
        assert_eq!(newest.message, absent.message);

        let secret = source(&aws, scheme, name);
        write(&server, scheme, name, "first");
        assert_eq!(values(&secret.fetch().await.expect("read")), ["first"]);
        write(&server, scheme, name, "second");
        assert_eq!(
            values(&secret.fetch().await.expect("read")),
            ["second", "first"]
        );
        let newest = secret.fetch_newest().expect("a question of its own");
        assert_eq!(values(&newest.await.expect("read")), ["second"]);
        write(&server, scheme, name, "third\n");
        let live = secret.fetch().await.expect("read");
        assert_eq!(values(&live), ["third", "second"], "and the first is gone");
        let shown = format!("{live:?}");
        assert!(
            shown.contains(scheme) && !shown.contains("third"),
            "{shown}"
        );

        write(
            &server,
            scheme,
            "/object",
            r#"{"webhook": "inner", "port": 1}"#,
        );
        let inner = source(&aws, scheme, "/object#webhook").fetch().await;
        assert_eq!(values(&inner.expect("read")), ["inner"]);
        for member in ["port", "other"] {
            let error = source(&aws, scheme, &format!("/object#{member}"))
                .fetch()
                .await;
            let error = error.expect_err("not a secret");
            assert!(
                !error.retryable && error.message.contains(member),
                "{error}"
            );
            assert!(!error.message.contains("inner"), "{error}");
        }
        a_miss_brings_the_new_secret(&server, &aws, scheme).await;
    }
    by_arn_and_as_bytes(&server, &aws).await;
}

/// A relay reads what `connect` puts there, and nothing that is there is replaced.
#[tokio::test]
#[ignore = "needs MiniStack: cargo xtask test"]
async fn a_secret_that_is_put_there_is_read() {
    let server = Ministack::start();
    let aws = aws(&server.endpoint());
    for scheme in SCHEMES {
        let name = "/label/new";
        let store = store(&aws, scheme, name);
        assert!(store.held().await.expect("read").is_empty());
        let nothing = store.add("none").await.expect_err("nothing is there");
        assert!(nothing.message.contains(name), "{nothing}");
        store.create("first").await.expect("made");
        let error = store.create("other").await.expect_err("there already");
        assert!(
            error.message.contains("meanwhile") && !error.message.contains("other"),
            "{error}"
        );
        let reader = source(&aws, scheme, name);
        assert_eq!(values(&reader.fetch().await.expect("read")), ["first"]);
        store.add("second").await.expect("added");
        let both = reader.fetch().await.expect("read");
        assert_eq!(values(&both), ["second", "first"]);
        // The end of a rotation.
        store.add("second").await.expect("added");
        let ended = reader.fetch().await.expect("read");
        assert_eq!(values(&ended), ["second", "second"]);

        let member = self::store(&aws, scheme, "/label/object#webhook");
        member.create("inner").await.expect("made");
        assert_eq!(values(&member.held().await.expect("read")), ["inner"]);
        let error = member
            .add("more")
            .await
            .expect_err("other things may be there");
        assert!(
            error.message.contains("by hand") && error.message.contains("webhook"),
            "{error}"
        );
    }
    // The type of a parameter stays.
    let script = "client('ssm').put_parameter(Name='/plain', Value='old', Type='String')";
    server.boto3(script, &[]);
    store(&aws, SCHEMES[1], "/plain")
        .add("new")
        .await
        .expect("added");
    let script = "print(client('ssm').get_parameter(Name='/plain')['Parameter']['Type'])";
    assert_eq!(server.boto3(script, &[]), "String");
}

/// Templates make a secret without a value.
#[tokio::test]
async fn one_without_a_value_gets_one() {
    let is_there = Behaviour::error(400, "ResourceExistsException", "x");
    let create = ("secretsmanager.CreateSecret", is_there);
    let server = Misbehaving::start(Behaviour::ByAction(vec![create.clone()]));
    let hooks = store(&aws(&server.endpoint()), SCHEMES[0], "hooks");
    hooks.create("value").await.expect("its first value");
    let last = server.seen().pop().expect("asked");
    assert_eq!(last.action, "secretsmanager.PutSecretValue");
    assert!(String::from_utf8_lossy(&last.body).contains(r#""SecretString":"value""#));
    // Without the permission to look, nobody knows that it has none.
    let denied = Behaviour::error(400, "AccessDeniedException", "x");
    let describe = ("secretsmanager.DescribeSecret", denied);
    server.behave(Behaviour::ByAction(vec![create, describe]));
    let error = hooks.create("value").await.expect_err("nobody knows");
    let cure = "allow secretsmanager:DescribeSecret and secretsmanager:PutSecretValue";
    assert!(error.message.contains(cure), "{error}");
}

/// A store that repeats what it was sent.
#[tokio::test]
async fn a_refusal_never_tells_the_value() {
    const VALUE: &str = "0123456789abcdef0123456789abcdef01234567";
    let server = Misbehaving::start(Behaviour::Well);
    for code in [
        "ValidationException",
        "AccessDeniedException",
        "InvalidRequestException",
        "Odd",
    ] {
        let said = format!("kms: not {VALUE}");
        let error = Behaviour::error(400, code, &said);
        server.behave(Behaviour::ByAction(vec![
            ("secretsmanager.PutSecretValue", error.clone()),
            ("secretsmanager.CreateSecret", error.clone()),
            ("secretsmanager.DescribeSecret", error.clone()),
            ("AmazonSSM.PutParameter", error),
        ]));
        for scheme in SCHEMES {
            let store = store(&aws(&server.endpoint()), scheme, "hooks");
            let error = store.create(VALUE).await.expect_err("refused");
            assert!(!error.message.contains("01234567"), "{error}");
            assert!(error.message.contains("left out"), "{error}");
        }
    }
}

#[tokio::test]
async fn one_that_cannot_be_made_says_why() {
    let server = Misbehaving::start(Behaviour::error(400, "ResourceExistsException", "x"));
    let store = store(&aws(&server.endpoint()), SCHEMES[0], "hooks");
    let error = store
        .create("value")
        .await
        .expect_err("one is there, for all that shows");
    assert!(error.message.contains("meanwhile"), "{error}");
    for (scheme, permission) in [
        (SCHEMES[0], "secretsmanager:CreateSecret"),
        (SCHEMES[1], "ssm:PutParameter"),
    ] {
        server.behave(Behaviour::error(400, "AccessDeniedException", "x"));
        let store = self::store(&aws(&server.endpoint()), scheme, "hooks");
        let error = store.create("hidden").await.expect_err("not allowed");
        assert!(
            !error.retryable && error.message.contains(permission),
            "{error}"
        );
        assert!(!error.message.contains("hidden"), "{error}");
    }
}

/// The rules of the ring, over a real store: a delivery that no known secret made asks once a minute.
async fn a_miss_brings_the_new_secret(server: &Ministack, aws: &Aws, scheme: &'static str) {
    write(server, scheme, "/rotated", "old");
    let clock = Arc::new(FakeClock::at("2026-11-24T03:14:15Z"));
    let ring = SecretRing::new(vec![source(aws, scheme, "/rotated")], clock.clone());
    let live = ring.live().await.expect("read");
    assert_eq!(values(&live), ["old"]);
    write(server, scheme, "/rotated", "new");
    assert_eq!(
        values(&ring.live().await.expect("known")),
        ["old"],
        "no look-up without need"
    );
    let fresh = ring
        .after_miss(&live)
        .await
        .expect("read")
        .expect("something new");
    assert_eq!(values(&fresh), ["new", "old"], "both are live");
    write(server, scheme, "/rotated", "newer");
    assert!(
        ring.after_miss(&fresh).await.expect("not asked").is_none(),
        "once a minute"
    );
    clock.advance(Duration::from_mins(1));
    let fresh = ring
        .after_miss(&fresh)
        .await
        .expect("read")
        .expect("something new");
    assert_eq!(values(&fresh), ["newer", "new"]);
}

async fn by_arn_and_as_bytes(server: &Ministack, aws: &Aws) {
    let script = "print(client('secretsmanager').create_secret(Name='bytes', SecretBinary=bytes([0xff, 0, 1]))['ARN'])";
    let arn = server.boto3(script, &[]);
    let secrets = source(aws, "aws-secretsmanager", &arn)
        .fetch()
        .await
        .expect("read");
    assert_eq!(secrets[0].expose(), [0xff, 0, 1]);
    // The region of the ARN is the one that is asked, whatever the process is told.
    let elsewhere = aws_with(
        &server.endpoint(),
        &[("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "")],
    );
    let secrets = source(&elsewhere, "aws-secretsmanager", &arn)
        .fetch()
        .await
        .expect("read");
    assert_eq!(secrets.len(), 1);
}

async fn failure(server: &Misbehaving, scheme: &'static str, behaviour: Behaviour) -> SecretError {
    server.behave(behaviour);
    let source = source(&aws(&server.endpoint()), scheme, "hooks/labelbox");
    source.fetch().await.expect_err("no secret")
}

#[tokio::test]
async fn a_store_s_errors_are_reported_with_the_cure() {
    let server = Misbehaving::start(Behaviour::Well);
    for (scheme, permission) in [
        (SCHEMES[0], "secretsmanager:GetSecretValue"),
        (SCHEMES[1], "ssm:GetParameter"),
    ] {
        let cases: &[(u16, &str, &str, bool, &str)] = &[
            (400, "AccessDeniedException", "x", false, permission),
            (
                400,
                "AccessDeniedException",
                "kms:Decrypt is not allowed",
                false,
                "kms:Decrypt",
            ),
            (400, "DecryptionFailure", "x", false, "kms:Decrypt"),
            (
                400,
                "InvalidRequestException",
                "marked for deletion",
                false,
                "restore-secret",
            ),
            (
                400,
                "UnrecognizedClientException",
                "x",
                false,
                "credentials",
            ),
            (400, "ExpiredTokenException", "x", false, "expired"),
            (
                400,
                "com.amazonaws.ssm#ParameterNotFound",
                "x",
                false,
                "eu-central-1",
            ),
            (400, "ResourceNotFoundException", "x", false, "eu-central-1"),
            (400, "ThrottlingException", "x", true, "Throttling"),
            (500, "InternalServiceError", "x", true, "500"),
        ];
        for (status, code, said, retryable, word) in cases {
            let error = failure(&server, scheme, Behaviour::error(*status, code, said)).await;
            assert_eq!(error.retryable, *retryable, "{code}: {error}");
            assert!(
                error.message.contains(word),
                "{code}: {word} is missing in: {error}"
            );
            assert!(error.message.contains("hooks/labelbox"), "{error}");
        }
        for behaviour in [
            Behaviour::html(200),
            Behaviour::html(502),
            Behaviour::HangUp,
            Behaviour::Cut,
            Behaviour::Reset,
            // An object, and not of a secret.
            Behaviour::Well,
        ] {
            let error = failure(&server, scheme, behaviour.clone()).await;
            assert!(error.retryable, "{behaviour:?}: {error}");
        }
        let empty = r#"{"SecretString": "", "Parameter": {"Value": "", "Version": 1}}"#;
        let empty = Behaviour::Answer {
            status: 200,
            headers: Vec::new(),
            body: empty.to_owned(),
        };
        let error = failure(&server, scheme, empty).await;
        assert!(
            !error.retryable && error.message.contains("empty"),
            "{error}"
        );
    }
}

/// Asked every few minutes at most: no connection is kept that would be dead by then.
#[tokio::test]
async fn each_lookup_opens_a_new_connection() {
    let body = r#"{"SecretString": "hush"}"#;
    let server = Misbehaving::start(Behaviour::Answer {
        status: 200,
        headers: Vec::new(),
        body: body.to_owned(),
    });
    let source = source(&aws(&server.endpoint()), SCHEMES[0], "hooks");
    for _ in 0..2 {
        assert_eq!(source.fetch().await.expect("read").len(), 2);
    }
    let connections: Vec<_> = server.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 0, 1, 1], "one connection for both stages");
}
