//! Lines of configuration that let `serve` pull, for a platform to which no webhook can work.

use super::target::Target;
use labelrelay_core::config::ENVIRONMENT;
use serde_json::Value;

/// Pause between two runs: what an annotator does is on the queue before anybody asks for it.
const EVERY: &str = "10s";

/// Words for a person, with lines to copy. The token itself is not in them.
pub(super) fn words(target: &Target) -> String {
    let Target {
        server,
        token,
        source,
        origin,
        ..
    } = target;
    if origin == ENVIRONMENT {
        return format!(
            "Or use no webhook: set these variables beside the token's, and start `labelrelay serve` again.\n\n\
             LABEL_STUDIO_PULL_EVERY={EVERY}\n\
             LABEL_STUDIO_URL={server}"
        );
    }
    // Escapes of JSON are those of TOML.
    let quoted = |text: String| Value::from(text).to_string();
    format!(
        "Or use no webhook: write these lines below the section of the source `{source}` in {origin}, and start `labelrelay serve` again.\n\n\
         [source.pull]\n\
         every = \"{EVERY}\"\n\
         url = {}\n\
         token = {}",
        quoted(server.clone()),
        quoted(token.to_string())
    )
}
