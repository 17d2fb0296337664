//! A receiver of posts, which answers as a test wants it to.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A post: its headers by their names in lower case, and its body.
#[derive(Clone)]
pub(super) struct Post {
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl Post {
    pub(super) fn subject(&self) -> String {
        let envelope: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        envelope["subject"].as_str().unwrap().to_owned()
    }
}

pub(super) enum Reply {
    /// A status, further header lines, and a body.
    Answer(u16, &'static str, &'static str),
    /// Success, and the beginning of a body that never ends.
    Begin,
    /// Nothing, for as long as the other side waits.
    Hang,
    /// The end of the connection.
    Close,
}

pub(super) const OK: Reply = Reply::Answer(204, "", "");

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    posts: Arc<Mutex<Vec<Post>>>,
}

impl Receiver {
    pub(super) fn start(reply: impl Fn(&Post) -> Reply + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), reply)
    }

    pub(super) fn on(
        listener: TcpListener,
        reply: impl Fn(&Post) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let posts = Arc::new(Mutex::new(Vec::new()));
        let (kept, reply) = (Arc::clone(&posts), Arc::new(reply));
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (kept, reply) = (Arc::clone(&kept), Arc::clone(&reply));
                std::thread::spawn(move || serve(stream.unwrap(), &kept, &*reply));
            }
        });
        Self { address, posts }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook?a=b", self.address)
    }

    pub(super) fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, kept: &Mutex<Vec<Post>>, reply: &dyn Fn(&Post) -> Reply) {
    let mut reader = BufReader::new(stream);
    while let Some(post) = read(&mut reader) {
        kept.lock().unwrap().push(post.clone());
        match reply(&post) {
            Reply::Answer(status, more, body) => {
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\n{more}\r\n{body}"
                );
                if reader.get_mut().write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
            Reply::Begin => {
                let begun = b"HTTP/1.1 200 Said\r\nContent-Length: 1000\r\n\r\nbegun";
                let _ = reader.get_mut().write_all(begun);
                let _ = reader.read(&mut [0]);
                return;
            }
            Reply::Hang => {
                let _ = reader.read(&mut [0]);
                return;
            }
            Reply::Close => return,
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Post> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    assert!(line.starts_with("POST "), "{line}");
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Post {
        path,
        headers,
        body,
    })
}
