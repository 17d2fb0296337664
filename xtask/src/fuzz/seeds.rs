//! First inputs of the fuzz targets, made of the fixtures, in the form that each target reads.

use crate::Outcome;
use crate::paths::root;
use std::fmt::Write as _;
use std::path::Path;

/// Folders of bodies, below the repository.
const FOLDERS: [&str; 9] = [
    "crates/cli/samples/labelbox",
    "crates/cli/samples/label_studio",
    "tests/fixtures/edge",
    "tests/fixtures/json/invalid",
    "tests/fixtures/json/valid",
    "tests/fixtures/label_studio/1.23.2",
    "tests/fixtures/label_studio/1.20.0",
    "tests/fixtures/label_studio/documents",
    "tests/fixtures/labelbox",
];

/// A larger seed only takes time.
const MAX_BYTES: usize = 12 * 1024;

const TRACE: &[u8] = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Writes the seeds of all targets that take bodies, each into a folder of its own below `folder`.
pub(super) fn write(folder: &Path) -> Outcome {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    for target in ["describe", "envelope", "lambda_event", "claim"] {
        std::fs::create_dir_all(folder.join(target))?;
    }
    let bodies = bodies()?;
    if bodies.len() < 200 {
        return Err(format!("only {} bodies among the fixtures", bodies.len()).into());
    }
    for (number, body) in bodies.iter().enumerate() {
        let put = |target: &str, seed: Vec<u8>| {
            std::fs::write(folder.join(target).join(format!("{number:03}")), seed)
        };
        // Both platforms, all topics, all limits, and every way of cutting come up in turn.
        let choice = number.to_le_bytes()[0].wrapping_mul(37);
        let cut = number.to_le_bytes()[0].wrapping_mul(101);
        put("describe", [&[choice, cut], body.as_slice()].concat())?;
        put(
            "envelope",
            [
                &[choice, cut],
                b"delivery-1\n".as_slice(),
                TRACE,
                b"\n",
                body,
            ]
            .concat(),
        )?;
        if let Ok(text) = std::str::from_utf8(body) {
            put("lambda_event", event(number, text).into_bytes())?;
            put("claim", [&[choice], envelope(text).as_bytes()].concat())?;
        }
    }
    Ok(())
}

/// All bodies that are not too large; of recorded requests what follows the head.
fn bodies() -> Outcome<Vec<Vec<u8>>> {
    let mut bodies = Vec::new();
    for folder in FOLDERS {
        let mut files = std::fs::read_dir(root().join(folder))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()?;
        files.retain(|file| file.is_file());
        files.sort();
        for file in files {
            let bytes = std::fs::read(&file)?;
            let body = match file.extension().and_then(|extension| extension.to_str()) {
                Some("json") => bytes,
                Some("http") => {
                    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
                    bytes
                        .get(end.ok_or("a request without a head")? + 4..)
                        .unwrap_or_default()
                        .to_vec()
                }
                _ => continue,
            };
            if body.len() <= MAX_BYTES {
                bodies.push(body);
            }
        }
    }
    Ok(bodies)
}

/// Event that Lambda makes of a request with this body, of each front in turn.
fn event(number: usize, body: &str) -> String {
    let body = quoted(body);
    match number % 4 {
        0 | 1 => format!(
            r#"{{"version":"2.0","rawPath":"/labelbox","headers":{{"x-hub-signature":"sha1=00","x-labelbox-event":"LABEL_CREATED"}},"requestContext":{{"http":{{"method":"POST","sourceIp":"192.0.2.1"}},"stage":"$default","timeEpoch":1768478400000}},"body":{body},"isBase64Encoded":false}}"#
        ),
        2 => format!(
            r#"{{"resource":"/{{proxy+}}","path":"/hooks/labelbox","httpMethod":"POST","headers":{{"X-Hub-Signature":"sha1=00"}},"multiValueHeaders":{{"X-Hub-Signature":["sha1=00","sha1=11"]}},"pathParameters":{{"proxy":"labelbox"}},"requestContext":{{"identity":{{"sourceIp":"192.0.2.1"}},"stage":"prod","requestTimeEpoch":1768478400000}},"body":{body},"isBase64Encoded":false}}"#
        ),
        _ => format!(
            r#"{{"requestContext":{{"elb":{{"targetGroupArn":"x"}}}},"httpMethod":"POST","path":"/labelbox","multiValueHeaders":{{"x-hub-signature":["sha1=00"],"x-forwarded-for":["192.0.2.1"]}},"body":{body},"isBase64Encoded":false}}"#
        ),
    }
}

/// An envelope with this body, right or not: the target wants both.
fn envelope(body: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"1","source":"/labelbox","type":"com.labelbox.label.created","subject":"label/1","datacontenttype":"application/json","datasha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","receivedtime":"2026-01-15T12:00:00Z","data":{body}}}"#
    )
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\0'..='\x1f' => {
                let _never_fails = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}
