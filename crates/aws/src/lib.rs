//! SQS, S3, Secrets Manager and SSM for labelrelay.
