//! Another secret for Labelbox, kept in a cloud's store: by hand.

use super::RELAY;
use super::stand_in::{KEY, StandIn};
use crate::support::Place;
use labelrelay_tests::servers::{Ministack, environment};

const CONFIG: &str = "queue = 'sqlite:queue.db'\n[[source]]\nname = 'labelbox'\nprovider = 'labelbox'\nsecret = 'aws-secretsmanager:hooks/lb'\n";

#[test]
#[ignore = "needs MiniStack: cargo xtask test"]
fn aws_has_nothing_changed_and_the_steps_by_hand_are_said() {
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
    connect(&[]).good();
    let _serving = place.serve(&[]);
    labelbox.changes();
    let versions = || {
        let script = "print(len(client('secretsmanager').list_secret_version_ids(SecretId=args[0])['Versions']))";
        server.boto3(script, &["hooks/lb"])
    };
    let before = versions();
    let refused = connect(&["--rotate", "--v1"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    for said in [
        "Nothing was changed. By hand: put a new secret into aws-secretsmanager:hooks/lb",
        "Then put the new secret into aws-secretsmanager:hooks/lb once more",
    ] {
        assert!(refused.stdout.contains(said), "no {said:?} in {refused:?}");
    }
    assert_eq!(labelbox.changes(), [""; 0]);
    assert_eq!(versions(), before);
}
