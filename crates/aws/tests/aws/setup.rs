//! Shared by the tests: settings as a process would read them.

use labelrelay_aws::Aws;
use labelrelay_tests::servers::environment;

/// AWS, configured by the environment that programs get for `endpoint`.
pub(crate) fn aws(endpoint: &str) -> Aws {
    aws_with(endpoint, &[])
}

/// The same, with some variables set otherwise.
pub(crate) fn aws_with(endpoint: &str, more: &[(&str, &str)]) -> Aws {
    let variables = environment(endpoint);
    let lookup = |name: &str| {
        let more = more.iter().find(|(key, _)| *key == name);
        let base = || variables.iter().find(|(key, _)| key == name);
        more.map(|(_, value)| (*value).to_owned())
            .or_else(|| base().map(|(_, value)| value.clone()))
    };
    Aws::load(&lookup).expect("settings")
}
