//! Consumers of a deployed queue: one that keeps the bytes of each event, and the one that the documentation prints, run as
//! printed.

use crate::stack::{Outputs, Stack};
use crate::tool::root;
use labelrelay_tests::servers::boto3;
use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

/// Output of the consumer: each event's id, and the bytes of its body.
pub(crate) type Consumed = HashMap<String, Vec<u8>>;

/// Runs the consumer until the queue is empty, with these credentials, and returns all that it ever kept in
/// `folder`.
pub(crate) fn consume(
    stack: &Stack,
    outputs: &Outputs,
    folder: &Path,
    credentials: &[(&str, String)],
) -> Consumed {
    let mut command = Command::new(boto3::python());
    command
        .arg(root().join("tests/sam/bytes.py"))
        .arg(outputs.get("QueueUrl"))
        .arg(folder);
    run(command, stack, credentials);
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == "body"))
        .map(|path| {
            let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (id, std::fs::read(&path).unwrap())
        })
        .collect()
}

/// Runs the consumer of the documentation until the queue is empty, with these credentials, in `folder`; what it printed.
pub(crate) fn consume_as_printed(
    stack: &Stack,
    outputs: &Outputs,
    folder: &Path,
    credentials: &[(&str, String)],
) -> String {
    std::fs::write(folder.join("consumer.py"), printed()).unwrap();
    let mut command = Command::new(boto3::python());
    command
        .arg("consumer.py")
        .arg(outputs.get("QueueUrl"))
        .arg(format!("s3://{}/claims", outputs.get("BucketName")))
        .env("PYTHONPATH", root().join("python"))
        .current_dir(folder);
    run(command, stack, credentials)
}

/// Runs it; it must succeed, and complain of nothing. What it printed.
fn run(mut command: Command, stack: &Stack, credentials: &[(&str, String)]) -> String {
    let output = command
        .envs(stack.aws.environment())
        .envs(credentials.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.is_empty(),
        "the consumer: {}\n{said}",
        output.status
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The block of Python in the documentation that begins with the consumer's name.
fn printed() -> String {
    let document = std::fs::read_to_string(root().join("docs/aws.md")).unwrap();
    let begin = document
        .find("# consumer.py")
        .expect("docs/aws.md prints consumer.py");
    let block = &document[begin..];
    block[..block.find("\n```").expect("the block has an end")].to_owned()
}
