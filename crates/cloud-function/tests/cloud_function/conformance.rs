//! The suite that every adapter passes, in this process, over HTTP/1 and HTTP/2.

use labelrelay_cloud_function::platform_request::Front;
use labelrelay_cloud_function::stop;
use labelrelay_core::Relay;
use labelrelay_http::serve_with;
use labelrelay_testkit::adapter_suite::{AdapterResponse, same_as_serve};
use labelrelay_testkit::request::TestRequest;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Serves as the program does, while `client` runs.
async fn served(
    relay: Arc<Relay>,
    client: impl AsyncFnOnce(SocketAddr) -> AdapterResponse,
) -> AdapterResponse {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let observer = Arc::clone(&relay.parts().observer);
    let front = Front {
        relay,
        project: Some("project".into()),
        behind_google: false,
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let answer = move |tasks, peer, request| front.clone().answer(tasks, peer, request);
    let stopped = async {
        let _ = stopped.await;
    };
    let server = serve_with(listener, answer, observer, stopped, stop::options(None));
    let client = async {
        let response = client(address).await;
        drop(stop);
        response
    };
    tokio::join!(server, client).1
}

async fn exchange(
    client: reqwest::Client,
    request: TestRequest,
    address: SocketAddr,
) -> AdapterResponse {
    let url = format!("http://{address}{}", request.path);
    let sent = client
        .request(request.method, url)
        .headers(request.headers)
        .body(request.body);
    let answer = sent.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let headers: Vec<_> = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
        .collect();
    let body = answer.bytes().await.expect("a body").to_vec();
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    AdapterResponse::new(status, headers, body)
}

fn builder() -> reqwest::ClientBuilder {
    labelrelay_google::provide_tls();
    // A connection of its own for every case: each case has a server of its own.
    reqwest::Client::builder().pool_max_idle_per_host(0)
}

#[tokio::test]
async fn over_http_1_it_answers_like_serve() {
    let client = builder().http1_only().build().unwrap();
    same_as_serve("Cloud Run, HTTP/1", &move |relay, request| {
        let client = client.clone();
        Box::pin(served(relay, async move |address| {
            exchange(client, request, address).await
        }))
    })
    .await;
}

#[tokio::test]
async fn over_http_2_it_answers_like_serve() {
    let client = builder().http2_prior_knowledge().build().unwrap();
    same_as_serve("Cloud Run, HTTP/2", &move |relay, request| {
        let client = client.clone();
        Box::pin(served(relay, async move |address| {
            exchange(client, request, address).await
        }))
    })
    .await;
}
