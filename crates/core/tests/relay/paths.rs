//! Which source a path names, in all its spellings, and with what a proxy leaves in front of it.

use crate::test_bench::{BOTH_PLATFORMS, Bench, SECRET};
use http::Method;
use labelrelay_core::QueueLimits;
use labelrelay_core::signature::sign_sha1;
use labelrelay_testkit::request::TestRequest;

/// A source that is not the default, so that a path that misses it is refused.
fn studio(path: &str) -> TestRequest {
    let body =
        format!("{{\"action\":\"ANNOTATION_CREATED\",\"annotation\":{{\"id\":\"{path}\"}}}}");
    TestRequest::label_studio(SECRET, body.as_bytes()).at(path)
}

fn bench(before: &str) -> Bench {
    let toml = format!("{before}\n{BOTH_PLATFORMS}");
    Bench::with(&toml, QueueLimits::bytes(1 << 20), false)
}

#[test]
fn every_spelling_of_a_path_names_the_same_source() {
    let bench = Bench::new();
    for path in [
        "/label-studio",
        "//label-studio",
        "///label-studio//webhook/",
        "/label%2Dstudio",
        "/label%2dstudio/webhook",
        "/%6cabel-studio",
        "/./label-studio",
        "/a/../label-studio",
        "/%2e%2e/label-studio",
    ] {
        assert_eq!(bench.status(&studio(path)), 200, "{path}");
    }
    // A path names a thing, not its spelling in other letters; an escaped slash parts nothing.
    for path in [
        "/Label-Studio",
        "/label-studio%2Fwebhook",
        "/label%252Dstudio",
    ] {
        assert_eq!(bench.status(&studio(path)), 401, "{path}");
    }
    let health = |path: &str| {
        TestRequest::new(Method::GET, path, b"")
            .header("authorization", &format!("Bearer {SECRET}"))
    };
    assert_eq!(bench.status(&health("//label-studio/%68ealth/")), 200);
    assert_eq!(
        bench.status(&TestRequest::new(Method::GET, "//%2D/ready", b"")),
        200
    );
}

#[test]
fn a_prefix_that_a_proxy_leaves_in_front_names_the_same_source() {
    let bench = Bench::new();
    for path in [
        "/hooks/label-studio",
        "/prod/label-studio",
        "/a/deep/prefix//label%2Dstudio/webhook",
        // A path below a source may be called like another one.
        "/label-studio/labelbox",
        "/hooks/label-studio/labelbox",
    ] {
        assert_eq!(bench.status(&studio(path)), 200, "{path}");
    }
    assert!(
        bench
            .queue
            .messages()
            .iter()
            .all(|message| message.source() == "/label-studio")
    );
    // A name is a whole segment.
    for path in [
        "/hooks/label-studio2",
        "/hooks-label-studio",
        "/hooks/xlabel-studio",
    ] {
        assert_eq!(bench.status(&studio(path)), 401, "{path}");
    }
}

#[test]
fn a_prefix_that_is_configured_is_no_name() {
    for before in [
        "path_prefix = \"/labelbox\"",
        "path_prefix = \"labelbox/\"",
        "[serve]\npublic_url = \"https://h.example/labelbox/\"",
    ] {
        let bench = bench(before);
        for path in [
            "/labelbox/label-studio",
            "/label-studio",
            "//labelbox/label%2Dstudio/x",
        ] {
            assert_eq!(bench.status(&studio(path)), 200, "{before}: {path}");
        }
        let ready = TestRequest::new(Method::GET, "/labelbox/-/ready", b"");
        assert_eq!(bench.status(&ready), 200, "{before}");
        for (path, d) in [
            ("/labelbox", "1"),
            ("/labelbox/labelbox", "2"),
            ("/labelbox/x", "3"),
            ("/", "4"),
        ] {
            let body = format!("{{\"id\":\"{d}\"}}");
            let box_ = TestRequest::labelbox(SECRET, "LABEL_CREATED", d, body.as_bytes());
            assert_eq!(bench.status(&box_.at(path)), 200, "{before}: {path}");
        }
    }
}

/// The environment has one too, which a file's gives way to, and nobody's secret serves another source.
#[test]
fn a_path_chooses_whose_secrets_are_tried_and_no_others() {
    let toml = BOTH_PLATFORMS.replacen("env:SECRET", "env:PREVIOUS", 1);
    let bench = Bench::with(&toml, QueueLimits::bytes(1 << 20), false);
    for path in [
        "/labelbox/label-studio",
        "/x/labelbox/label-studio",
        "/nowhere",
    ] {
        assert_eq!(bench.status(&studio(path)), 401, "{path}");
    }
    assert!(bench.queue.messages().is_empty());
}

#[test]
fn the_log_lists_the_sources_where_none_matches() {
    let bench = Bench::new();
    let answer = bench.deliver(&studio("/label_studio"));
    let reason = bench.reason();
    assert!(
        reason.contains("no source has this path") && reason.contains("`labelbox`, `label-studio`"),
        "{reason}"
    );
    // A stranger is not told.
    let body = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(!body.contains("label-studio"), "{body}");
}

/// A signature is known to be wrong after the last byte only, and a misspelt name is as likely the reason.
#[test]
fn a_signature_on_a_path_that_no_source_has_is_explained_as_well() {
    let bench = Bench::new();
    let body = br#"{"id":"1"}"#;
    let signed =
        |path: &str| TestRequest::labelbox("another-secret", "LABEL_CREATED", "1", body).at(path);
    let question = TestRequest::new(Method::GET, "/label_box/models", b"")
        .header("x-hub-signature", &sign_sha1(b"another-secret", b""));
    for request in [signed("/label_box"), question] {
        assert_eq!(bench.status(&request), 401);
        let reason = bench.reason();
        assert!(
            reason.contains("no source has this path")
                && reason.contains("`labelbox`, `label-studio`"),
            "{reason}"
        );
    }
    // The right path, and the root, say nothing of the URL.
    for path in ["/labelbox", "/"] {
        assert_eq!(bench.status(&signed(path)), 401);
        let reason = bench.reason();
        assert!(!reason.contains("no source has this path"), "{reason}");
    }
}
