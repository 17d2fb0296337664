use super::*;
use crate::http::trust;
use labelrelay_core::config::Environment;

fn found(variables: &[(&str, &str)]) -> Result<Option<String>, BackEndError> {
    found_in(Some("eu-west-1"), variables)
}

fn found_in(
    region: Option<&str>,
    variables: &[(&str, &str)],
) -> Result<Option<String>, BackEndError> {
    let environment: Environment = variables.iter().copied().collect();
    let http = Http::new(trust(&environment)?);
    let found = CredentialsSource::find_any(&environment, region, &http)?;
    Ok(found.map(|found| found.identity().to_owned()))
}

/// Red if what is set does not say, by itself and in this order, whose credentials are used.
#[test]
fn one_source_is_chosen_in_the_documented_order() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    let config =
        "[default]\ncredential_process = none\n[profile relay]\ncredential_process = none\n";
    std::fs::write(&file, config).unwrap();
    let config = file.to_str().unwrap();
    let sources: [(&[(&str, &str)], &str); 6] = [
        (
            &[
                ("AWS_ACCESS_KEY_ID", "key"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
            ],
            "the keys in AWS_ACCESS_KEY_ID",
        ),
        (&[("AWS_PROFILE", "relay")], "profile `relay`"),
        (
            &[
                ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"),
                ("AWS_ROLE_ARN", "arn:aws:iam::1:role/relay"),
            ],
            "the role arn:aws:iam::1:role/relay",
        ),
        (
            &[(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                "http://169.254.170.23/v1/credentials",
            )],
            "the role of this container",
        ),
        (&[("AWS_CONFIG_FILE", config)], "profile `default`"),
        (
            &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")],
            "the role of this EC2 instance",
        ),
    ];
    for (first, (_, expected)) in sources.iter().enumerate() {
        let later = sources.iter().skip(first);
        let mut variables: Vec<_> = later.flat_map(|(set, _)| set.iter().copied()).collect();
        // The file is what it is, also where a profile of it is named.
        if first < 5 {
            variables.push(("AWS_CONFIG_FILE", config));
        }
        let identity = found(&variables).unwrap().unwrap();
        assert!(
            identity.starts_with(expected),
            "{identity} is not {expected}"
        );
    }
    let off = [("AWS_EC2_METADATA_DISABLED", "true")];
    assert_eq!(found(&off).unwrap(), None);
}

/// Red if the role of a profile is waited for although STS cannot be asked.
#[test]
fn a_role_of_a_profile_needs_a_region() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    let role = "role_arn = arn:aws:iam::1:role/relay\ncredential_source = Environment\n";
    std::fs::write(&file, format!("[default]\n{role}[profile relay]\n{role}")).unwrap();
    let config = ("AWS_CONFIG_FILE", file.to_str().unwrap());
    for variables in [&[config][..], &[config, ("AWS_PROFILE", "relay")]] {
        let error = found_in(None, variables).unwrap_err();
        assert_eq!(error.resource, "AWS_REGION");
        assert!(found(variables).unwrap().is_some());
    }
}
