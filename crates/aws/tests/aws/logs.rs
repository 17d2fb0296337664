//! No line of the log holds a secret or a body, whether this crate wrote it, the SDK, or something below that.

use crate::setup::aws_with;
use bytes::Bytes;
use labelrelay_core::config::SecretRef;
use labelrelay_core::{BlobStore, EventQueue, FallbackStore};
use labelrelay_testkit::queue_suite::message;
use labelrelay_tests::servers::{Behaviour, Misbehaving};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

const BODY: &str = "tell-nobody-of-the-body";
const KEY: &str = "tell-nobody-of-the-key";
const TOKEN: &str = "tell-nobody-of-the-token";
const SECRET: &str = "tell-nobody-of-the-secret";

/// All that was written.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Calls all that can be called, well answered and not.
async fn everything() {
    let secret = format!(
        r#"{{"SecretString": "{SECRET}", "Parameter": {{"Value": "{SECRET}", "Version": 2}}}}"#
    );
    let told = Behaviour::Answer {
        status: 200,
        headers: vec![("etag".to_owned(), "\"a\"".to_owned())],
        body: secret,
    };
    let server = Misbehaving::start(Behaviour::Well);
    let more = [("AWS_SECRET_ACCESS_KEY", KEY), ("AWS_SESSION_TOKEN", TOKEN)];
    let aws = aws_with(&server.endpoint(), &more);
    let queue = aws
        .queue(&format!("{}/1/events", server.endpoint()))
        .expect("a URL");
    let blobs = aws.blob_store("s3://claims").expect("a URL");
    let fallback = aws.fallback("s3://claims").expect("a URL");
    let body = Bytes::from(format!("{{\"token\":\"{BODY}\"}}"));
    let one = message("one", &body);
    for behaviour in [
        Behaviour::Well,
        told,
        Behaviour::error(403, "AccessDeniedException", "not yours"),
        Behaviour::html(500),
        Behaviour::HangUp,
    ] {
        server.behave(behaviour);
        let _ = queue.check().await;
        let _ = queue.send(&one).await;
        let chunk = body.clone();
        let chunk = futures_util::stream::once(async { Ok(chunk) });
        let _ = blobs.put("key", body.len() as u64, Box::pin(chunk)).await;
        let _ = fallback.put("key", one.body.clone()).await;
        let _ = fallback.get("key").await;
        for scheme in ["aws-secretsmanager", "aws-ssm"] {
            let name = "hooks".to_owned();
            let source = aws.secret(&SecretRef::Store { scheme, name }, None);
            let _ = source.expect("settings").expect("a store").fetch().await;
        }
    }
    assert!(server.seen().len() > 30, "all of it was really asked");
}

#[tokio::test]
async fn no_line_holds_a_body_or_a_secret() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .with_writer(log.clone())
        .finish();
    // For the whole process: the lines of the tests beside this one are looked at too.
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    everything().await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).expect("text");
    assert!(
        text.contains("the queue's own limit is unknown"),
        "it is this that is logged: {text}"
    );
    assert!(
        text.contains("hyper_util::client"),
        "and the client below: {text}"
    );
    for hush in [BODY, KEY, TOKEN, SECRET] {
        let lines: Vec<_> = text.lines().filter(|line| line.contains(hush)).collect();
        assert!(lines.is_empty(), "{hush} stands in: {lines:#?}");
    }
}
