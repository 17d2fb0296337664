//! The ceiling: what a bare axum server reaches that reads the body, checks the HMAC and answers.
//! No route table, no envelope, no queue. Nothing on this stack that verifies can be faster.

use super::deliveries::{LABEL_STUDIO_PATH, PATH, SECRET, signer};
use crate::Outcome;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, Mac};
use sha1::Sha1;

/// Serves on a free port of the loopback address, and writes `host:port` into the file `args[0]`.
pub(crate) fn run(args: &[String]) -> Outcome {
    let [ready] = args else {
        return Err("usage: xtask ceiling READY-FILE".into());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        std::fs::write(ready, listener.local_addr()?.to_string())?;
        let app = Router::new()
            .route(PATH, post(receive))
            .route(LABEL_STUDIO_PATH, post(receive_with_secret))
            .with_state(signer());
        Ok(axum::serve(listener, app).await?)
    })
}

async fn receive(
    State(mac): State<Hmac<Sha1>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let signature = headers
        .get("x-hub-signature")
        .and_then(|value| value.as_bytes().strip_prefix(b"sha1="))
        .and_then(unhex);
    match signature {
        Some(signature) if mac.chain_update(&body).verify_slice(&signature).is_ok() => {
            (StatusCode::OK, r#"{"outcome":"accepted"}"#)
        }
        _ => (StatusCode::UNAUTHORIZED, r#"{"outcome":"unauthorized"}"#),
    }
}

/// The same for a platform that shows the secret itself.
async fn receive_with_secret(headers: HeaderMap, _body: Bytes) -> (StatusCode, &'static str) {
    let shown = headers.get("authorization");
    match shown.and_then(|value| value.as_bytes().strip_prefix(b"Bearer ")) {
        Some(secret) if secret == SECRET.as_bytes() => {
            (StatusCode::OK, r#"{"outcome":"accepted"}"#)
        }
        _ => (StatusCode::UNAUTHORIZED, r#"{"outcome":"unauthorized"}"#),
    }
}

fn unhex(text: &[u8]) -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    if text.len() != 40 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
