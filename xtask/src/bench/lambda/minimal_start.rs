//! One secret call and one handshake with the queue, side by side, by nothing but a TLS library: what a
//! full start cannot avoid, however its clients are made.

use super::stand_in::StandIn;
use crate::Outcome;
use crate::bench::response;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Stream};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Does both at once, and gives back what the slower took.
pub(super) fn secret_and_queue(
    tls: &Arc<ClientConfig>,
    secrets: &StandIn,
    queue: &StandIn,
) -> Outcome<Duration> {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let secret = scope.spawn(|| {
            call(
                tls,
                secrets,
                "secretsmanager.GetSecretValue",
                r#"{"SecretId":"bench"}"#,
            )
        });
        let connected = call(
            tls,
            queue,
            "AmazonSQS.GetQueueAttributes",
            r#"{"QueueUrl":"https://sqs.us-east-1.amazonaws.com/000000000000/bench"}"#,
        );
        let secret = secret
            .join()
            .map_err(|_| "the thread of the secret call panicked")?;
        connected.and(secret)
    })?;
    Ok(begun.elapsed())
}

fn call(tls: &Arc<ClientConfig>, service: &StandIn, target: &str, body: &str) -> Outcome {
    let mut socket = TcpStream::connect(("127.0.0.1", service.port()))?;
    socket.set_nodelay(true)?;
    let mut session = ClientConnection::new(Arc::clone(tls), ServerName::try_from("localhost")?)?;
    let mut stream = Stream::new(&mut session, &mut socket);
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: {target}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let (mut received, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut piece)?;
        received.extend_from_slice(piece.get(..count).unwrap_or_default());
        if let Some(answer) = response::parse(&received, count == 0)? {
            return match answer.status {
                200 => Ok(()),
                status => Err(format!("{target} was answered with {status}").into()),
            };
        }
    }
}
