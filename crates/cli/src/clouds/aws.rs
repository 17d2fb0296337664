//! SQS, S3, Secrets Manager and SSM.

use super::{BackEnd, Setting};
use jiff::Timestamp;
use labelrelay_aws::Aws;
use labelrelay_core::config::{ConfigError, ENVIRONMENT, Lookup, SecretRef};
use labelrelay_core::{BlobStore, EventQueue, FallbackStore, SecretSource};
use std::sync::Arc;

pub(super) fn open(lookup: Lookup<'_>) -> Result<Box<dyn BackEnd>, ConfigError> {
    let aws = Aws::load(lookup).map_err(|error| error.at(ENVIRONMENT, "AWS"))?;
    Ok(Box::new(aws))
}

impl BackEnd for Aws {
    fn queue(&self, url: &str, at: Setting<'_>) -> Result<Arc<dyn EventQueue>, ConfigError> {
        let opened = self.queue(url);
        Ok(Arc::new(
            opened.map_err(|error| error.at(at.origin, at.key))?,
        ))
    }

    fn blob_store(&self, url: &str, at: Setting<'_>) -> Result<Arc<dyn BlobStore>, ConfigError> {
        let opened = self.blob_store(url);
        Ok(Arc::new(
            opened.map_err(|error| error.at(at.origin, at.key))?,
        ))
    }

    fn fallback(&self, url: &str, at: Setting<'_>) -> Result<Arc<dyn FallbackStore>, ConfigError> {
        let opened = self.fallback(url);
        Ok(Arc::new(
            opened.map_err(|error| error.at(at.origin, at.key))?,
        ))
    }

    fn secret(
        &self,
        reference: &SecretRef,
        end: Option<Timestamp>,
        at: Setting<'_>,
    ) -> Result<Box<dyn SecretSource>, ConfigError> {
        let opened = self.secret(reference, end);
        let opened = opened.map_err(|error| error.at(at.origin, at.key))?;
        opened.ok_or_else(|| {
            let cure = "name one of aws-secretsmanager:…, aws-ssm:…, env:NAME or file:/path";
            ConfigError::new(at.origin, at.key, "is in no store of AWS", cure)
        })
    }
}
