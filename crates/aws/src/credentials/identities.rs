//! Identities that take more than a request: profiles, web identities and EC2's roles, by AWS's own SDK. Which of them it
//! is, is decided here: the SDK's own chain would go on to the next one after a failure.

use super::failure::{NoCredentials, causes, without_tokens};
use super::kept::Kept;
use super::profile_files::{ProfileFiles, has_credentials, has_role};
use crate::http::Http;
use crate::quoted_text::chain;
use aws_config::imds;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::{StaticConfiguration, WebIdentityTokenCredentialsProvider};
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::retry::RetryConfig;
use labelrelay_core::BackEndError;
use labelrelay_core::config::Lookup;
use std::error::Error as StdError;
use std::fs;
use std::io;
use std::time::Duration;

const PROFILE: &str = "AWS_PROFILE";
const TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
const ROLE_ARN: &str = "AWS_ROLE_ARN";
const METADATA_ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";

/// Keys in files have no end that these tell; other programs write new ones there all the time.
const FILES_AGAIN: Duration = Duration::from_mins(5);

/// The metadata service is in the same machine: it answers at once, or a container is too far away for it. Two attempts
/// end within the ten seconds that a start has for each of its questions, so that it is told which of the two.
const METADATA_PATIENCE: Duration = Duration::from_secs(4);

/// Codes of STS that may pass, although their status says that we are wrong.
const PASSING: [&str; 4] = [
    "IDPCommunicationError",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
];

/// The identity that a variable names: a profile, or a web identity.
pub(super) fn named(
    lookup: Lookup<'_>,
    region: Option<&str>,
    http: &Http,
) -> Result<Option<Kept>, BackEndError> {
    if let Some(name) = lookup.text(PROFILE)? {
        let files = ProfileFiles::of(lookup)?;
        let Some(settings) = files.settings(&name)? else {
            let problem = format!("names `{name}`, which is in neither of {}", files.shown());
            let cure = "correct the name, or add the profile; `aws configure list-profiles` shows those that are there";
            return Err(BackEndError::of_variable(PROFILE, problem, cure));
        };
        if has_role(&settings) {
            in_a_region(region, "the role of a profile")?;
        }
        return Ok(Some(profile(name, &files, config(region, http))));
    }
    web_identity(lookup, region, http)
}

/// The identity that is found where no variable names one: the profile `default`, or the role of the instance.
pub(super) fn of_this_machine(
    lookup: Lookup<'_>,
    region: Option<&str>,
    http: &Http,
) -> Result<Option<Kept>, BackEndError> {
    let files = ProfileFiles::of(lookup)?;
    let default = files.settings("default")?.unwrap_or_default();
    if has_credentials(&default) {
        if has_role(&default) {
            in_a_region(region, "the role of a profile")?;
        }
        let config = config(region, http);
        return Ok(Some(profile("default".to_owned(), &files, config)));
    }
    let is_off = lookup.text("AWS_EC2_METADATA_DISABLED")?;
    if is_off.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    if lookup.text(METADATA_ENDPOINT)?.is_none() && !is_ec2() {
        return Ok(None);
    }
    Ok(Some(instance(&config(region, http))))
}

/// What all of them need: our connections, and no retries but core's.
fn config(region: Option<&str>, http: &Http) -> ProviderConfig {
    ProviderConfig::without_region()
        .with_region(region.map(|region| Region::new(region.to_owned())))
        .with_behavior_version(Some(BehaviorVersion::latest()))
        // Asked every hour: a kept connection is a dead one.
        .with_http_client(http.with_own_connections())
        .with_retry_config(RetryConfig::disabled())
}

fn profile(name: String, files: &ProfileFiles, config: ProviderConfig) -> Kept {
    let whose = Whose {
        identity: format!("profile `{name}` of {}", files.shown()),
        cure: format!(
            "mend that profile, or name another in AWS_PROFILE; its user needs sts:AssumeRole on a role_arn; for IAM Identity Center, `aws sso login`, and a profile with `credential_process = aws configure export-credentials --profile {name}`"
        ),
    };
    let giver = Profile {
        name,
        config,
        whose: whose.clone(),
    };
    kept(giver, whose, Some(FILES_AGAIN))
}

fn web_identity(
    lookup: Lookup<'_>,
    region: Option<&str>,
    http: &Http,
) -> Result<Option<Kept>, BackEndError> {
    let (file, role) = match (lookup.text(TOKEN_FILE)?, lookup.text(ROLE_ARN)?) {
        (Some(file), Some(role)) => (file, role),
        (None, None) => return Ok(None),
        (Some(_), None) => {
            let problem = format!("is not set, and {TOKEN_FILE} is");
            let cure = "set it to the ARN of the role; on EKS, annotate the pod's service account with eks.amazonaws.com/role-arn";
            return Err(BackEndError::of_variable(ROLE_ARN, problem, cure));
        }
        (None, Some(_)) => {
            let problem = format!("is not set, and {ROLE_ARN} is");
            let cure = format!(
                "set it to the file of the token, or unset {ROLE_ARN}; to assume a role with keys, write role_arn and source_profile into a profile"
            );
            return Err(BackEndError::of_variable(TOKEN_FILE, problem, cure));
        }
    };
    in_a_region(region, "a web identity's role")?;
    let session_name = lookup.text("AWS_ROLE_SESSION_NAME")?;
    let whose = Whose {
        identity: format!("the role {role}, by the web identity in {file}"),
        cure: format!(
            "let the role's trust policy allow sts:AssumeRoleWithWebIdentity to this token's issuer, audience and subject, and see that {file} holds a token that has not ended"
        ),
    };
    let provider = WebIdentityTokenCredentialsProvider::builder()
        .configure(&config(region, http))
        // It reads the file each time: Kubernetes renews it.
        .static_configuration(StaticConfiguration {
            web_identity_token_file: file.into(),
            role_arn: role,
            session_name: session_name.unwrap_or_else(|| "labelrelay".to_owned()),
        })
        .build();
    Ok(Some(told(provider, whose)))
}

/// STS gives a role's keys out in a region. A profile's, or a queue's, does not count for it.
fn in_a_region(region: Option<&str>, what: &str) -> Result<(), BackEndError> {
    if region.is_some() {
        return Ok(());
    }
    let problem = format!("is not set, and {what} is asked for in a region");
    Err(BackEndError::of_variable("AWS_REGION", problem, "set it"))
}

fn instance(config: &ProviderConfig) -> Kept {
    let whose = Whose {
        identity: "the role of this EC2 instance".to_owned(),
        cure: "attach an instance profile with a role that ec2.amazonaws.com may assume; in a container on the instance, let its metadata options have a hop limit of 2; or name another identity, such as AWS_PROFILE".to_owned(),
    };
    // It speaks IMDSv2 and nothing else.
    let client = imds::Client::builder()
        .configure(config)
        .max_attempts(2)
        .operation_attempt_timeout(METADATA_PATIENCE)
        .operation_timeout(METADATA_PATIENCE * 2)
        .build();
    let provider = ImdsCredentialsProvider::builder()
        .configure(config)
        .imds_client(client)
        .build();
    told(provider, whose)
}

/// Tells whether this machine is an instance of EC2, without asking anybody: elsewhere, whoever answers at the address of
/// the metadata service is a stranger.
fn is_ec2() -> bool {
    let says = |file: &str, begin: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.trim().to_ascii_lowercase().starts_with(begin)
    };
    says("/sys/devices/virtual/dmi/id/sys_vendor", "amazon ec2")
        || says("/sys/hypervisor/uuid", "ec2")
}

/// An identity, for messages.
#[derive(Debug, Clone)]
struct Whose {
    identity: String,
    cure: String,
}

impl Whose {
    fn error(&self, error: &CredentialsError) -> CredentialsError {
        let (problem, is_permanent) = problem(error);
        CredentialsError::provider_error(NoCredentials {
            identity: self.identity.clone(),
            problem,
            cure: self.cure.clone(),
            is_permanent,
        })
    }
}

/// Whoever gives credentials out, with errors that say whose they are.
#[derive(Debug)]
struct Told<P> {
    provider: P,
    whose: Whose,
}

impl<P: ProvideCredentials> ProvideCredentials for Told<P> {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let provided = self.provider.provide_credentials().await;
            provided.map_err(|error| self.whose.error(&error))
        })
    }
}

/// A profile, read from its files each time: the SDK reads them once, and remembers a mistake for ever.
#[derive(Debug)]
struct Profile {
    name: String,
    config: ProviderConfig,
    whose: Whose,
}

impl ProvideCredentials for Profile {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&self.config)
                .profile_name(self.name.clone())
                .build();
            let answer = provider.provide_credentials().await;
            answer.map_err(|error| self.whose.error(&error))
        })
    }
}

fn told(provider: impl ProvideCredentials + 'static, whose: Whose) -> Kept {
    let giver = Told {
        provider,
        whose: whose.clone(),
    };
    kept(giver, whose, None)
}

fn kept(giver: impl ProvideCredentials + 'static, whose: Whose, undated: Option<Duration>) -> Kept {
    Kept::new(
        SharedCredentialsProvider::new(giver),
        whose.identity,
        undated,
    )
}

/// The problem in one line, and whether it stays until somebody mends it.
fn problem(error: &CredentialsError) -> (String, bool) {
    let stated = causes(error).find_map(|cause| {
        Stated::of::<AssumeRoleWithWebIdentityError>(cause)
            .or_else(|| Stated::of::<AssumeRoleError>(cause))
    });
    if let Some(stated) = stated {
        return (stated.to_string(), stated.is_permanent());
    }
    let is_connection = causes(error).any(<dyn StdError>::is::<ConnectorError>);
    // No connection's: that of a token's file, or of a program, then.
    let is_file = causes(error).any(<dyn StdError>::is::<io::Error>);
    let is_setting = causes(error).any(|cause| {
        matches!(
            cause.downcast_ref::<CredentialsError>(),
            Some(
                CredentialsError::CredentialsNotLoaded(_)
                    | CredentialsError::InvalidConfiguration(_)
            )
        )
    });
    // The outermost says no more than that there is an error.
    let said = match error.source() {
        Some(cause) => chain(cause),
        None => chain(error),
    };
    let said = without_tokens(&said);
    let problem = if is_file && !is_connection {
        format!("what it reads or runs cannot be used: {said}")
    } else {
        said
    };
    (problem, !is_connection && (is_file || is_setting))
}

/// STS's own statement.
struct Stated {
    status: u16,
    code: String,
    said: String,
}

impl Stated {
    fn of<E>(error: &(dyn StdError + 'static)) -> Option<Self>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let error = error.downcast_ref::<SdkError<E>>()?;
        Some(Self {
            status: error.raw_response()?.status().as_u16(),
            code: without_tokens(error.code().unwrap_or_default()),
            said: without_tokens(error.message().unwrap_or_default()),
        })
    }

    fn is_permanent(&self) -> bool {
        (400..500).contains(&self.status)
            && self.status != 429
            && !self.code.is_empty()
            && !PASSING.contains(&&*self.code)
    }
}

impl std::fmt::Display for Stated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "STS answers {} {}", self.status, self.code)?;
        if self.said.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", self.said)
    }
}
