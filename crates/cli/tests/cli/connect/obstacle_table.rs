//! Obstacles of the network, of the settings and of the platforms: each is named with its cure, changes
//! nothing half-way and prints no secret.

use super::labelbox::stand_in::{KEY, StandIn as Labelbox, webhook as labelbox_webhook};
use super::obstacles::detail;
use super::stand_in::{Asked, Fault, StandIn, TOKEN, read, webhook};
use super::{SECRET, shows_no_secret};
use crate::support::{CONFIG, Place, Serving, configured};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// As a personal access token looks.
const PERSONAL: &str = "aaaaaaaa.bbbbbbbb.cccccccc";

struct Obstacle {
    name: &'static str,
    /// Words behind `connect`; URL is Label Studio's, RELAY the relay's, PROXY that of one that eats headers.
    words: &'static [&'static str],
    token: &'static str,
    fault: fn(&Asked) -> Option<Fault>,
    /// Lines at the end of the configuration: of the source of Label Studio.
    config: &'static str,
    /// Exit code: 0 where all may be well in spite of it, or where it is mended.
    code: i32,
    cures: &'static [&'static str],
}

const PUSH: &[&str] = &["label-studio", "URL"];

fn none(_: &Asked) -> Option<Fault> {
    None
}

fn answer(is_it: bool, status: u16, body: impl Into<String>) -> Option<Fault> {
    is_it.then(|| Fault::Answer(status, body.into()))
}

fn makes(asked: &Asked) -> bool {
    asked.is("POST", "/api/webhooks/")
}

const USUAL: Obstacle = Obstacle {
    name: "",
    words: PUSH,
    token: TOKEN,
    fault: none,
    config: "",
    code: 1,
    cures: &[],
};

static TABLE: [Obstacle; 16] = [
    Obstacle {
        name: "protection of private addresses",
        words: &["label-studio", "URL", "--push-only"],
        fault: |asked| {
            let said = "URL resolves to a reserved network address (block: 127.0.0.0/8)";
            answer(makes(asked), 403, detail(said))
        },
        cures: &[
            "SSRF_PROTECTION_ENABLED=false",
            "USE_DEFAULT_BANNED_SUBNETS=false",
            "--relay https://HOST",
            "[source.pull]",
            " --repair` does so",
        ],
        ..USUAL
    },
    Obstacle {
        name: "a name without a dot",
        words: &[
            "label-studio",
            "URL",
            "--push-only",
            "--relay",
            "http://labelrelay:8090",
        ],
        fault: |asked| {
            let said = r#"{"detail":"Validation error","validation_errors":{"url":["Enter a valid URL."]}}"#;
            answer(makes(asked), 400, said)
        },
        cures: &["a name with a dot or an address", "--relay"],
        ..USUAL
    },
    Obstacle {
        name: "no https for Labelbox",
        words: &[
            "labelbox",
            "--endpoint",
            "ENDPOINT",
            "--relay",
            "http://relay.invalid",
        ],
        cures: &[
            "delivers over HTTPS only",
            "--relay https://HOST",
            "a tunnel",
        ],
        ..USUAL
    },
    Obstacle {
        name: "a password in the relay's URL",
        words: &[
            "label-studio",
            "URL",
            "--relay",
            "http://me:hidden@relay.test",
        ],
        code: 2,
        cures: &["takes no user or password", "a secret of its own"],
        ..USUAL
    },
    Obstacle {
        name: "a wrong token",
        token: "ffffffffffffffffffffffffffffffffffffffff",
        cures: &["refuses the token"],
        ..USUAL
    },
    Obstacle {
        name: "an expired token",
        token: PERSONAL,
        fault: |asked| answer(asked.path.starts_with("/api/token/refresh"), 401, "{}"),
        cures: &["ran out or was revoked", "make a new one"],
        ..USUAL
    },
    Obstacle {
        name: "a token without the right",
        fault: |asked| {
            let said = "You do not have permission to perform this action.";
            answer(makes(asked), 403, detail(said))
        },
        cures: &["take the token of an owner, an administrator or a manager"],
        ..USUAL
    },
    Obstacle {
        name: "no such project",
        words: &["label-studio", "URL", "--project", "9"],
        cures: &["project 9 is not there", "/projects/NUMBER"],
        ..USUAL
    },
    Obstacle {
        name: "a proxy that eats the header",
        words: &["label-studio", "URL", "--relay", "PROXY", "--plan"],
        code: 0,
        cures: &[
            "a proxy in front of the relay removes that header",
            "set `header`",
        ],
        ..USUAL
    },
    Obstacle {
        name: "a webhook that was switched off",
        words: &["label-studio", "URL", "--plan"],
        code: 0,
        cures: &["webhook 3 would be mended (inactive)", "leave out --plan"],
        ..USUAL
    },
    Obstacle {
        name: "an allowlist that leaves the platform out",
        words: &["label-studio", "URL", "--plan"],
        config: "allow = [\"203.0.113.7\"]\n",
        code: 0,
        cures: &[
            "takes deliveries from the addresses in `allow` alone",
            "add the address that the platform sends from",
        ],
        ..USUAL
    },
    Obstacle {
        name: "a project without a webhook, where none is for the whole organization",
        words: &["label-studio", "URL", "--plan"],
        code: 0,
        cures: &["project 2 \"Boats\": a webhook would be made"],
        ..USUAL
    },
    Obstacle {
        name: "a laptop that Labelbox cannot reach",
        words: &["labelbox", "--endpoint", "ENDPOINT", "--push-only"],
        cures: &[
            "its host is not a public one",
            "--relay https://HOST",
            "a tunnel",
            "[source.pull]",
            " --repair",
        ],
        ..USUAL
    },
    Obstacle {
        name: "a webhook of another scope, which Labelbox lets nobody change",
        words: &[
            "labelbox",
            "--endpoint",
            "ENDPOINT",
            "--relay",
            "https://relay.invalid",
        ],
        cures: &[
            "delivers here already, for project p1 alone",
            "run this with --remove, then again without it",
            "keep it: --project p1",
        ],
        ..USUAL
    },
    Obstacle {
        name: "a page in place of an answer",
        fault: |asked| answer(asked.path.ends_with("whoami"), 200, "<!doctype html>"),
        cures: &["is a web page", "no login stands before it"],
        ..USUAL
    },
    Obstacle {
        name: "a server that hangs",
        fault: |asked| asked.path.ends_with("whoami").then_some(Fault::Hang),
        cures: &["no whole answer within 20 s", "overloaded"],
        ..USUAL
    },
];

#[test]
fn each_obstacle_names_its_cure_and_changes_nothing() {
    std::thread::scope(|scope| {
        for obstacle in &TABLE {
            scope.spawn(move || meet(obstacle));
        }
    });
}

fn meet(obstacle: &Obstacle) {
    let (label_studio, labelbox) = (StandIn::start(), Labelbox::start());
    let place = configured()
        .with("LABEL_STUDIO_API_KEY", obstacle.token)
        .with("LABELBOX_API_KEY", KEY);
    place.write("labelrelay.toml", format!("{CONFIG}{}", obstacle.config));
    let serving = place.serve(&[]);
    let of_a_project = labelbox_webhook("w3", Some("p1"), "https://relay.invalid/labelbox");
    labelbox.state().webhooks.push(of_a_project);
    let mut off = webhook(3, 1, &serving.url("label-studio"), SECRET);
    off["is_active"] = false.into();
    label_studio.state().webhooks.push(off);
    label_studio.fails(obstacle.fault);
    let before = everything(&place, &label_studio, &labelbox);
    let proxy = eats_headers(&serving);
    let words = obstacle.words.iter().map(|word| match *word {
        "URL" => label_studio.url.as_str(),
        "ENDPOINT" => labelbox.endpoint.as_str(),
        "PROXY" => proxy.as_str(),
        word => word,
    });
    let words: Vec<_> = std::iter::once("connect").chain(words).collect();
    let ran = shows_no_secret(place.run(&words));
    let name = obstacle.name;
    assert_eq!(ran.code, obstacle.code, "{name}: {ran:?}");
    let said = format!("{}{}", ran.stdout, ran.stderr);
    for cure in obstacle.cures {
        assert!(said.contains(cure), "{name}: no {cure:?} in {said}");
    }
    for secret in [obstacle.token, KEY, "hidden"] {
        assert!(!said.contains(secret), "{name}: {said}");
    }
    assert_eq!(
        everything(&place, &label_studio, &labelbox),
        before,
        "{name}"
    );
    assert_eq!(label_studio.changes(), [""; 0], "{name}");
    assert_eq!(labelbox.changes(), [""; 0], "{name}");
}

/// All that a command could change.
fn everything(place: &Place, label_studio: &StandIn, labelbox: &Labelbox) -> String {
    let config = place.read("labelrelay.toml");
    format!(
        "{config}{:?}{:?}",
        label_studio.webhooks(),
        labelbox.webhooks()
    )
}

/// A proxy in front of the relay that lets everything pass but headers; its URL.
fn eats_headers(serving: &Serving) -> String {
    let relay = serving.url("");
    let relay = relay
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(asked) = read(&mut stream) else {
                continue;
            };
            let Ok(mut behind) = TcpStream::connect(&relay) else {
                continue;
            };
            let head = format!(
                "{} {} HTTP/1.1\r\nHost: {relay}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                asked.method, asked.path
            );
            let mut answer = Vec::new();
            if behind.write_all(head.as_bytes()).is_ok() {
                let _broken = behind.read_to_end(&mut answer);
            }
            let _gone = stream.write_all(&answer);
        }
    });
    url
}
