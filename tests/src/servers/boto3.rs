//! AWS's own client for Python, to set things up and to look at them from the outside.

use super::{environment, installed};
use std::path::PathBuf;
use std::process::Command;

/// The Python that has boto3.
pub fn python() -> PathBuf {
    installed("LABELRELAY_TEST_MINISTACK").with_file_name("python")
}

/// Runs `script`, in which `client('sqs')` makes a client of what answers at `endpoint`, `args` holds the
/// arguments and `json` is imported. Returns what it printed.
pub fn run(endpoint: &str, script: &str, arguments: &[&str]) -> String {
    run_in(&environment(endpoint), script, arguments)
}

/// The same, told by these variables where everything is and who asks.
pub fn run_in(environment: &[(String, String)], script: &str, arguments: &[&str]) -> String {
    const BEFORE: &str = "import boto3, json, sys\n\
        from botocore.config import Config\n\
        args = sys.argv[1:]\n\
        def client(name, **more): return boto3.client(name, config=Config(retries={'max_attempts': 1}, s3={'addressing_style': 'path'}), **more)\n";
    let output = Command::new(python())
        .arg("-c")
        .arg([BEFORE, script].concat())
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "the script failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Takes all messages from the queue at `url`, of the server at `endpoint`.
pub fn drain(endpoint: &str, url: &str) -> Vec<Vec<u8>> {
    const DRAIN: &str = "sqs, found = client('sqs'), []\n\
        while True:\n\
        \x20   some = sqs.receive_message(QueueUrl=args[0], MaxNumberOfMessages=10).get('Messages', [])\n\
        \x20   if not some: break\n\
        \x20   for one in some:\n\
        \x20       found.append(one['Body'])\n\
        \x20       sqs.delete_message(QueueUrl=args[0], ReceiptHandle=one['ReceiptHandle'])\n\
        print(json.dumps(found))";
    let found: Vec<String> = serde_json::from_str(&run(endpoint, DRAIN, &[url])).unwrap();
    found.into_iter().map(String::into_bytes).collect()
}
