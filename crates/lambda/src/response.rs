//! Core's answer as Lambda's: the response of payload format 2.0, which 1.0 and load balancers take too.

use labelrelay_core::Answer;
use lambda_http::Body;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;

/// An HTTP response, as `lambda_http` writes it. Its body is text: JSON.
pub type Response = ApiGatewayV2httpResponse;

pub(crate) fn response(answer: Answer) -> Response {
    let (head, body) = http::Response::from(answer).into_parts();
    let mut response = Response::default();
    response.status_code = i64::from(head.status.as_u16());
    response.headers = head.headers;
    response.body = Some(Body::Text(String::from_utf8_lossy(&body).into_owned()));
    response
}
