//! Somebody who has the page of a `labelrelay serve` open on a second screen.

use super::deliveries::SECRET;
use crate::Outcome;
use crate::paths::built;
use crate::step::output;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// The page's script asks this often for what is new, and half as often how the relay is.
const EACH: Duration = Duration::from_secs(1);

/// An answer that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Onlooker {
    has_gone: Arc<AtomicBool>,
    looking: JoinHandle<Outcome<u32>>,
}

impl Onlooker {
    /// Opens the page of the server in this folder, which has this configuration.
    pub(super) fn at(folder: &Path, configuration: (&str, &str)) -> Outcome<Self> {
        let queue = format!("sqlite://{}", folder.join("queue.db").display());
        let mut command = Command::new(built("release", "labelrelay")?);
        command
            .args(["status", "--page-url"])
            .env("LABELBOX_WEBHOOK_SECRET", SECRET)
            .env("LABELRELAY_QUEUE", queue)
            .env(configuration.0, configuration.1)
            .current_dir(folder);
        let url = output(&mut command)?;
        let page = url.trim().strip_prefix("http://");
        let page = page.and_then(|rest| rest.split_once("/?token="));
        let (address, token) = page.ok_or_else(|| format!("no URL of a page: {url}"))?;
        let (address, token) = (address.to_owned(), token.to_owned());
        let has_gone = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&has_gone);
        let looking = std::thread::spawn(move || look(&address, &token, &until));
        Ok(Self { has_gone, looking })
    }

    /// Closes it; how many answers there were.
    pub(super) fn leave(self) -> Outcome<u32> {
        self.has_gone.store(true, Ordering::Relaxed);
        match self.looking.join() {
            Ok(looked) => looked,
            Err(_) => Err("whoever looked at the page broke down".into()),
        }
    }
}

fn look(address: &str, token: &str, has_gone: &AtomicBool) -> Outcome<u32> {
    let mut newest = 0;
    let mut answers = 0;
    while !has_gone.load(Ordering::Relaxed) {
        let list = ask(address, token, &format!("/api/deliveries?after={newest}"))?;
        let list: serde_json::Value = serde_json::from_str(&list)?;
        let named = list.get("newest").and_then(serde_json::Value::as_i64);
        newest = named.ok_or("the list names no newest")?;
        answers += 1;
        if answers % 3 == 1 {
            ask(address, token, "/api/strip")?;
            answers += 1;
        }
        std::thread::sleep(EACH);
    }
    Ok(answers)
}

/// The body of the answer.
fn ask(address: &str, token: &str, path: &str) -> Outcome<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(format!("the page answers {path} with {head}").into());
    }
    Ok(body.to_owned())
}
