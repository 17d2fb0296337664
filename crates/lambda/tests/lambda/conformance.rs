//! The conformance suite of adapters, through the handler: every front, both forms of a body.

use crate::event_builder::{Form, Front, event};
use crate::fronts::{headers_of, in_its_form};
use labelrelay_core::{BoxFuture, Relay};
use labelrelay_lambda::{Event, Function, Telemetry};
use labelrelay_testkit::adapter_suite::{self, AdapterResponse};
use labelrelay_testkit::request::TestRequest;
use std::sync::Arc;
use tracing::level_filters::LevelFilter;

fn through(
    front: Front,
    form: Form,
) -> impl Fn(Arc<Relay>, TestRequest) -> BoxFuture<'static, AdapterResponse> {
    move |relay, request| {
        Box::pin(async move {
            let now = relay.parts().clock.now().as_millisecond();
            let bytes = serde_json::to_vec(&event(front, form, &request, now)).unwrap();
            let event: Event = serde_json::from_slice(&bytes).unwrap();
            let sink = Arc::new(|_: &[u8]| {});
            let telemetry = Telemetry::new("relay".to_owned(), LevelFilter::OFF, sink);
            let function = Function::new(relay, Arc::new(telemetry));
            let response = function.invoke(event, 0).await.unwrap();
            let written = serde_json::to_value(&response).unwrap();
            in_its_form(front, &written);
            let headers = headers_of(&written);
            AdapterResponse::new(
                u16::try_from(written["statusCode"].as_u64().unwrap()).unwrap(),
                headers.iter().map(|(name, value)| (&**name, &**value)),
                written["body"].as_str().unwrap().as_bytes().to_vec(),
            )
        })
    }
}

async fn same_as_serve(front: Front, form: Form) {
    let name = format!("{front:?}, {form:?}");
    let adapter = through(front, form);
    if front == (Front::LoadBalancer { multi_value: false }) {
        adapter_suite::same_as_serve_in_single_lines(&name, &adapter).await;
    } else {
        adapter_suite::same_as_serve(&name, &adapter).await;
    }
}

#[tokio::test]
async fn function_url() {
    same_as_serve(Front::FunctionUrl, Form::Text).await;
    same_as_serve(Front::FunctionUrl, Form::Base64).await;
}

#[tokio::test]
async fn http_api() {
    same_as_serve(Front::HttpApi("$default"), Form::Text).await;
    same_as_serve(Front::HttpApi("prod"), Form::Base64).await;
}

#[tokio::test]
async fn http_api_with_payload_format_1_0() {
    same_as_serve(Front::HttpApiV1("$default"), Form::Text).await;
    same_as_serve(Front::HttpApiV1("prod"), Form::Base64).await;
}

#[tokio::test]
async fn rest_api() {
    same_as_serve(Front::RestApi(""), Form::Text).await;
    same_as_serve(Front::RestApi("/hooks/prod"), Form::Base64).await;
}

#[tokio::test]
async fn load_balancer() {
    let front = Front::LoadBalancer { multi_value: false };
    same_as_serve(front, Form::Text).await;
    same_as_serve(front, Form::Base64).await;
}

#[tokio::test]
async fn load_balancer_with_multi_value_headers() {
    let front = Front::LoadBalancer { multi_value: true };
    same_as_serve(front, Form::Text).await;
    same_as_serve(front, Form::Base64).await;
}
