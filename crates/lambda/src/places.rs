//! What a configuration may name, opened.

use labelrelay_aws::{Aws, SettingError};
use labelrelay_core::config::{ConfigError, ENVIRONMENT, Lookup, SecretRef};
use labelrelay_core::{BlobStore, EventQueue, FallbackStore, SecretSource};
use labelrelay_lambda::init::Open;
use std::sync::Arc;

/// What a configuration may name: all of it is AWS's, but secrets may also stand in the environment or in
/// a file of the package.
pub(crate) struct Places<'a> {
    pub(crate) aws: Aws,
    pub(crate) lookup: Lookup<'a>,
}

impl Open for Places<'_> {
    fn queue(&self, url: &str, key: &str) -> Result<Arc<dyn EventQueue>, ConfigError> {
        Ok(Arc::new(self.aws.queue(url).map_err(at(key))?))
    }

    fn blob_store(&self, url: &str, key: &str) -> Result<Arc<dyn BlobStore>, ConfigError> {
        Ok(Arc::new(self.aws.blob_store(url).map_err(at(key))?))
    }

    fn fallback(&self, url: &str, key: &str) -> Result<Arc<dyn FallbackStore>, ConfigError> {
        Ok(Arc::new(self.aws.fallback(url).map_err(at(key))?))
    }

    fn secret(
        &self,
        reference: &SecretRef,
        end: Option<jiff::Timestamp>,
    ) -> Result<Box<dyn SecretSource>, ConfigError> {
        let key = "secret";
        if let Some(secret) = reference.open(end, self.lookup, ENVIRONMENT, key)? {
            return Ok(secret);
        }
        let opened = self.aws.secret(reference, end).map_err(at(key))?;
        opened.ok_or_else(|| {
            let problem = format!("`{reference}` is in no store of AWS");
            let cure = "name one of aws-secretsmanager:…, aws-ssm:…, env:NAME or file:/path";
            ConfigError::new(ENVIRONMENT, key, &problem, cure)
        })
    }
}

/// A setting of AWS that is no variable of ours.
pub(crate) fn bad_setting(error: SettingError) -> ConfigError {
    at("AWS")(error)
}

/// An error of a setting, under the name of the variable that holds it.
fn at(key: &str) -> impl Fn(SettingError) -> ConfigError {
    move |error| error.at(ENVIRONMENT, key)
}
