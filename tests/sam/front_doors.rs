//! The front doors beside the function URL: each takes what that takes. `deploy.rs` has the function URL, with the same
//! deliveries and the same real Label Studio.

use crate::consumer::consume;
use crate::delivery::{Accepted, send};
use crate::deploy::{assert_same, forgeries, labelbox, walk};
use crate::stack::Stack;
use crate::{archive, permissions};
use labelrelay_tests::client::{Client, Response};
use labelrelay_tests::relay::WRONG_SECRET;
use labelrelay_tests::sender;

#[test]
#[ignore = "needs SAM, MiniStack and Label Studio: cargo xtask test"]
fn an_http_api_takes_what_a_function_url_takes() {
    everything_delivered_through("HttpApi");
}

#[test]
#[ignore = "needs SAM, MiniStack and Label Studio: cargo xtask test"]
fn a_rest_api_takes_what_a_function_url_takes() {
    everything_delivered_through("RestApi");
}

fn everything_delivered_through(front_door: &str) {
    let folders = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let folder = folders.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    };
    let stack = Stack::new();
    let front_door = format!("FrontDoor={front_door}");
    let outputs = stack.deploy(
        &archive::pack(&folder("archive")),
        &[&front_door, "LabelStudioMlBackend=true", "Fallback=false"],
    );
    let url = outputs.get("LabelboxUrl");
    assert!(url.contains(".execute-api."), "{url}");
    assert!(
        stack.public_actions(&outputs).is_empty(),
        "nobody gets past the API"
    );
    let secret = stack.rotate(&outputs, "LabelboxSecretCommand");
    let label_studio_secret = stack.rotate(&outputs, "LabelStudioSecretCommand");
    let mut accepted = Accepted::new();
    labelbox(&stack, &outputs, &secret, &mut accepted);
    forgeries(&stack, &outputs);
    walk(&stack, &outputs, &label_studio_secret, &mut accepted);
    let consumer = permissions::consumer(&stack, outputs.get("ConsumerPolicyArn"));
    let events = consume(&stack, &outputs, &folder("consumed"), &consumer);
    assert_same(&accepted, &events);
}

/// API Gateway does it itself: nothing is invoked.
#[test]
#[ignore = "needs SAM and MiniStack: cargo xtask test"]
fn a_rest_api_refuses_addresses_that_are_not_on_its_list() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::new();
    let outputs = stack.deploy(
        &archive::pack(folder.path()),
        &[
            "FrontDoor=RestApi",
            "ApiAllowedAddresses=192.0.2.7,198.51.100.0/24",
            "LabelStudio=false",
            "Fallback=false",
        ],
    );
    let secret = stack.secret(&outputs, "LabelboxSecretCommand");
    let body = sender::label("elsewhere");
    let request = sender::labelbox(&secret, "LABEL_CREATED", "ckfgcfsjk09jn06624cy7gb26", &body);
    let answer = send(&stack, &outputs, &request);
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(
        answer.text().contains("execute-api:Invoke"),
        "the API's own answer: {}",
        answer.text()
    );
    assert_eq!(stack.waiting(&outputs), 0);
}

/// Made by hand, as the documentation says it.
#[test]
#[ignore = "needs SAM and MiniStack: cargo xtask test"]
fn a_load_balancer_takes_deliveries() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::new();
    let outputs = stack.deploy(
        &archive::pack(folder.path()),
        &["LabelStudio=false", "Fallback=false"],
    );
    let secret = stack.secret(&outputs, "LabelboxSecretCommand");
    let script = "function, name, several = args\n\
        elb, function = client('elbv2'), client('lambda').get_function_configuration(FunctionName=function)['FunctionArn']\n\
        group = elb.create_target_group(Name=name, TargetType='lambda')['TargetGroups'][0]['TargetGroupArn']\n\
        lines = {'Key': 'lambda.multi_value_headers.enabled', 'Value': several}\n\
        elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[lines])\n\
        client('lambda').add_permission(FunctionName=function, StatementId=name, Action='lambda:InvokeFunction', \
        Principal='elasticloadbalancing.amazonaws.com', SourceArn=group)\n\
        elb.register_targets(TargetGroupArn=group, Targets=[{'Id': function}])\n\
        balancer = elb.create_load_balancer(Name=name)['LoadBalancers'][0]['LoadBalancerArn']\n\
        forward = [{'Type': 'forward', 'TargetGroupArn': group}]\n\
        elb.create_listener(LoadBalancerArn=balancer, Protocol='HTTP', Port=80, DefaultActions=forward)";
    for (name, several) in [("single-lines", "false"), ("several-lines", "true")] {
        let arguments = [outputs.get("RelayFunction"), name, several];
        stack.aws.boto3(script, &arguments);
        let body = sender::label(name);
        let signed = |secret: &str| sender::labelbox(secret, "LABEL_CREATED", "delivery", &body);
        let answer = through(&stack, name, &signed(&secret));
        assert_eq!(answer.status, 200, "{}\n{}", answer.text(), stack.logs());
        let answer = through(&stack, name, &signed(WRONG_SECRET));
        assert_eq!(answer.status, 401, "{}", answer.text());
    }
    assert_eq!(stack.waiting(&outputs), 2);
}

/// Sends a request that is written for the root of a server to the load balancer of this name.
fn through(stack: &Stack, balancer: &str, request: &[u8]) -> Response {
    let place = format!("/_alb/{balancer}");
    let rest = request.strip_prefix(b"POST ").unwrap();
    Client::connect(stack.address())
        .and_then(|mut client| client.exchange(&[b"POST ", place.as_bytes(), rest].concat()))
        .unwrap()
}
