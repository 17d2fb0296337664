//! AWS: web identities, roles of containers and instances, profiles.

use super::stand_in::{Answer, Asked, StandIn};
use crate::support::{Place, until};
use jiff::{SignedDuration, Timestamp};
use labelrelay_tests::servers::{Behaviour, Misbehaving};

pub(super) const ROLE: &str = "arn:aws:iam::123456789012:role/relay";

/// A token as Kubernetes makes them.
pub(super) const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.e30.c2VjcmV0";

pub(super) const SECRET: &str = "the-secret-access-key";

/// STS gives out keys that do not end soon, whoever asks.
fn sts(_: &Asked) -> Answer {
    granted("2099-01-01T00:00:00Z")
}

fn granted(end: &str) -> Answer {
    // Both actions have the same members.
    let parts = format!(
        "<AssumedRoleUser><AssumedRoleId>AROA:labelrelay</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/relay/labelrelay</Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>session</SessionToken><Expiration>{end}</Expiration></Credentials>"
    );
    xml(200, &parts)
}

fn xml(status: u16, parts: &str) -> Answer {
    Answer::of(status, parts).with("Content-Type: text/xml")
}

/// STS, whose answers name the action that was asked for.
fn sts_that(answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> StandIn {
    StandIn::start(move |asked| {
        let answer = answers(asked);
        if answer.status != 200 {
            return answer;
        }
        let action = if asked.body.contains("Action=AssumeRoleWithWebIdentity&") {
            "AssumeRoleWithWebIdentity"
        } else {
            "AssumeRole"
        };
        let body = format!(
            "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{}</{action}Result></{action}Response>",
            answer.body
        );
        Answer { body, ..answer }
    })
}

pub(super) fn refuses(status: u16, code: &str, message: &str) -> StandIn {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    );
    sts_that(move |_| xml(status, &body))
}

/// A place that sends to `queue`, and has no identity yet.
pub(super) fn place(queue: &Misbehaving) -> Place {
    let place = Place::new();
    let home = place.directory.path().display().to_string();
    place
        .with("HOME", &home)
        .with("AWS_REGION", "eu-central-1")
        .with("LABELBOX_WEBHOOK_SECRET", "a secret that is long enough")
        .with(
            "LABELRELAY_QUEUE",
            &format!("{}/123456789012/events", queue.endpoint()),
        )
}

/// Asserts that `status` says whose identity it used, and that the queue was asked with the key of that one.
#[track_caller]
fn asks_as(place: &Place, queue: &Misbehaving, identity: &str, key: &str) {
    let ran = place.run(&["status"]);
    let said = ran.good();
    let line = said.lines().find(|line| line.starts_with("  identity "));
    let line = line.unwrap_or_else(|| panic!("no identity in {ran:?}"));
    assert!(line.contains(identity), "{line}");
    let seen = queue.seen();
    assert!(!seen.is_empty());
    for seen in seen {
        let of = &seen.authorization;
        assert!(of.contains(&format!("Credential={key}/")), "{of}");
    }
}

#[test]
fn a_web_identity_gets_the_keys_of_its_role() {
    let queue = Misbehaving::start(Behaviour::Well);
    let sts = sts_that(sts);
    let place = place(&queue);
    let file = place.write("token", TOKEN);
    let file = file.to_str().unwrap();
    let place = place
        .with("AWS_WEB_IDENTITY_TOKEN_FILE", file)
        .with("AWS_ROLE_ARN", ROLE)
        .with("AWS_ENDPOINT_URL_STS", &sts.url());
    asks_as(&place, &queue, ROLE, "ASIAROLE");
    let asked = sts.asked();
    for word in [
        "AssumeRoleWithWebIdentity",
        "RoleSessionName=labelrelay",
        TOKEN,
    ] {
        assert!(asked[0].body.contains(word), "{asked:?}");
    }
    assert!(!asked[0].head.contains("authorization"), "{asked:?}");
}

/// Red if the token is read once, or if keys are asked for only when the old ones have ended.
#[test]
fn a_token_is_read_again_when_it_was_renewed() {
    let queue = Misbehaving::start(Behaviour::Well);
    let sts = sts_that(|_| {
        let soon = Timestamp::now() + SignedDuration::from_secs(200);
        granted(&soon.to_string())
    });
    let place = place(&queue);
    let file = place.write("token", "first-token");
    let place = place
        .with("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap())
        .with("AWS_ROLE_ARN", ROLE)
        .with("AWS_ENDPOINT_URL_STS", &sts.url())
        .with("LABELRELAY_DEADLINE_MS", "30000");
    let serving = place.serve(&[]);
    place.logged(&["the identity that is used", ROLE]);
    let has = |token: &str| {
        let word = format!("WebIdentityToken={token}");
        sts.asked().iter().any(|asked| asked.body.contains(&word))
    };
    assert!(has("first-token"));
    place.write("token", "second-token");
    place.write("body", r#"{"id":"x"}"#);
    let url = serving.url("labelbox");
    until("the new token is used", || {
        let sent = ["send", "--file", "body", "--to", &url];
        place.run(&sent).good();
        has("second-token")
    });
    assert_eq!(serving.stop(), 0);
}

#[test]
fn a_container_and_an_instance_get_the_keys_of_their_roles() {
    let keys = format!(
        r#"{{"Code":"Success","Type":"AWS-HMAC","LastUpdated":"2026-01-01T00:00:00Z","AccessKeyId":"ASIAHERE","SecretAccessKey":"{SECRET}","Token":"session","Expiration":"2099-01-01T00:00:00Z"}}"#
    );
    let of_pod = keys.clone();
    let agent = StandIn::start(move |_| Answer::good(of_pod.clone()));
    let queue = Misbehaving::start(Behaviour::Well);
    let pod = place(&queue);
    let file = pod.write("token", TOKEN);
    let pod = pod
        .with(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            &format!("{}/v1/credentials", agent.url()),
        )
        .with(
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            file.to_str().unwrap(),
        );
    asks_as(&pod, &queue, "the role of this container", "ASIAHERE");
    let asked = agent.asked();
    let sent = format!("authorization: {}", TOKEN.to_lowercase());
    assert!(asked[0].head.contains(&sent), "{asked:?}");

    let metadata = StandIn::start(move |asked| match &*asked.line {
        "PUT /latest/api/token" => {
            Answer::good("a-session").with("x-aws-ec2-metadata-token-ttl-seconds: 21600")
        }
        _ if !asked.head.contains("x-aws-ec2-metadata-token: a-session") => Answer::of(401, ""),
        "GET /latest/meta-data/iam/security-credentials/" => Answer::good("relay"),
        "GET /latest/meta-data/iam/security-credentials/relay" => Answer::good(keys.clone()),
        _ => Answer::of(404, ""),
    });
    let queue = Misbehaving::start(Behaviour::Well);
    let instance = place(&queue).with("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata.url());
    asks_as(&instance, &queue, "this EC2 instance", "ASIAHERE");
}

#[cfg(unix)]
#[test]
fn profiles_have_keys_roles_and_programs() {
    let sts = sts_that(sts);
    let config = |place: &Place| {
        let keys = place.write(
            "keys.json",
            format!(r#"{{"Version":1,"AccessKeyId":"AKIAPROGRAM","SecretAccessKey":"{SECRET}"}}"#),
        );
        place.write(
            "config",
            format!(
                "[profile role]\nrole_arn = {ROLE}\nsource_profile = base\n[profile program]\ncredential_process = cat {}\n",
                keys.display()
            ),
        );
        place.write(
            "credentials",
            format!("[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = {SECRET}\n[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = {SECRET}\n"),
        );
    };
    for (profile, key) in [
        (Some("base"), "AKIABASE"),
        (Some("role"), "ASIAROLE"),
        (Some("program"), "AKIAPROGRAM"),
        (None, "AKIADEFAULT"),
    ] {
        let queue = Misbehaving::start(Behaviour::Well);
        let mut place = place(&queue).with("AWS_ENDPOINT_URL_STS", &sts.url());
        config(&place);
        for (variable, file) in [
            ("AWS_CONFIG_FILE", "config"),
            ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        ] {
            let path = place.path(file).display().to_string();
            place = place.with(variable, &path);
        }
        if let Some(profile) = profile {
            place = place.with("AWS_PROFILE", profile);
        }
        let words = format!("profile `{}`", profile.unwrap_or("default"));
        asks_as(&place, &queue, &words, key);
    }
    let asked = sts.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].head.contains("credential=akiabase/"), "{asked:?}");
}
