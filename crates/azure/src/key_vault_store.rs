//! Puts secrets into Key Vault, for whoever connects a platform. The app itself only reads.

use crate::error::{AzureError, Resource};
use crate::key_vault::KeyVaultSecret;
use azure_core::error::{Error, ErrorKind};
use azure_security_keyvault_secrets::models::SetSecretParameters;
use labelrelay_core::{BoxFuture, Secret, SecretError, SecretStore};

impl KeyVaultSecret {
    /// Values that are read, or nothing where there is no such secret. One whose versions are all out of force is an
    /// error: somebody may have disabled it for a while, and nothing may be put on top of that.
    async fn here(&self) -> Result<Vec<Secret>, SecretError> {
        match self.listed().await {
            Ok((versions, 0)) if versions.is_empty() => Ok(Vec::new()),
            Ok((versions, others)) if versions.is_empty() => Err(SecretError::permanent(format!(
                "{} has {others} versions, all of them disabled, expired or not in force yet: enable one that is to be read (az keyvault secret set-attributes --enabled true --id ID), or put a new one there yourself",
                self.resource.what
            ))),
            Err(error) if status_of(&error) == Some(404) => Ok(Vec::new()),
            _ => self.live().await,
        }
    }

    /// Adds a version. A vault cannot be told to add only the first one, so that is looked at before.
    async fn put(&self, value: &str, is_first: bool) -> Result<(), SecretError> {
        let what = &self.resource.what;
        if self.version.is_some() {
            return Err(SecretError::permanent(format!(
                "{what}: the reference names one version, and a version never changes; take it away from the end of the reference"
            )));
        }
        if is_first && !self.here().await?.is_empty() {
            return Err(SecretError::permanent(format!(
                "{what}: somebody has put one there meanwhile; run this again"
            )));
        }
        let parameters = SetSecretParameters {
            value: Some(value.to_owned()),
            ..SetSecretParameters::default()
        };
        let write = async {
            let parameters = parameters.try_into()?;
            self.client.set_secret(&self.name, parameters, None).await
        };
        match write.await {
            Ok(_) => Ok(()),
            Err(error) if status_of(&error) == Some(409) => Err(SecretError::permanent(format!(
                "{what}: a deleted secret of that name can still be recovered; recover or purge it: az keyvault secret recover, az keyvault secret purge"
            ))),
            Err(error) => {
                let resource = Resource {
                    role: "Key Vault Secrets Officer",
                    ..self.resource.clone()
                };
                Err(AzureError::of(&error, &resource).into())
            }
        }
    }
}

fn status_of(error: &Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::HttpResponse { status, .. } => Some(u16::from(*status)),
        _ => None,
    }
}

impl SecretStore for KeyVaultSecret {
    fn held(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        Box::pin(self.here())
    }

    fn create<'a>(&'a self, value: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        Box::pin(self.put(value, true))
    }

    fn add<'a>(&'a self, value: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        Box::pin(self.put(value, false))
    }
}
