//! SQS, S3, Secrets Manager and SSM for labelrelay, and tables of DynamoDB for its consumers.
//!
//! [`Aws::load`] reads what a process is told about AWS; [`Aws::queue`], [`Aws::extended_queue`], [`Aws::event_source`],
//! [`Aws::blob_store`], [`Aws::fallback`] and [`Aws::secret`] open what a configuration names, [`Aws::dynamo_table`] what a
//! consumer remembers in; as a
//! [`BackEnd`](labelrelay_core::BackEnd) it does the same for every program, and as a
//! [`CommandLineBackEnd`](labelrelay_core::CommandLineBackEnd) for the command line. Opening sends nothing, but
//! for a source of events; what exists and what is permitted shows in each one's `check`, or when it is used.
//!
//! No retry, no timeout and no cache of the SDK is in force here: the relay's two clocks decide, by
//! dropping an attempt. After an attempt that failed or was dropped the next one connects anew.

mod arn_and_dns_suffix;
mod backend;
mod credentials;
mod dynamodb;
mod http;
mod json_answer;
mod quoted_text;
mod s3;
mod secret;
mod settings;
mod signed_client;
mod sqs;

pub use dynamodb::{DynamoError, DynamoTable};
pub use s3::{S3BlobStore, S3Fallback, S3ObjectStore};
pub use settings::Aws;
pub use sqs::{ExtendedSqsQueue, SqsQueue, SqsSource};
