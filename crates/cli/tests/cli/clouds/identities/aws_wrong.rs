//! AWS: identities that are wrong.

use super::Wrong;
use super::aws::{ROLE, SECRET, TOKEN, place, refuses};
use super::stand_in::{Answer, StandIn};
use labelrelay_tests::servers::{Behaviour, Misbehaving};

/// Red if a wrong identity is not told, or another one is asked in its place: an EC2 role is at hand in each.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn ten_wrong_identities_are_told_and_no_other_is_asked() {
    let queue = Misbehaving::start(Behaviour::Well);
    let other = StandIn::trap();
    let denies = refuses(
        403,
        "AccessDenied",
        &format!("Not authorized to perform sts:AssumeRoleWithWebIdentity with {TOKEN}"),
    );
    let expired = refuses(400, "ExpiredTokenException", "Token expired: current date");
    let no_role = refuses(
        403,
        "AccessDenied",
        "User is not authorized to perform: sts:AssumeRole",
    );
    let forbids = StandIn::start(|_| Answer::of(403, "no association"));
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let token = file("token", TOKEN);
    let missing = files.path().join("missing").display().to_string();
    let credentials = file(
        "credentials",
        &format!("[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = {SECRET}\n"),
    );
    let config = file(
        "config",
        &format!(
            "[profile relay]\nrole_arn = {ROLE}\nsource_profile = base\n[profile lost]\nrole_arn = {ROLE}\nsource_profile = nobody\n"
        ),
    );
    let web = |file: &String, sts: &StandIn| {
        vec![
            ("AWS_WEB_IDENTITY_TOKEN_FILE", file.clone()),
            ("AWS_ROLE_ARN", ROLE.to_owned()),
            ("AWS_ENDPOINT_URL_STS", sts.url()),
        ]
    };
    let profile = |name: &str, sts: &StandIn| {
        vec![
            ("AWS_PROFILE", name.to_owned()),
            ("AWS_CONFIG_FILE", config.clone()),
            ("AWS_SHARED_CREDENTIALS_FILE", credentials.clone()),
            ("AWS_ENDPOINT_URL_STS", sts.url()),
        ]
    };
    let pod = |file: &String| {
        vec![
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", forbids.url() + "/v1"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.clone()),
        ]
    };
    let wrong = [
        Wrong {
            name: "a token's file is missing",
            variables: web(&missing, &denies),
            words: &[ROLE, "No such file", "sts:AssumeRoleWithWebIdentity"],
        },
        Wrong {
            name: "STS refuses the token",
            variables: web(&token, &denies),
            words: &[ROLE, "AccessDenied", "trust policy"],
        },
        Wrong {
            name: "the token has ended",
            variables: web(&token, &expired),
            words: &[ROLE, "ExpiredTokenException", "has not ended"],
        },
        Wrong {
            name: "a token without a role",
            variables: vec![("AWS_WEB_IDENTITY_TOKEN_FILE", token.clone())],
            words: &["AWS_ROLE_ARN", "is not set", "eks.amazonaws.com/role-arn"],
        },
        Wrong {
            name: "a role without a token",
            variables: vec![("AWS_ROLE_ARN", ROLE.to_owned())],
            words: &[
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                "is not set",
                "unset AWS_ROLE_ARN",
            ],
        },
        Wrong {
            name: "no such profile",
            variables: profile("other", &no_role),
            words: &["AWS_PROFILE", "`other`", "aws configure list-profiles"],
        },
        Wrong {
            name: "a profile without its source",
            variables: profile("lost", &no_role),
            words: &["profile `lost`", "nobody", "mend that profile"],
        },
        Wrong {
            name: "a role that the profile's user may not assume",
            variables: profile("relay", &no_role),
            words: &["profile `relay`", "AccessDenied", "needs sts:AssumeRole"],
        },
        Wrong {
            name: "a pod without an association",
            variables: pod(&token),
            words: &["this container", "403", "create-pod-identity-association"],
        },
        Wrong {
            name: "a pod without its token",
            variables: pod(&missing),
            words: &[
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                "cannot be read",
                "agent",
            ],
        },
        Wrong {
            name: "half of the keys",
            variables: vec![("AWS_ACCESS_KEY_ID", "AKIAHALF".to_owned())],
            words: &["AWS_ACCESS_KEY_ID", "is set alone", "AWS_SECRET_ACCESS_KEY"],
        },
    ];
    for wrong in wrong {
        let place = || place(&queue).with("AWS_EC2_METADATA_SERVICE_ENDPOINT", &other.url());
        wrong.is_told(place, &[TOKEN, SECRET], &[&other]);
    }
    assert!(queue.seen().is_empty(), "nothing is sent unsigned");
}

#[test]
fn an_instance_without_a_role_is_told_of_it() {
    let queue = Misbehaving::start(Behaviour::Well);
    let metadata = StandIn::start(|asked| match &*asked.line {
        "PUT /latest/api/token" => {
            Answer::good("a-session").with("x-aws-ec2-metadata-token-ttl-seconds: 21600")
        }
        _ => Answer::of(404, ""),
    });
    let wrong = Wrong {
        name: "an instance without a role",
        variables: vec![("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url())],
        words: &["this EC2 instance", "404", "instance profile"],
    };
    wrong.is_told(|| place(&queue), &[], &[]);
    let nobody = place(&queue).with("AWS_EC2_METADATA_DISABLED", "true");
    nobody.run(&["status"]).failed(
        78,
        &["LABELRELAY_QUEUE", "needs credentials", "AWS_PROFILE"],
    );
}
