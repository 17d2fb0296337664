//! Deliveries of Labelbox to a deployed function.

use crate::stack::{Outputs, Stack};
use labelrelay_tests::client::{Client, Response};
use labelrelay_tests::sender;
use std::collections::HashMap;

/// Events that the relay said it accepted: ids, and the bytes that were sent.
pub(crate) type Accepted = HashMap<String, Vec<u8>>;

/// Sends a request that is written for the root of a server.
pub(crate) fn send(stack: &Stack, outputs: &Outputs, request: &[u8]) -> Response {
    let place = outputs.path("LabelboxUrl");
    let place = place.strip_suffix("/labelbox").unwrap();
    let rest = request.strip_prefix(b"POST ").unwrap();
    Client::connect(stack.address())
        .and_then(|mut client| client.exchange(&[b"POST ", place.as_bytes(), rest].concat()))
        .unwrap()
}

/// Delivers a label, which must be accepted.
pub(crate) fn deliver(
    stack: &Stack,
    outputs: &Outputs,
    secret: &str,
    body: &[u8],
    accepted: &mut Accepted,
) {
    let request = sender::labelbox(secret, "LABEL_CREATED", "ckfgcfsjk09jn06624cy7gb26", body);
    let answer = send(stack, outputs, &request);
    assert_eq!(answer.status, 200, "{}\n{}", answer.text(), stack.logs());
    accepted.insert(answer.member("id").unwrap(), body.to_owned());
}
