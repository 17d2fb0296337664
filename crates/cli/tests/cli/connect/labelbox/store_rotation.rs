//! Another secret for Labelbox, kept in a cloud's store: two runs, for nobody here sees the deliveries.

use super::stand_in::{KEY, StandIn};
use super::{RELAY, URL};
use crate::support::Place;
use labelrelay_tests::servers::{Ministack, environment};

const CONFIG: &str = "queue = 'sqlite:queue.db'\n[[source]]\nname = 'labelbox'\nprovider = 'labelbox'\nsecret = 'aws-secretsmanager:hooks/lb'\n";

#[test]
#[ignore = "needs MiniStack: cargo xtask test"]
fn the_webhooks_with_the_old_secret_are_named_and_none_is_left_out() {
    let (server, labelbox) = (Ministack::start(), StandIn::start());
    let mut place = Place::new().with("LABELBOX_API_KEY", KEY);
    for (name, value) in environment(&server.endpoint()) {
        place = place.with(&name, &value);
    }
    place.write("labelrelay.toml", CONFIG);
    let connect = |more: &[&str]| {
        let endpoint = labelbox.endpoint.as_str();
        let words = [
            "connect",
            "labelbox",
            "--relay",
            RELAY,
            "--endpoint",
            endpoint,
        ];
        place.run(&[&words[..], more].concat())
    };
    let projects = ["--project", "p1", "--project", "p2"];
    connect(&projects).good();
    let _serving = place.serve(&[]);

    // An id that was meant for a later run changes nothing in the first one.
    let first = connect(&["--rotate", "--v1", "--end", "w7"]);
    assert_eq!(first.code, 1, "{first:?}");
    let next = "--rotate --v1 --end w7 --end w8`";
    assert!(first.stdout.contains(next), "{first:?}");
    let webhooks = labelbox.webhooks();
    let of = |id: &str| webhooks.iter().find(|hook| hook["id"] == id).unwrap();
    let (old, new) = (&of("w7")["secret"], &of("w9")["secret"]);
    assert!(old == &of("w8")["secret"] && new == &of("w10")["secret"] && old != new);
    labelbox.changes();
    for (words, said) in [
        (&[][..], "Name those, each with --end ID"),
        (&["--end", "w7"], "takes nobody's place"),
        (&["--end", "w1"], "no webhook of this id delivers here"),
    ] {
        let refused = connect(&[&["--rotate", "--v1"], words].concat());
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.stdout.contains(said), "no {said:?} in {refused:?}");
        assert_eq!(labelbox.changes(), [""; 0], "{words:?}");
    }
    let ended = connect(&["--rotate", "--v1", "--end", "w7", "--end", "w8"]);
    let said = "the old secret is refused";
    assert!(ended.good().contains(said), "{ended:?}");
    for hook in labelbox.webhooks().iter().skip(1) {
        let is_new = hook["secret"] == *new;
        let url = if is_new {
            URL.to_owned()
        } else {
            format!("{URL}/ended")
        };
        assert_eq!(hook["url"], url.as_str(), "{hook}");
    }
    assert!(!format!("{first:?}{ended:?}").contains(new.as_str().unwrap()));
}
