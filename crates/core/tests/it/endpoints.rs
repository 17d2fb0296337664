//! Which request asks for what.

use http::Method;
use labelrelay_core::provider::{Endpoint, Provider};

#[test]
fn labelbox() {
    for (method, path, expected) in [
        (Method::POST, "", Endpoint::Event),
        (Method::POST, "/", Endpoint::Event),
        (Method::POST, "/webhook-endpoint", Endpoint::Event),
        (Method::POST, "/model_run", Endpoint::Event),
        (Method::POST, "/models", Endpoint::Event),
        (Method::GET, "/models", Endpoint::Models),
        (Method::GET, "/any/models/", Endpoint::Models),
        (Method::GET, "/", Endpoint::WrongMethod { allow: "POST" }),
        (
            Method::GET,
            "/models/1",
            Endpoint::WrongMethod { allow: "POST" },
        ),
        (
            Method::PUT,
            "/models",
            Endpoint::WrongMethod { allow: "GET, POST" },
        ),
    ] {
        assert_eq!(
            Provider::Labelbox.endpoint(&method, path, true),
            expected,
            "{method} {path}"
        );
    }
}

#[test]
fn label_studio() {
    let refused = |allow| Endpoint::WrongMethod { allow };
    for (method, path, with_ml_backend, without) in [
        (
            Method::GET,
            "/health",
            Endpoint::Reply(r#"{"status":"UP"}"#),
            refused("POST"),
        ),
        (
            Method::POST,
            "/setup",
            Endpoint::Reply("{}"),
            Endpoint::Event,
        ),
        (
            Method::GET,
            "/any/versions",
            Endpoint::Reply(r#"{"versions":[]}"#),
            refused("POST"),
        ),
        (
            Method::POST,
            "/predict/",
            Endpoint::Reply(r#"{"results":[]}"#),
            Endpoint::Event,
        ),
        (Method::POST, "/webhook", Endpoint::Event, Endpoint::Event),
        (Method::POST, "", Endpoint::Event, Endpoint::Event),
        (Method::POST, "/health", refused("GET"), Endpoint::Event),
        (Method::GET, "/setup", refused("POST"), refused("POST")),
        (Method::GET, "", refused("POST"), refused("POST")),
        (Method::DELETE, "/webhook", refused("POST"), refused("POST")),
    ] {
        assert_eq!(
            Provider::LabelStudio.endpoint(&method, path, true),
            with_ml_backend,
            "{method} {path}"
        );
        assert_eq!(
            Provider::LabelStudio.endpoint(&method, path, false),
            without,
            "{method} {path}"
        );
    }
}
