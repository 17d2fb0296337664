//! One client connection: sends a delivery, reads the answer, connects again where the server closed.

use super::deliveries::{Deliveries, Request};
use super::response;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    request: Request,
    received: Vec<u8>,
}

impl Connection {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
            request: Request::default(),
            received: Vec::with_capacity(4096),
        }
    }

    /// Prepares the next delivery; apart from sending, so that signing is not in the latency.
    pub(crate) fn prepare(&mut self, deliveries: &Deliveries) {
        deliveries.fill(&mut self.request);
    }

    /// Sends what was prepared and gives back the status of the answer.
    pub(crate) async fn exchange(&mut self, deliveries: &Deliveries) -> io::Result<u16> {
        let mut stream = if let Some(stream) = self.stream.take() {
            stream
        } else {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            stream
        };
        let parts = [
            self.request.head.as_bytes(),
            deliveries.prefix(),
            self.request.tail.as_bytes(),
        ];
        write_all_vectored(&mut stream, parts).await?;
        self.received.clear();
        loop {
            let eof = stream.read_buf(&mut self.received).await? == 0;
            if let Some(answer) = response::parse(&self.received, eof)? {
                if answer.keep_alive && answer.length == self.received.len() {
                    self.stream = Some(stream);
                }
                return Ok(answer.status);
            }
        }
    }
}

/// Writes all parts with as few system calls as the socket takes, and without gluing them together.
async fn write_all_vectored(stream: &mut TcpStream, parts: [&[u8]; 3]) -> io::Result<()> {
    let mut slices = parts.map(IoSlice::new);
    let mut left = slices.as_mut_slice();
    while !left.is_empty() {
        match stream.write_vectored(left).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => IoSlice::advance_slices(&mut left, written),
        }
    }
    Ok(())
}
