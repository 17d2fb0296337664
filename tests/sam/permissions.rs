//! Users who may do only what one of the project's policies allows.

use crate::stack::{Outputs, Stack};
use crate::tool::root;

/// Variables of the environment.
pub(crate) type Credentials = Vec<(&'static str, String)>;

/// Variables by which a program acts as a new user who has the managed policy `arn` and no other.
///
/// In AWS, who may delete a message may delete a batch of them: the batches of SQS have no actions of their own (Service
/// Authorization Reference, "Actions defined by Amazon SQS"). The stand-in asks for one by the name of the request, so the
/// user gets it where the policy has the action.
pub(crate) fn consumer(stack: &Stack, arn: &str) -> Credentials {
    let script = "iam, name = client('iam'), 'consumer'\n\
        iam.create_user(UserName=name)\n\
        iam.attach_user_policy(UserName=name, PolicyArn=args[0])\n\
        version = iam.get_policy(PolicyArn=args[0])['Policy']['DefaultVersionId']\n\
        policy = iam.get_policy_version(PolicyArn=args[0], VersionId=version)['PolicyVersion']['Document']\n\
        policy = json.loads(policy) if isinstance(policy, str) else policy\n\
        batched = {'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'}\n\
        def batches(one):\n    \
            actions = [one['Action']] if isinstance(one['Action'], str) else one['Action']\n    \
            return [action + 'Batch' for action in actions if action in batched]\n\
        more = [dict(one, Action=batches(one)) for one in policy['Statement'] if batches(one)]\n\
        more = json.dumps(dict(policy, Statement=more))\n\
        iam.put_user_policy(UserName=name, PolicyName='batches', PolicyDocument=more)\n\
        key = iam.create_access_key(UserName=name)['AccessKey']\n\
        print(key['AccessKeyId'], key['SecretAccessKey'])";
    credentials(&stack.aws.boto3(script, &[arn]))
}

/// A consumer can consume, and nothing else; and nobody can do it without TLS.
pub(crate) fn are_no_wider(stack: &Stack, outputs: &Outputs, consumer: &Credentials) {
    let script = "queue, bucket, plain, user, secret = args\n\
        us = dict(aws_access_key_id=user, aws_secret_access_key=secret)\n\
        def refused(call, **more):\n    \
            try: call(**more)\n    \
            except Exception as error: return 'AccessDenied' in str(error)\n\
        claim = dict(Bucket=bucket, Key='claims/probe')\n\
        client('s3').put_object(**claim, Body=b'')\n\
        print(json.dumps([\n\
            refused(client('sqs', **us).send_message, QueueUrl=queue, MessageBody='{}'),\n\
            refused(client('sqs', **us).purge_queue, QueueUrl=queue),\n\
            refused(client('s3', **us).get_object, Bucket=bucket, Key='fallback/x'),\n\
            refused(client('s3', **us).put_object, Bucket=bucket, Key='claims/x', Body=b''),\n\
            refused(client('sqs', **us, endpoint_url=plain).receive_message, QueueUrl=queue),\n\
            refused(client('sqs', endpoint_url=plain).send_message, QueueUrl=queue, MessageBody='{}'),\n\
            refused(client('s3', **us).get_object, **claim), refused(client('s3', **us, endpoint_url=plain).get_object, **claim)]))\n\
        client('s3').delete_object(**claim)";
    let plain = format!("http://{}", stack.address());
    let (user, secret) = (consumer[0].1.as_str(), consumer[1].1.as_str());
    let arguments = [
        outputs.get("QueueUrl"),
        outputs.get("BucketName"),
        &plain,
        user,
        secret,
    ];
    let refused: Vec<Option<bool>> =
        serde_json::from_str(&stack.aws.boto3(script, &arguments)).unwrap();
    let expected = [vec![Some(true); 6], vec![None, Some(true)]].concat();
    assert_eq!(
        refused, expected,
        "all of these but reading a claim over TLS"
    );
}

/// Variables by which a program acts as a new user with the policy that the documentation asks a deployer
/// to have.
pub(crate) fn deployer(stack: &Stack) -> Credentials {
    let policy = std::fs::read_to_string(root().join("infra/aws/deployer-policy.json")).unwrap();
    let script = "iam, name = client('iam'), 'deployer'\n\
        iam.create_user(UserName=name)\n\
        iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=args[0])\n\
        key = iam.create_access_key(UserName=name)['AccessKey']\n\
        print(key['AccessKeyId'], key['SecretAccessKey'])";
    // The stand-in's account; in the file stands what a reader replaces.
    let policy = policy.replace("123456789012", "000000000000");
    credentials(&stack.aws.boto3(script, &[&policy]))
}

fn credentials(printed: &str) -> Credentials {
    let (id, secret) = printed.split_once(' ').unwrap();
    vec![
        ("AWS_ACCESS_KEY_ID", id.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
    ]
}
