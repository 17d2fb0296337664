//! `labelrelay events page --from`: the page over an archive.

use crate::archive::{archived, archiving, queued, send};
use crate::support::{Place, until};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A page; ended when dropped.
struct Page {
    child: Child,
    address: String,
    token: String,
}

impl Page {
    fn over(place: &Place, words: &[&str]) -> Self {
        let mut command = place.command(&["events", "page", "--from", "file:archive"]);
        let child = command
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = child.spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let rest = line.trim().strip_prefix("http://").unwrap();
        let (address, token) = rest.split_once("/?token=").unwrap();
        Self {
            address: address.to_owned(),
            token: token.to_owned(),
            child,
        }
    }

    fn get(&self, path: &str, token: &str) -> (u16, String) {
        let Self { address, .. } = self;
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path, &self.token);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Ids of the events that pass.
    fn ids(&self, query: &str) -> Vec<String> {
        let list = self.json(&format!("/api/deliveries{query}"));
        let events = list["deliveries"].as_array().unwrap().iter();
        let ids = events.map(|event| event["event_id"].as_str().unwrap().to_owned());
        ids.collect()
    }

    /// Asks it to end; its code.
    fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(&pid).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_page_shows_what_the_archive_has() {
    let place = archiving();
    let serving = place.serve(&[]);
    send(&place, &serving);
    let all = queued(&place);
    until("the events are in the archive", || archived(&place) == all);
    let body = |id: &String| {
        place
            .run(&["events", "show", id, "--body"])
            .good()
            .to_owned()
    };
    let bodies: Vec<String> = all.iter().map(body).collect();
    assert_eq!(serving.stop(), 0);

    let page = Page::over(&place, &[]);
    let mut listed = page.ids("");
    listed.sort();
    assert_eq!(listed, all);
    for (id, body) in all.iter().zip(bodies) {
        let (status, found) = page.get(&format!("/api/deliveries/{id}/body"), &page.token);
        assert_eq!((status, found), (200, body));
        let shown = page.json(&format!("/api/deliveries/{id}"));
        assert_eq!(shown["summary"]["outcome"], "archived");
        assert!(
            shown["envelope"]["text"]
                .as_str()
                .unwrap()
                .contains(id.as_str())
        );
        assert_eq!(shown["body"]["state"], "whole");
        let steps = shown["steps"].to_string();
        assert!(!steps.contains("The answer was"), "{steps}");
    }
    // The field finds ids, and the filters are those of the verbs.
    let first = all.first().unwrap();
    assert_eq!(
        page.ids(&format!("?q={}", &first[..8])),
        std::slice::from_ref(first)
    );
    assert_eq!(page.ids("?source=labelbox").len(), 1);
    assert!(page.ids("?show=refused").is_empty());
    let strip = page.json("/api/strip");
    assert_eq!(strip["parts"][0]["ok"], true, "{strip}");
    // Nobody else sees it.
    let (status, _) = page.get("/api/deliveries", "another-token-of-22-letters");
    assert!(status == 401 || status == 403, "{status}");
    assert_eq!(page.stop(), Some(0));

    let few = Page::over(&place, &["--limit", "1"]);
    assert_eq!(few.ids("").len(), 1);
    let from = ["events", "page", "--from", "file:archive"];
    let open = [&from[..], &["--listen", "0.0.0.0:0"]].concat();
    place.run(&open).failed(2, &["loopback"]);
}
