//! The conformance suite of adapters, through the handler: both event kinds, both forms of a body.

use crate::event_builder::{Form, Front, event};
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
            assert!(!response.is_base64_encoded);
            let headers = response.headers.iter();
            AdapterResponse::new(
                u16::try_from(response.status_code).unwrap(),
                headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap())),
                response.body.as_deref().unwrap_or_default().to_vec(),
            )
        })
    }
}

#[tokio::test]
async fn function_url() {
    for form in [Form::Text, Form::Base64] {
        let name = format!("function URL, {form:?}");
        adapter_suite::same_as_serve(&name, &through(Front::FunctionUrl, form)).await;
    }
}

#[tokio::test]
async fn http_api() {
    for (stage, form) in [("$default", Form::Text), ("prod", Form::Base64)] {
        let name = format!("HTTP API, stage {stage}, {form:?}");
        adapter_suite::same_as_serve(&name, &through(Front::HttpApi(stage), form)).await;
    }
}
