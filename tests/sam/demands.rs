//! What an organisation may demand of everything that a template makes: roles with a boundary, keys of its own.

use crate::tool::root;

const TEMPLATES: [&str; 4] = [
    "template.yaml",
    "infra/aws/archive.yaml",
    "infra/aws/consumer.yaml",
    "infra/aws/reconcile.yaml",
];

/// What keeps something, and can have a key for it.
const KEEPING: [&str; 5] = [
    "AWS::DynamoDB::Table",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
];

/// Red if a role is added without it: where one is demanded, the deployment would fail.
#[test]
fn every_role_takes_the_boundary() {
    for template in TEMPLATES {
        let roles = resources(template, &["AWS::IAM::Role"]);
        assert!(!roles.is_empty(), "{template}");
        for (name, text) in roles {
            let bounded = "PermissionsBoundary: !If [WithBoundary, !Ref PermissionsBoundary,";
            assert!(text.contains(bounded), "{name} of {template}");
        }
    }
}

/// Red if something is added that keeps what it gets with a key of AWS alone.
#[test]
fn everything_that_keeps_something_takes_a_key() {
    for template in TEMPLATES {
        let keeping = resources(template, &KEEPING);
        assert!(!keeping.is_empty(), "{template}");
        for (name, text) in keeping {
            let takes =
                text.contains("WithEncryptionKey") && text.contains("!Ref EncryptionKeyArn");
            assert!(takes, "{name} of {template}");
        }
    }
}

/// Red if a function that somebody must keep in a network of theirs cannot be put there.
#[test]
fn functions_can_be_in_a_vpc() {
    let kinds = ["AWS::Lambda::Function", "AWS::Serverless::Function"];
    for (template, count) in [("template.yaml", 2), ("infra/aws/consumer.yaml", 1)] {
        let functions = resources(template, &kinds);
        assert_eq!(functions.len(), count, "{template}");
        for (name, text) in functions {
            assert!(
                text.contains("      VpcConfig: !If\n        - WithVpc\n"),
                "{name}"
            );
        }
    }
}

/// Names and texts of a template's resources of these types.
pub(crate) fn resources(template: &str, kinds: &[&str]) -> Vec<(String, String)> {
    let template = std::fs::read_to_string(root().join(template)).unwrap();
    let mut found: Vec<(String, String)> = Vec::new();
    for line in template.lines() {
        let name = line
            .strip_prefix("  ")
            .and_then(|rest| rest.strip_suffix(':'));
        let name = name.filter(|name| name.chars().all(char::is_alphanumeric));
        if let Some(name) = name {
            found.push((name.to_owned(), String::new()));
        } else if let Some((_, text)) = found.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    let of_these = |text: &str| {
        kinds
            .iter()
            .any(|kind| text.contains(&format!("    Type: {kind}\n")))
    };
    found.retain(|(_, text)| of_these(text));
    found
}
