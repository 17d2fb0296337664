//! `infra/aws`, the Terraform module beside `template.yaml`, deployed to a provider that has the real one's schema.

use crate::google::of;
use crate::terraform::{AWS, Deployment, Operation};
use crate::tool::{output, root, run};
use labelrelay_tests::passed_checks::Input;
use labelrelay_tests::servers::installed;
use std::path::Path;
use std::process::Command;

/// The promise of the module: whoever deploys with Terraform has what everybody else has. Parameters, resources with
/// all their arguments, outputs, and what an uninstallation leaves.
#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn it_makes_what_the_template_makes() {
    let template = root().join("template.yaml");
    input("aws-module").with(&template).unless_passed(|| {
        let deployment = Deployment::new(&AWS);
        let mut apply = comparison(
            "apply",
            &installed("LABELRELAY_TEST_TERRAFORM"),
            &deployment,
        );
        deployment.surround(&mut apply);
        output(&mut apply);
        let said = output(&mut comparison("compare", &template, &deployment));
        let count = said
            .split(' ')
            .nth(4)
            .and_then(|count| count.parse::<usize>().ok());
        assert!(count >= Some(56), "it compared all of it: {said}");
        each_difference_is_found(&deployment);
    });
}

/// A comparison that overlooks things passes as well.
fn each_difference_is_found(deployment: &Deployment) {
    let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    let changed = deployment.folder().join("changed.yaml");
    for (right, wrong, says) in [
        ("maxReceiveCount: 5", "maxReceiveCount: 6", "redrive_policy"),
        (
            "[sqs:SendMessage, sqs:GetQueueAttributes]",
            "[sqs:SendMessage, sqs:GetQueueUrl]",
            "aws_iam_role_policy.relay, policy",
        ),
        (
            "s3:prefix: fallback/*",
            "s3:prefix: '*'",
            "aws_iam_role_policy.redrive[0], policy",
        ),
        (
            "TreatMissingData: breaching",
            "TreatMissingData: notBreaching",
            "treat_missing_data",
        ),
        (
            "RetentionInDays: !Ref LogRetentionDays",
            "RetentionInDays: 3",
            "retention_in_days",
        ),
        (
            "!If [LimitConcurrency, !Ref ReservedConcurrency, !Ref AWS::NoValue]",
            "!Ref AWS::NoValue",
            "reserved_concurrent_executions",
        ),
        (
            "LABELRELAY_FUNCTION: redrive",
            "LABELRELAY_FUNCTION: relay",
            "environment",
        ),
        (
            "disableExecuteApiEndpoint: true",
            "disableExecuteApiEndpoint: false",
            "disable_execute_api_endpoint",
        ),
        // What is there under other conditions, and what is there no more.
        (
            "    Condition: WatchOversized\n",
            "    Condition: WithUrl\n",
            "made by the template alone",
        ),
        (
            "    Condition: WithDeadLetters\n",
            "    Condition: MakeQueue\n",
            "made by the module alone",
        ),
        // A parameter's default, an output, and what stays.
        (
            "    Default: 86400\n",
            "    Default: 3600\n",
            "is 3600 by default",
        ),
        (
            "    Value: !GetAtt RelayRole.Arn\n",
            "    Value: !Ref RelayRole\n",
            "the output relay_role_arn",
        ),
        (
            "    DeletionPolicy: RetainExceptOnCreate\n",
            "    DeletionPolicy: Delete\n",
            "kept by a stack that is deleted",
        ),
        // A property that the comparison was not told of.
        (
            "      Handler: bootstrap\n",
            "      Handler: bootstrap\n      Layers: []\n",
            "Layers",
        ),
    ] {
        assert!(template.contains(right), "{right}");
        std::fs::write(&changed, template.replacen(right, wrong, 1)).unwrap();
        let ended = run(&mut comparison("compare", &changed, deployment));
        let said = [ended.stdout, ended.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(
            !ended.status.success() && said.contains(says),
            "{wrong}: {said}"
        );
    }
}

/// The module's own tests, which anybody can run with the real provider and without an account.
#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn its_own_tests_pass() {
    input("aws-module-tests").unless_passed(|| {
        let deployment = Deployment::new(&AWS);
        let tests = deployment.folder().join("tests");
        std::fs::create_dir(&tests).unwrap();
        for file in std::fs::read_dir(root().join("infra/aws/tests")).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), tests.join(file.file_name())).unwrap();
        }
        let said = output(&mut deployment.terraform("test", &[]));
        assert!(said.contains(" passed, 0 failed."), "{said}");
        assert!(!said.contains("Success! 0 passed"), "{said}");
    });
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn no_secret_is_in_its_state_and_a_second_time_changes_nothing() {
    let deployment = Deployment::new(&AWS);
    deployment.apply(&[]);
    let operations = deployment.operations();
    let made: Vec<&str> = of(&operations, "aws_secretsmanager_secret_version")
        .map(|operation| operation.config["secret_string_wo"].as_str().unwrap())
        .collect();
    assert_eq!(made.len(), 2);
    assert!(made.iter().all(|secret| secret.len() == 40), "{made:?}");
    assert_ne!(made[0], made[1]);
    let state = std::fs::read_to_string(deployment.folder().join("terraform.tfstate")).unwrap();
    assert!(made.iter().all(|secret| !state.contains(secret)));

    let again = deployment.with_variables("plan", &["-detailed-exitcode", "-input=false"], &[]);
    assert_eq!(again.status.code(), Some(0), "a second plan has no changes");
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn a_rotation_puts_a_value_and_changes_nothing_else() {
    let deployment = Deployment::new(&AWS);
    deployment.apply(&[]);
    deployment.operations();
    let changes = |set: &str| {
        deployment.apply(&[set]);
        let operations = deployment.operations();
        let mut changes: Vec<String> = operations
            .iter()
            .map(|operation| format!("{} {}", operation.what, operation.kind))
            .collect();
        changes.sort_unstable();
        changes
    };
    // A value cannot be taken out of Secrets Manager, which keeps it as AWSPREVIOUS.
    assert_eq!(
        changes("labelbox_secret_version=2"),
        [
            "create aws_secretsmanager_secret_version",
            "delete aws_secretsmanager_secret_version"
        ]
    );
    // Once a command has put another, no deployment does.
    assert_eq!(
        changes("labelbox_secret_version=0"),
        ["delete aws_secretsmanager_secret_version"]
    );
}

/// Red if the API is deployed again before it has other addresses, or none any more, or before its own address is
/// closed: that would have no effect.
#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn other_addresses_are_there_when_the_api_is_deployed_again() {
    let deployment = Deployment::new(&AWS);
    let door = "front_door=RestApi";
    deployment.apply(&[door, "api_allowed_addresses=[\"192.0.2.7\"]"]);
    deployment.operations();
    let others = [door, "api_allowed_addresses=[\"192.0.2.8\"]"];
    for set in [&others[..], &[door]] {
        deployment.apply(set);
        let operations = deployment.operations();
        let at = |what: &str, kind: &str| {
            let is_it = |made: &Operation| made.what == what && made.kind == kind;
            operations.iter().position(is_it)
        };
        let policy = at("update", "aws_api_gateway_rest_api_policy");
        let deployed = at("create", "aws_api_gateway_deployment");
        assert!(policy.is_some() && policy < deployed, "{set:?}");
    }
    // With a domain, its own address is closed.
    let certificate = "certificate_arn=arn:aws:acm:eu-central-1:123456789012:certificate/mine";
    deployment.apply(&[door, "domain_name=hooks.example.com", certificate]);
    let operations = deployment.operations();
    let mut made = operations.iter();
    let closed = made.position(|made| made.config["disable_execute_api_endpoint"] == true);
    let mut made = operations.iter();
    let deployed =
        made.position(|made| made.what == "create" && made.kind == "aws_api_gateway_deployment");
    assert!(closed.is_some() && closed < deployed);
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn nothing_that_holds_events_is_destroyed() {
    let deployment = Deployment::new(&AWS);
    deployment.apply(&[]);
    deployment.operations();
    let flags = ["-auto-approve", "-input=false"];
    let cases: [(&str, &[&str]); 4] = [
        ("destroy", &[]),
        ("apply", &["fifo=true"]),
        (
            "apply",
            &["queue_arn=arn:aws:sqs:eu-central-1:123456789012:other"],
        ),
        ("apply", &["bucket_arn=arn:aws:s3:::other"]),
    ];
    for (verb, set) in cases {
        let ended = deployment.with_variables(verb, &flags, set);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(
            !ended.status.success() && said.contains("Instance cannot be destroyed"),
            "{verb} {set:?}: {said}"
        );
        assert!(deployment.operations().is_empty(), "{verb} {set:?}");
    }
}

#[test]
#[ignore = "needs terraform and its provider's schema: cargo xtask test"]
fn mistakes_are_found() {
    let deployment = Deployment::new(&AWS);
    for (set, says) in [
        (
            &["labelbox=false", "label_studio=false"][..],
            "cannot both be false",
        ),
        (&["claim_retention_days=28"], "must be more than 28"),
        (&["queue_arn=mine"], "the ARN of an SQS queue"),
        (
            &["domain_name=hooks.example.com"],
            "A function URL has no domain of its own",
        ),
        (
            &["domain_name=hooks.example.com", "front_door=HttpApi"],
            "domain_name needs certificate_arn",
        ),
        (
            &[
                "api_allowed_addresses=[\"192.0.2.7\"]",
                "front_door=HttpApi",
            ],
            "Only a REST API refuses addresses",
        ),
        (
            &["requests_per_second=100"],
            "A function URL has no rate of its own",
        ),
        (&["log_retention_days=8"], "is one of those that CloudWatch"),
    ] {
        let ended = deployment.with_variables("plan", &["-input=false"], set);
        // Terraform breaks lines.
        let said = String::from_utf8_lossy(&ended.stderr);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            !ended.status.success() && said.contains(says),
            "{set:?}: {said}"
        );
    }

    // The stand-in has the real provider's schema, or it would find nothing here.
    std::fs::write(
        deployment.folder().join("wrong.tf"),
        "resource \"aws_iam_role\" \"wrong\" {\n  nmae = \"x\"\n}\n",
    )
    .unwrap();
    let ended = run(&mut deployment.terraform("validate", &[]));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("Unsupported argument"), "{said}");
    assert!(said.contains("Missing required argument"), "{said}");
}

/// `aws_compare.py` on the module that is deployed there.
fn comparison(verb: &str, first: &Path, deployment: &Deployment) -> Command {
    let mut command = Command::new(installed(AWS.python));
    command
        .arg("-B")
        .arg(root().join("tests/infra/aws_compare.py"))
        .arg(verb)
        .arg(first)
        .arg(deployment.folder());
    command
}

/// The result of a check depends on the module, the schema, the stand-in and the scripts, and on the questions here.
fn input(name: &'static str) -> Input {
    let scripts = [
        "aws_compare.py",
        "aws_doors.py",
        "aws_names.py",
        "aws_pairs.py",
        "aws_properties.py",
        "aws_template.py",
        "cloud_aws.py",
        "provider_schema.py",
        "provider_wire.py",
        "stand_in_provider.py",
    ];
    let input = Input::new(name, &installed(AWS.python), include_str!("aws_module.rs"))
        .with(&root().join("infra/aws"));
    scripts.iter().fold(input, |input, script| {
        input.with(&root().join("tests/infra").join(script))
    })
}
