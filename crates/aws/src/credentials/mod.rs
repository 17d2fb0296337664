//! Our identity. Exactly one source of credentials is chosen, by what the environment says, before anything is asked. If
//! that one fails, it is an error: no other is asked in its place.
//!
//! A function has the first and the fourth of these; the command line and the container have all of them
//! ([docs/identities.md](../../../../docs/identities.md) says so too):
//!
//! 1. keys in the environment
//! 2. the profile that `AWS_PROFILE` names
//! 3. a web identity's token in a file, for which STS gives out a role's keys
//! 4. the role of a container, of ECS or EKS
//! 5. the profile `default`, if it says where credentials are
//! 6. the role of an EC2 instance, if this machine is one

mod container;
mod failure;
#[cfg(feature = "identities")]
mod identities;
mod kept;
#[cfg(feature = "identities")]
mod profile_files;
#[cfg(all(test, feature = "identities"))]
mod tests;

pub(crate) use failure::no_credentials;

use crate::http::Http;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use container::Container;
use kept::Kept;
use labelrelay_core::BackEndError;
use labelrelay_core::config::Lookup;
use std::fmt;
use std::sync::Arc;

const OF_KEYS: &str = "the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

/// Source of credentials. Cheap to clone; clones share what was fetched.
#[derive(Clone)]
pub(crate) enum CredentialsSource {
    /// Credentials from the environment.
    Fixed(Credentials),
    /// Somebody gives them out, for a while.
    Kept(Arc<Kept>),
}

impl CredentialsSource {
    /// Credentials that the environment names, if it names any: keys, or the role of a container. Nothing is asked for yet,
    /// and no file is looked for.
    ///
    /// # Errors
    /// [`BackEndError`] when half of them is missing, or the address is not to be trusted with them.
    pub(crate) fn find(lookup: Lookup<'_>, http: &Http) -> Result<Option<Self>, BackEndError> {
        if let Some(keys) = in_the_environment(lookup)? {
            return Ok(Some(Self::Fixed(keys)));
        }
        Ok(Container::find(lookup, http)?.map(Self::of_container))
    }

    /// The same, of everything that AWS's own tools know.
    ///
    /// # Errors
    /// [`BackEndError`] when what is chosen cannot be used.
    #[cfg(feature = "identities")]
    pub(crate) fn find_any(
        lookup: Lookup<'_>,
        region: Option<&str>,
        http: &Http,
    ) -> Result<Option<Self>, BackEndError> {
        if let Some(keys) = in_the_environment(lookup)? {
            return Ok(Some(Self::Fixed(keys)));
        }
        if let Some(named) = identities::named(lookup, region, http)? {
            return Ok(Some(Self::Kept(Arc::new(named))));
        }
        if let Some(container) = Container::find(lookup, http)? {
            return Ok(Some(Self::of_container(container)));
        }
        let found = identities::of_this_machine(lookup, region, http)?;
        Ok(found.map(|found| Self::Kept(Arc::new(found))))
    }

    fn of_container(container: Container) -> Self {
        let identity = container.identity().to_owned();
        let giver = SharedCredentialsProvider::new(container);
        Self::Kept(Arc::new(Kept::new(giver, identity, None)))
    }

    /// Words for whose they are.
    pub(crate) fn identity(&self) -> &str {
        match self {
            Self::Fixed(_) => OF_KEYS,
            Self::Kept(kept) => kept.identity(),
        }
    }

    /// The credentials that sign requests now.
    pub(crate) async fn get(&self) -> Result<Credentials, CredentialsError> {
        match self {
            Self::Fixed(credentials) => Ok(credentials.clone()),
            Self::Kept(kept) => kept.get().await,
        }
    }
}

fn in_the_environment(lookup: Lookup<'_>) -> Result<Option<Credentials>, BackEndError> {
    let (one, other) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    let alone = |set: &str, missing: &str| {
        BackEndError::of_variable(set, "is set alone", format!("set {missing}"))
    };
    match (lookup.text(one)?, lookup.text(other)?) {
        (Some(key), Some(secret)) => {
            let token = lookup.text("AWS_SESSION_TOKEN")?;
            let credentials = Credentials::new(key, secret, token, None, "environment");
            Ok(Some(credentials))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(alone(one, other)),
        (None, Some(_)) => Err(alone(other, one)),
    }
}

impl ProvideCredentials for CredentialsSource {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }
}

impl fmt::Debug for CredentialsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialsSource([redacted])")
    }
}
