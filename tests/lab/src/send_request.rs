//! Sends a request over a connection: whole, in pieces, cut off, hung up on, or several times.

use crate::record::{Answer, End};
use labelrelay_tests::client::{Client, Response};
use serde::Deserialize;
use std::io::{self, ErrorKind, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Pause between the pieces of a slow body.
const PAUSE: Duration = Duration::from_millis(2);

#[derive(Deserialize)]
struct Said {
    outcome: String,
    id: Option<String>,
}

/// A request in one go.
pub(crate) fn at_once(client: &mut Client, request: &[u8]) -> End {
    let written = client.write(request);
    end(written, client)
}

/// Head and body in pieces, with pauses.
pub(crate) fn pieces(client: &mut Client, head: &[u8], body: &[u8]) -> End {
    let mut written = client.write(head);
    for piece in body.chunks(body.len().div_ceil(4).max(1)) {
        std::thread::sleep(PAUSE);
        written = written.and_then(|()| client.write(piece));
    }
    end(written, client)
}

/// Closes after the last byte, before any answer.
pub(crate) fn hang_up(address: SocketAddr, request: &[u8]) -> End {
    let sent = TcpStream::connect(address).and_then(|mut stream| stream.write_all(request));
    match sent {
        Ok(()) => End::HungUp,
        Err(_) => End::NotWhole,
    }
}

/// Resets the connection after a part of the request.
pub(crate) fn cut(address: SocketAddr, part: &[u8]) -> End {
    let cut = TcpStream::connect(address).and_then(|mut stream| {
        stream.write_all(part)?;
        // Closing then discards what is not sent yet, and says so.
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
        Ok(())
    });
    // Either way it never was whole.
    let _ = cut;
    End::NotWhole
}

/// The same request on several connections, to these addresses in turn: all but the last byte first, then the last bytes.
pub(crate) fn copies(addresses: &[SocketAddr], request: &[u8], copies: u32) -> Vec<End> {
    let (last, most) = request.split_last().expect("a request");
    let begin = |address: &SocketAddr| {
        let mut client = connect(*address)?;
        client.write(most)?;
        Ok::<_, io::Error>(client)
    };
    let addresses = addresses.iter().cycle();
    let mut clients: Vec<_> = (0..copies)
        .zip(addresses)
        .map(|(_, address)| begin(address))
        .collect();
    let written: Vec<_> = clients
        .iter_mut()
        .map(|client| match client {
            Ok(client) => client.write(&[*last]),
            Err(error) => Err(error.kind().into()),
        })
        .collect();
    let ends = clients.into_iter().zip(written);
    ends.map(|(client, written)| match client {
        Ok(mut client) => end(written, &mut client),
        Err(_) => End::NotWhole,
    })
    .collect()
}

pub(crate) fn connect(address: SocketAddr) -> io::Result<Client> {
    Client::connect(address)
}

/// Result of a request that was sent whole.
pub(crate) fn answered(client: &mut Client) -> End {
    end(Ok(()), client)
}

fn end(written: io::Result<()>, client: &mut Client) -> End {
    // A server that refuses by the head alone may close while the body is still being sent.
    match (client.read(), written) {
        (Ok(response), _) => End::Answered(answer(&response)),
        (Err(error), Ok(()))
            if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
        {
            End::Silence
        }
        (Err(_), Ok(())) => End::Broke,
        (Err(_), Err(_)) => End::NotWhole,
    }
}

fn answer(response: &Response) -> Answer {
    let said: Option<Said> = serde_json::from_slice(&response.body).ok();
    let said = said.unwrap_or_else(|| Said {
        outcome: response.text(),
        id: None,
    });
    Answer {
        status: response.status,
        outcome: said.outcome,
        id: said.id,
    }
}
