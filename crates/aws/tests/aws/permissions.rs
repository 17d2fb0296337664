//! With no permission but those that the relay needs, and without each of them: `MiniStack` holds callers
//! to their policies and checks signatures when it is told to.

use crate::setup::aws_with;
use bytes::Bytes;
use labelrelay_aws::Aws;
use labelrelay_core::config::SecretRef;
use labelrelay_core::{BlobError, BlobStore, EventQueue, FallbackStore, QueueErrorKind, Receipt};
use labelrelay_core::{QueueError, SecretError};
use labelrelay_testkit::queue_suite::message;
use labelrelay_tests::servers::Ministack;
use serde_json::Value;

/// Two of everything; a user may use the first of each, and only as the relay does.
const SETUP: &str = "
sqs, s3, store, ssm, iam = (client(n) for n in ('sqs', 's3', 'secretsmanager', 'ssm', 'iam'))
urls = [sqs.create_queue(QueueName=n)['QueueUrl'] for n in ('mine', 'theirs')]
s3.create_bucket(Bucket='objects', CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'})
for n in ('mine', 'theirs'):
    store.create_secret(Name=n, SecretString='hush')
    ssm.put_parameter(Name='/' + n, Value='hush', Type='SecureString')
statements = [
    ('sqs:SendMessage', 'arn:aws:sqs:eu-central-1:000000000000:mine'),
    ('s3:PutObject', 'arn:aws:s3:::objects/mine/*'),
    ('secretsmanager:GetSecretValue', 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:mine-*'),
    ('ssm:GetParameter', 'arn:aws:ssm:eu-central-1:000000000000:parameter/mine'),
]
policy = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': a, 'Resource': r} for a, r in statements]}
iam.create_user(UserName='relay')
iam.put_user_policy(UserName='relay', PolicyName='least', PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName='relay')['AccessKey']
print(json.dumps({'urls': urls, 'key': key['AccessKeyId'], 'secret': key['SecretAccessKey']}))";

async fn send(aws: &Aws, url: &str) -> Result<Receipt, QueueError> {
    let queue = aws.queue(url).expect("a queue's URL");
    queue.send(&message("one", b"{}")).await
}

async fn secret(aws: &Aws, scheme: &'static str, name: &str) -> Result<usize, SecretError> {
    let name = name.to_owned();
    let source = aws.secret(&SecretRef::Store { scheme, name }, None);
    let source = source.expect("settings").expect("a store of AWS");
    source.fetch().await.map(|secrets| secrets.len())
}

async fn claim(aws: &Aws, url: &str) -> Result<String, BlobError> {
    let store = aws.blob_store(url).expect("a URL");
    let body = futures_util::stream::once(async { Ok(Bytes::from("x")) });
    store.put("claim", 1, Box::pin(body)).await
}

#[tokio::test]
#[ignore = "needs MiniStack: cargo xtask test"]
async fn the_documented_permissions_are_enough_and_missing_ones_are_named() {
    let server = Ministack::start_strict();
    let made: Value = serde_json::from_str(&server.boto3(SETUP, &[])).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let (key, hush) = (text(&made["key"]), text(&made["secret"]));
    let keys = [
        ("AWS_ACCESS_KEY_ID", key.as_str()),
        ("AWS_SECRET_ACCESS_KEY", &hush),
    ];
    let aws = aws_with(&server.endpoint(), &keys);
    let (mine, theirs) = (text(&made["urls"][0]), text(&made["urls"][1]));

    send(&aws, &mine).await.expect("allowed");
    let queue = aws.queue(&mine).expect("a queue's URL");
    queue.check().await.expect("the limit need not be known");
    let error = send(&aws, &theirs).await.expect_err("not allowed");
    assert_eq!(
        (error.kind, error.retryable),
        (QueueErrorKind::Denied, false),
        "{error}"
    );
    let cure = "allow sqs:SendMessage on arn:aws:sqs:eu-central-1:000000000000:theirs";
    assert!(error.message.contains(cure), "{error}");

    claim(&aws, "s3://objects/mine").await.expect("allowed");
    let error = claim(&aws, "s3://objects/theirs")
        .await
        .expect_err("not allowed");
    let cure = "allow s3:PutObject on arn:aws:s3:::objects/theirs/*";
    assert!(!error.retryable && error.message.contains(cure), "{error}");
    let fallback = aws.fallback("s3://objects/mine").expect("a URL");
    fallback
        .check()
        .await
        .expect("storing takes no permission to list");
    fallback
        .put("event", Bytes::from("{}"))
        .await
        .expect("allowed");
    let error = fallback.list(None, 10).await.expect_err("not allowed");
    let cure = "allow s3:ListBucket on arn:aws:s3:::objects to";
    assert!(!error.retryable && error.message.contains(cure), "{error}");

    for (scheme, slash, permission) in [
        (
            "aws-secretsmanager",
            "",
            "allow secretsmanager:GetSecretValue",
        ),
        ("aws-ssm", "/", "allow ssm:GetParameter"),
    ] {
        let found = secret(&aws, scheme, &format!("{slash}mine")).await;
        assert_eq!(found.expect("allowed"), 1);
        let error = secret(&aws, scheme, &format!("{slash}theirs")).await;
        let error = error.expect_err("not allowed");
        assert!(
            !error.retryable && error.message.contains(permission),
            "{error}"
        );
    }

    // Somebody else's secret key: every signature is looked at.
    let forger = aws_with(
        &server.endpoint(),
        &[keys[0], ("AWS_SECRET_ACCESS_KEY", "guessed")],
    );
    let error = send(&forger, &mine).await.expect_err("refused");
    assert_eq!(
        (error.kind, error.retryable),
        (QueueErrorKind::Denied, false),
        "{error}"
    );
    assert!(error.message.contains("AWS_SECRET_ACCESS_KEY"), "{error}");
    let error = claim(&forger, "s3://objects/mine")
        .await
        .expect_err("refused");
    assert!(
        !error.retryable && error.message.contains("AWS_SECRET_ACCESS_KEY"),
        "{error}"
    );
    let error = secret(&forger, "aws-ssm", "/mine")
        .await
        .expect_err("refused");
    assert!(
        !error.retryable && error.message.contains("credentials"),
        "{error}"
    );
}
