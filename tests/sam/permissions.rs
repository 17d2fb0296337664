//! Users who may do only what one of the project's policies allows.

use crate::stack::Stack;
use crate::tool::root;

/// Variables of the environment.
pub(crate) type Credentials = Vec<(&'static str, String)>;

/// Variables by which a program acts as a new user who has the managed policy `arn` and no other.
pub(crate) fn consumer(stack: &Stack, arn: &str) -> Credentials {
    let script = "iam, name = client('iam'), 'consumer'\n\
        iam.create_user(UserName=name)\n\
        iam.attach_user_policy(UserName=name, PolicyArn=args[0])\n\
        key = iam.create_access_key(UserName=name)['AccessKey']\n\
        print(key['AccessKeyId'], key['SecretAccessKey'])";
    credentials(&stack.aws.boto3(script, &[arn]))
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
