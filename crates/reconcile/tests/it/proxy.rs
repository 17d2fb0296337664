//! Servers behind a proxy.

use crate::server::{Server, answer};
use bytes::Bytes;
use http::Request;
use labelrelay_reconcile::http::{HttpClient, Proxies};

async fn asked_by(proxy: &Server, uri: &str) -> Result<u16, String> {
    let mut options = crate::server::options();
    options.attempts = 1;
    let named = proxy.url.replace("http://", "http://me:hidden@");
    options.proxies = Proxies::of(|name| (name == "ALL_PROXY").then(|| named.clone()));
    let client = HttpClient::new(options).unwrap();
    let request = Request::get(uri).body(Bytes::new()).unwrap();
    let answer = client.send(&request).await;
    answer
        .map(|answer| answer.status.as_u16())
        .map_err(|error| error.message)
}

#[tokio::test]
async fn a_proxy_is_told_the_whole_url_and_who_asks() {
    let proxy = Server::start(vec![answer("200 OK", "", "{}")]).await;
    let got = asked_by(&proxy, "http://ls.test/path?query=1").await;
    assert_eq!(got, Ok(200));
    let head = proxy.asked.lock().unwrap()[0].head.to_lowercase();
    assert!(
        head.starts_with("get http://ls.test/path?query=1 http/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nhost: ls.test\r\n"), "{head}");
    assert!(head.contains("\r\nproxy-authorization: basic "), "{head}");
}

#[tokio::test]
async fn an_encrypted_server_is_reached_through_a_tunnel_and_a_proxy_that_refuses_is_named() {
    let refusal = answer("407 Proxy Authentication Required", "", "");
    let proxy = Server::start(vec![refusal]).await;
    let error = asked_by(&proxy, "https://ls.test/path").await.unwrap_err();
    let head = proxy.asked.lock().unwrap()[0].head.clone();
    assert!(
        head.starts_with("CONNECT ls.test:443 HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nProxy-Authorization: Basic "), "{head}");
    let by = format!("by the proxy {}/", proxy.url);
    for said in [by.as_str(), "proxy authorization required"] {
        assert!(error.contains(said), "no {said:?} in {error}");
    }
    assert!(!error.contains("hidden"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_is_told_from_the_server() {
    let refusal = answer("407 Proxy Authentication Required", "", "");
    let proxy = Server::start(vec![refusal]).await;
    let error = asked_by(&proxy, "http://ls.test/path").await.unwrap_err();
    let by = format!("by the proxy {}/", proxy.url);
    for said in [by.as_str(), "wants a user and a password (407)"] {
        assert!(error.contains(said), "no {said:?} in {error}");
    }
    assert!(!error.contains("hidden"), "{error}");
}
