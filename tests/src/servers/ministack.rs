//! `MiniStack`: most of AWS in one process, `CloudFormation` and function URLs included.

use super::{Server, boto3, environment, installed};
use std::ops::Deref;
use std::process::Command;

/// A running `MiniStack` with nothing in it.
pub struct Ministack(Server);

impl Ministack {
    /// Starts one that takes any credentials.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one that checks signatures and holds callers to their IAM policies; `test` may do all.
    pub fn start_strict() -> Self {
        Self::start_with(&[("AUTH", "true")])
    }

    /// Starts one with more in its environment.
    pub fn start_with(variables: &[(&str, &str)]) -> Self {
        let program = installed("LABELRELAY_TEST_MINISTACK");
        Self(Server::start(
            "MiniStack",
            "/_ministack/ready",
            |port, folder| {
                let mut command = Command::new(&program);
                command
                    .env("BIND_HOST", "127.0.0.1")
                    .env("GATEWAY_PORT", port.to_string())
                    .env("MINISTACK_REGION", super::REGION)
                    .env("LAMBDA_EXECUTOR", "local")
                    .env("STATE_DIR", folder.join("state"))
                    .env("S3_DATA_DIR", folder.join("s3"))
                    // Given to the functions that it runs, which find it by no other way.
                    .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
                    // Nothing may look for a container engine here.
                    .env("DOCKER_HOST", "unix:///dev/null")
                    .env("AWS_ACCESS_KEY_ID", super::KEY)
                    .env("AWS_SECRET_ACCESS_KEY", super::KEY)
                    .envs(variables.iter().copied());
                command
            },
        ))
    }

    /// The environment of a program that shall use it.
    pub fn environment(&self) -> Vec<(String, String)> {
        environment(&self.endpoint())
    }

    /// Makes a queue; returns its URL.
    pub fn queue(&self, name: &str) -> String {
        let make = "print(client('sqs').create_queue(QueueName=args[0])['QueueUrl'])";
        self.boto3(make, &[name])
    }

    /// Makes a bucket.
    pub fn bucket(&self, name: &str) {
        let make = "client('s3').create_bucket(Bucket=args[0], CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'})";
        self.boto3(make, &[name]);
    }

    /// Takes all messages from the queue of this URL.
    pub fn drain(&self, queue: &str) -> Vec<Vec<u8>> {
        boto3::drain(&self.endpoint(), queue)
    }

    /// Runs Python against it; see [`boto3::run`].
    pub fn boto3(&self, script: &str, arguments: &[&str]) -> String {
        boto3::run(&self.endpoint(), script, arguments)
    }
}

impl Deref for Ministack {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}
