//! A stack in a stand-in for AWS: built and deployed by the SAM command line, seen through its outputs.

use crate::aws::Aws;
use crate::tool::{output, path, root, tool};
use labelrelay_tests::program::as_by_hand;
use labelrelay_tests::servers::{REGION, installed};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Outputs of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outputs(HashMap<String, String>);

impl Outputs {
    /// The output of this name, which must be there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("the stack has no output {name}: {:?}", self.0))
    }

    /// Tells whether there is an output of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Path below the stand-in's address that stands for the URL in the output `name`: its host names
    /// lead to the real AWS.
    pub(crate) fn path(&self, name: &str) -> String {
        let url = self.get(name);
        let (host, path) = url
            .strip_prefix("https://")
            .and_then(|rest| rest.split_once('/'))
            .unwrap_or_else(|| panic!("{name} is no HTTPS URL: {url}"));
        if let Some((id, _)) = host.split_once(".lambda-url.") {
            return format!("/_aws/lambda-url/{id}/{path}");
        }
        let (id, _) = host
            .split_once(".execute-api.")
            .unwrap_or_else(|| panic!("{name} is the URL of no front door: {url}"));
        format!("/_aws/execute-api/{id}/{path}")
    }
}

/// The stack's name in `samconfig.toml`.
const NAME: &str = "labelrelay";

/// The stand-in, and the stack in it.
pub(crate) struct Stack {
    /// The cloud that holds everything. It lets a function do only what the function's role allows.
    pub(crate) aws: Aws,
}

impl Stack {
    /// An empty stand-in.
    pub(crate) fn new() -> Self {
        Self { aws: Aws::start() }
    }

    /// Address of function URLs.
    pub(crate) fn address(&self) -> SocketAddr {
        self.aws.plain()
    }

    /// `sam deploy` of the template at `template` with the repository's own settings and these parameters.
    pub(crate) fn deploy_configured(&self, template: &Path, parameters: &[&str]) -> Outputs {
        let mut command = self.sam_deploy(template, parameters);
        command
            .arg("--config-file")
            .arg(root().join("samconfig.toml"));
        output(&mut command);
        self.outputs()
    }

    /// `sam deploy` as the documentation says it for a release's archive.
    pub(crate) fn deploy(&self, template: &Path, parameters: &[&str]) -> Outputs {
        self.deploy_as(template, parameters, &[])
    }

    /// The same with other variables in the environment, such as credentials.
    pub(crate) fn deploy_as(
        &self,
        template: &Path,
        parameters: &[&str],
        variables: &[(&str, String)],
    ) -> Outputs {
        let mut command = self.sam_deploy(template, parameters);
        command
            .args(["--stack-name", NAME, "--resolve-s3"])
            .args(["--capabilities", "CAPABILITY_IAM"])
            .envs(variables.iter().map(|(name, value)| (name, value)));
        output(&mut command);
        self.outputs()
    }

    /// `sam delete`.
    pub(crate) fn delete(&self) {
        let mut command = tool("LABELRELAY_TEST_SAM");
        command
            .args(["delete", "--no-prompts", "--stack-name", NAME])
            .args(["--region", REGION])
            .envs(self.aws.environment());
        output(&mut command);
    }

    fn sam_deploy(&self, template: &Path, parameters: &[&str]) -> Command {
        let mut command = tool("LABELRELAY_TEST_SAM");
        command
            .args(["deploy", "--template-file"])
            .arg(template)
            .args(["--no-confirm-changeset", "--no-progressbar"])
            .arg("--parameter-overrides")
            .arg(format!("Architecture={}", architecture()))
            // The stand-in knows no alarm that several metrics make.
            .arg("OversizedAlarm=false")
            .args(parameters)
            .current_dir(template.parent().unwrap())
            .envs(self.aws.environment());
        command
    }

    /// Output of `sam list stack-outputs`.
    fn outputs(&self) -> Outputs {
        let mut command = tool("LABELRELAY_TEST_SAM");
        command
            .args(["list", "stack-outputs", "--output", "json", "--stack-name"])
            .arg(NAME)
            .envs(self.aws.environment());
        let printed = output(&mut command);
        let outputs: Vec<HashMap<String, String>> = serde_json::from_str(&printed).unwrap();
        Outputs(
            outputs
                .into_iter()
                .map(|mut output| {
                    (
                        output.remove("OutputKey").unwrap(),
                        output.remove("OutputValue").unwrap(),
                    )
                })
                .collect(),
        )
    }

    /// The value that the command in the output `name` prints.
    pub(crate) fn secret(&self, outputs: &Outputs, name: &str) -> String {
        let (region, id) = secret_of(outputs.get(name));
        self.aws.boto3(
            "print(client('secretsmanager', region_name=args[0]).get_secret_value(SecretId=args[1])['SecretString'])",
            &[region, id],
        )
    }

    /// Gives the secret a new value of 40 letters and digits, as a rotation does, and returns it. The
    /// stand-in generates others, because it does not know `ExcludePunctuation`.
    pub(crate) fn rotate(&self, outputs: &Outputs, name: &str) -> String {
        let (region, id) = secret_of(outputs.get(name));
        let script = "import secrets\n\
            new = secrets.token_hex(20)\n\
            client('secretsmanager', region_name=args[0]).put_secret_value(SecretId=args[1], SecretString=new)\n\
            print(new)";
        self.aws.boto3(script, &[region, id])
    }

    /// Lets no answer be late because a machine is busy: 12 of the 15 seconds that the function has.
    pub(crate) fn answers_late(&self, outputs: &Outputs) {
        let script = "functions = client('lambda')\n\
            found = functions.get_function_configuration(FunctionName=args[0])['Environment']['Variables']\n\
            found['LABELRELAY_DEADLINE_MS'] = '12000'\n\
            functions.update_function_configuration(FunctionName=args[0], Environment={'Variables': found})\n\
            functions.get_waiter('function_updated_v2').wait(FunctionName=args[0])";
        self.aws.boto3(script, &[outputs.get("RelayFunction")]);
    }

    /// Keys of the objects in the bucket below `prefix`.
    pub(crate) fn objects(&self, outputs: &Outputs, prefix: &str) -> Vec<String> {
        let script = "found = client('s3').list_objects_v2(Bucket=args[0], Prefix=args[1])\n\
            print(json.dumps([item['Key'] for item in found.get('Contents', [])]))";
        let printed = self.aws.boto3(script, &[outputs.get("BucketName"), prefix]);
        serde_json::from_str(&printed).unwrap()
    }

    /// Actions that the function allows to everybody, each under a condition.
    pub(crate) fn public_actions(&self, outputs: &Outputs) -> Vec<String> {
        let script = "policy = json.loads(client('lambda').get_policy(FunctionName=args[0])['Policy'])\n\
            url_alone = ['lambda:FunctionUrlAuthType', 'lambda:InvokedViaFunctionUrl']\n\
            print(json.dumps(sorted(one['Action'] for one in policy['Statement'] if one['Principal'] == '*' and \
            all(key in url_alone for keys in one['Condition'].values() for key in keys))))";
        let printed = self.aws.boto3(script, &[outputs.get("RelayFunction")]);
        serde_json::from_str(&printed).unwrap()
    }

    /// Days for which logs are kept, of each log group of the stack.
    pub(crate) fn log_retention(&self, outputs: &Outputs) -> Vec<u64> {
        let script = "groups = [client('lambda').get_function_configuration(FunctionName=name)['LoggingConfig']['LogGroup'] for name in args]\n\
            found = [client('logs').describe_log_groups(logGroupNamePrefix=name)['logGroups'][0] for name in groups]\n\
            print(json.dumps([group['retentionInDays'] for group in found]))";
        let functions = [outputs.get("RelayFunction"), outputs.get("RedriveFunction")];
        serde_json::from_str(&self.aws.boto3(script, &functions)).unwrap()
    }

    /// The end of what the functions have logged, for a failed test.
    pub(crate) fn logs(&self) -> String {
        let script = "logs = client('logs')\n\
            for group in logs.describe_log_groups()['logGroups']:\n    \
            for event in logs.filter_log_events(logGroupName=group['logGroupName'])['events'][-20:]:\n        \
            print(event['message'].rstrip())";
        self.aws.boto3(script, &[])
    }

    /// How often Lambda starts the function that empties the fallback again after it has failed.
    pub(crate) fn redrive_retries(&self, outputs: &Outputs) -> u64 {
        let script = "found = client('lambda').get_function_event_invoke_config(FunctionName=args[0], Qualifier='$LATEST')\n\
            print(found['MaximumRetryAttempts'])";
        let printed = self.aws.boto3(script, &[outputs.get("RedriveFunction")]);
        printed.parse().unwrap()
    }

    /// An attribute of the queue at `url`, which must have it.
    pub(crate) fn queue_attribute(&self, url: &str, name: &str) -> String {
        let script = "found = client('sqs').get_queue_attributes(QueueUrl=args[0], AttributeNames=[args[1]])\n\
            print(found['Attributes'][args[1]])";
        self.aws.boto3(script, &[url, name])
    }

    /// Messages that wait in the queue, those in flight included.
    pub(crate) fn waiting(&self, outputs: &Outputs) -> u64 {
        self.waiting_at(outputs.get("QueueUrl"))
    }

    /// Messages that wait in the queue at `url`, those in flight included.
    pub(crate) fn waiting_at(&self, url: &str) -> u64 {
        let script = "names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible']\n\
            found = client('sqs').get_queue_attributes(QueueUrl=args[0], AttributeNames=names)['Attributes']\n\
            print(sum(int(found[name]) for name in names))";
        self.aws.boto3(script, &[url]).parse().unwrap()
    }
}

/// Region and name of the secret that a printed command reads.
fn secret_of(command: &str) -> (&str, &str) {
    let words: Vec<&str> = command.split_whitespace().collect();
    let [
        "aws",
        "secretsmanager",
        "get-secret-value",
        "--region",
        region,
        "--secret-id",
        id,
        "--query",
        "SecretString",
        "--output",
        "text",
    ] = words[..]
    else {
        panic!("another command than this test knows: {command}")
    };
    (region, id.trim_matches('\''))
}

/// `sam build` of the repository, into `folder`; returns the built template.
pub(crate) fn build(folder: &Path) -> PathBuf {
    let cargo = PathBuf::from(env!("CARGO"));
    let mut command = tool("LABELRELAY_TEST_SAM");
    command
        .args(["build", "--template-file", "template.yaml", "--build-dir"])
        .arg(folder)
        .args([
            "--parameter-overrides",
            &format!("Architecture={}", architecture()),
        ])
        .env(
            "PATH",
            path(&[cargo, installed("LABELRELAY_TEST_CARGO_LAMBDA")]),
        )
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .current_dir(root());
    as_by_hand(&mut command);
    output(&mut command);
    folder.join("template.yaml")
}

/// Architecture of this machine, as AWS calls it: the stand-in runs the function here.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    }
}
