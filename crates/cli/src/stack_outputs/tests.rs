//! Outputs as the three clouds' commands print them.

use super::*;

fn toml(text: &str) -> Option<String> {
    Some(Stack::of(&outputs(text)?)?.toml())
}

const AWS: &str = r#"[
        {"OutputKey": "LabelStudioUrl", "OutputValue": "https://x.lambda-url.eu-central-1.on.aws/label-studio", "Description": "URL"},
        {"OutputKey": "LabelStudioSecretCommand", "OutputValue": "aws secretsmanager get-secret-value --region eu-central-1 --secret-id 'arn:aws:secretsmanager:eu-central-1:1:secret:s-x' --query SecretString --output text"},
        {"OutputKey": "QueueUrl", "OutputValue": "https://sqs.eu-central-1.amazonaws.com/1/events"},
        {"OutputKey": "RedriveFunction", "OutputValue": "labelrelay-Redrive"},
        {"OutputKey": "BucketName", "OutputValue": "bucket"}
    ]"#;

#[test]
fn outputs_of_each_cloud_are_a_configuration() {
    let of_aws = r#"queue = "https://sqs.eu-central-1.amazonaws.com/1/events"
blob_store = "s3://bucket/claims"
fallback = "s3://bucket/fallback"
[serve]
public_url = "https://x.lambda-url.eu-central-1.on.aws"
[[source]]
name = "label-studio"
provider = "label-studio"
secret = "aws-secretsmanager:arn:aws:secretsmanager:eu-central-1:1:secret:s-x"
"#;
    let whole = format!(r#"{{"Stacks": [{{"StackName": "labelrelay", "Outputs": {AWS}}}]}}"#);
    for text in [AWS, &whole] {
        assert_eq!(toml(text).as_deref(), Some(of_aws));
    }
    let terraform = r#"{
            "label_studio_url": {"sensitive": false, "type": "string", "value": "https://x.lambda-url.eu-central-1.on.aws/label-studio"},
            "label_studio_secret_command": {"value": "aws secretsmanager get-secret-value --region eu-central-1 --secret-id 'arn:aws:secretsmanager:eu-central-1:1:secret:s-x' --query SecretString --output text"},
            "labelbox_url": {"value": null}, "labelbox_secret_command": {"value": null},
            "queue_url": {"value": "https://sqs.eu-central-1.amazonaws.com/1/events"},
            "redrive_function": {"value": "labelrelay-redrive"}, "bucket_name": {"value": "bucket"}
        }"#;
    assert_eq!(toml(terraform).as_deref(), Some(of_aws));
    let without = AWS.replace("RedriveFunction", "Other");
    assert!(!toml(&without).unwrap().contains("fallback"));

    let google = r#"{
            "labelbox_url": {"sensitive": false, "type": "string", "value": "https://relay-x.run.app/labelbox"},
            "labelbox_secret_command": {"value": "gcloud secrets versions access latest --project p --secret labelrelay-labelbox"},
            "label_studio_url": {"value": null}, "label_studio_secret_command": {"value": null},
            "topic": {"value": "projects/p/topics/labelrelay-events"},
            "claims_bucket": {"value": "p-claims"}, "fallback_bucket": {"value": null}
        }"#;
    let of_google = r#"queue = "pubsub://p/labelrelay-events"
blob_store = "gs://p-claims/claims"
[serve]
public_url = "https://relay-x.run.app"
[[source]]
name = "labelbox"
provider = "labelbox"
secret = "gcp-secretmanager:projects/p/secrets/labelrelay-labelbox"
"#;
    assert_eq!(toml(google).as_deref(), Some(of_google));

    let azure = r#"{"properties": {"outputs": {
            "labelStudioUrl": {"type": "String", "value": "https://relay.azurewebsites.net/api/label-studio"},
            "labelStudioSecretCommand": {"type": "String", "value": "az keyvault secret show --vault-name v --name label-studio --query value --output tsv"},
            "labelboxUrl": {"type": "String", "value": "https://relay.azurewebsites.net/api/labelbox"},
            "labelboxSecretCommand": {"type": "String", "value": ""},
            "queueUrl": {"type": "String", "value": "azure-queue://a/labelrelay-events"},
            "blobStoreUrl": {"type": "String", "value": "az://a/claims"},
            "fallbackUrl": {"type": "String", "value": ""}
        }}}"#;
    let of_azure = r#"queue = "azure-queue://a/labelrelay-events"
blob_store = "az://a/claims"
[serve]
public_url = "https://relay.azurewebsites.net/api"
[[source]]
name = "label-studio"
provider = "label-studio"
secret = "azure-keyvault:v/label-studio"
"#;
    assert_eq!(toml(azure).as_deref(), Some(of_azure));
}

#[test]
fn what_is_none_of_them_is_none() {
    for text in [
        "",
        "queue = 'x'",
        "[]",
        "{}",
        "7",
        "[{\"OutputKey\": 1}]",
        "{\"topic\": {\"value\": \"t\"}}",
    ] {
        assert_eq!(toml(text), None, "{text}");
    }
}

/// The names that this reads are those that the stacks put out.
#[test]
fn the_stacks_have_these_outputs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (file, names) in [
        (
            "template.yaml",
            &[
                "LabelboxUrl",
                "LabelStudioUrl",
                "LabelboxSecretCommand",
                "LabelStudioSecretCommand",
                "QueueUrl",
                "BucketName",
                "RedriveFunction",
            ][..],
        ),
        (
            "infra/aws/outputs.tf",
            &[
                "labelbox_url",
                "label_studio_url",
                "labelbox_secret_command",
                "label_studio_secret_command",
                "queue_url",
                "bucket_name",
                "redrive_function",
            ],
        ),
        (
            "infra/google/outputs.tf",
            &[
                "labelbox_url",
                "label_studio_url",
                "labelbox_secret_command",
                "label_studio_secret_command",
                "topic",
                "claims_bucket",
                "fallback_bucket",
            ],
        ),
        (
            "infra/azure/main.bicep",
            &[
                "labelboxUrl",
                "labelStudioUrl",
                "labelboxSecretCommand",
                "labelStudioSecretCommand",
                "queueUrl",
                "blobStoreUrl",
                "fallbackUrl",
            ],
        ),
    ] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        for name in names {
            let forms = [
                format!("\n  {name}:\n"),
                format!("output \"{name}\" {{"),
                format!("\noutput {name} string = "),
            ];
            assert!(
                forms.iter().any(|form| text.contains(form)),
                "{file}: {name}"
            );
        }
    }
}
