//! Requests that real Label Studios sent.

use crate::fixtures::{describe, head, inspect, list, read};
use http::Method;
use labelrelay_core::provider::{Endpoint, Provider};
use std::fmt::Write as _;

fn snapshot(version: &str) -> String {
    let directory = format!("label_studio/{version}");
    let mut out = String::new();
    for name in list(&directory, "http") {
        let request = read(&format!("{directory}/{name}"));
        let end = request
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .expect("a head");
        let (start, body) = (
            std::str::from_utf8(&request[..end]).unwrap(),
            &request[end + 4..],
        );
        let mut line = start.lines().next().unwrap().split(' ');
        let (method, path) = (
            line.next().unwrap().parse::<Method>().unwrap(),
            line.next().unwrap(),
        );
        let length = start
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .map_or(0, |length| length.parse().unwrap());
        assert_eq!(body.len(), length, "{name} is not as it was recorded");
        let endpoint = Provider::LabelStudio.endpoint(&method, path, true);
        let _ = writeln!(out, "{name}");
        if endpoint == Endpoint::Event {
            let inspection = inspect(Provider::LabelStudio, &head(&[]), body);
            assert!(
                inspection.check.is_json && !inspection.description.event_type.is_unrecognized(),
                "{name}"
            );
            out.push_str(&describe(&inspection));
        } else {
            let _ = writeln!(out, "  {method} {path}: {endpoint:?}");
        }
    }
    out
}

#[test]
fn label_studio_1_20_0() {
    insta::assert_snapshot!(snapshot("1.20.0"));
}

#[test]
fn label_studio_1_23_2() {
    insta::assert_snapshot!(snapshot("1.23.2"));
}
