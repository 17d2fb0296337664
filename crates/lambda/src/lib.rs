//! labelrelay behind an AWS Lambda function URL or an HTTP API.
