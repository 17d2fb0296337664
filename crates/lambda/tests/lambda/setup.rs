//! Settings of the function, and AWS's stand-in behind it.

use crate::no_secrets_in_logs::assert_quiet;
use labelrelay_testkit::adapter_suite::{CONFIG, SECRET};
use labelrelay_tests::servers::{Ministack, environment};
use serde_json::Value;

pub(crate) type Variables = Vec<(String, String)>;

/// The sources of the conformance suite, with everything that the log can say.
pub(crate) fn variables(endpoint: &str, queue: &str) -> Variables {
    let mut variables = environment(endpoint);
    variables.extend(
        [
            ("LABELRELAY_CONFIG_TOML", CONFIG),
            ("SECRET", SECRET),
            ("LABELRELAY_QUEUE", queue),
            ("LABELRELAY_LOG", "trace"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    variables
}

pub(crate) fn with(mut variables: Variables, name: &str, value: &str) -> Variables {
    variables.retain(|(set, _)| set != name);
    variables.push((name.to_owned(), value.to_owned()));
    variables
}

/// A queue and a bucket.
pub(crate) struct Cloud {
    pub(crate) ministack: Ministack,
    pub(crate) queue: String,
}

impl Cloud {
    pub(crate) fn start() -> Self {
        let ministack = Ministack::start();
        let queue = ministack.queue("events");
        ministack.bucket("bucket");
        Self { ministack, queue }
    }

    /// The function's variables. Nothing here is to be late: what is slow is the machine.
    pub(crate) fn variables(&self) -> Variables {
        let variables = variables(&self.ministack.endpoint(), &self.queue);
        let variables = with(variables, "LABELRELAY_BLOB_STORE", "s3://bucket/claims");
        with(variables, "LABELRELAY_DEADLINE_MS", "30000")
    }

    /// Takes all messages from the queue.
    pub(crate) fn drain(&self) -> Vec<Vec<u8>> {
        self.ministack.drain(&self.queue)
    }
}

/// Status and body of a response in any front's form.
pub(crate) fn answer(response: &Value) -> (u16, Vec<u8>) {
    let status = response["statusCode"].as_u64();
    let status = status.unwrap_or_else(|| panic!("no response: {response}"));
    let body = response["body"].as_str().expect("a body").as_bytes();
    (u16::try_from(status).unwrap(), body.to_vec())
}

/// The bodies of every case of the suite, none of which a log may show.
pub(crate) fn quiet_about_cases(log: &str) {
    let cases = labelrelay_testkit::adapter_suite::cases();
    let requests = cases.iter().flat_map(|case| &case.requests);
    assert_quiet(log, requests.map(|(request, _)| request.body.as_slice()));
}
