//! Where no webhook can work, `connect` puts the token of the pull into the store of AWS that the source's secret is in.

use crate::connect::stand_in::{StandIn, TOKEN};
use crate::support::Place;
use labelrelay_tests::servers::{Ministack, environment};

/// References to the secret and to the token, and scripts that make the one and read the other.
const STORES: [[&str; 4]; 2] = [
    [
        "aws-secretsmanager:hooks/ls",
        "aws-secretsmanager:hooks/ls-token",
        "client('secretsmanager').create_secret(Name='hooks/ls', SecretString=args[0])",
        "print(client('secretsmanager').get_secret_value(SecretId='hooks/ls-token')['SecretString'])",
    ],
    [
        "aws-ssm:/hooks/ls",
        "aws-ssm:/hooks/ls-token",
        "client('ssm').put_parameter(Name='/hooks/ls', Value=args[0], Type='SecureString')",
        "print(client('ssm').get_parameter(Name='/hooks/ls-token', WithDecryption=True)['Parameter']['Value'])",
    ],
];

#[test]
#[ignore = "needs MiniStack: cargo xtask test"]
fn aws_has_it_beside_the_secret_in_both_stores() {
    let server = Ministack::start();
    for [secret, token, make, read] in STORES {
        server.boto3(make, &["a-secret-of-label-studio"]);
        let label_studio = StandIn::start();
        label_studio.refuses_addresses();
        let mut place = Place::new().with("LABEL_STUDIO_API_KEY", TOKEN);
        for (name, value) in environment(&server.endpoint()) {
            place = place.with(&name, &value);
        }
        let source = "name = 'label-studio'\nprovider = 'label-studio'";
        place.write(
            "labelrelay.toml",
            format!("queue = 'sqlite:queue.db'\n[[source]]\n{source}\nsecret = '{secret}'\n"),
        );
        let relay = ["--relay", "http://relay.test:1", "--wait", "0s"];
        let words = [&["connect", "label-studio", &label_studio.url][..], &relay].concat();
        let done = place.run(&words);
        let said = format!("the token put into {token}");
        assert!(done.good().contains(&said), "{done:?}");
        assert!(!format!("{done:?}").contains(TOKEN));
        assert_eq!(server.boto3(read, &[]).trim_end(), TOKEN);
        let written = place.read("labelrelay.toml");
        let said = format!("\ntoken = \"{token}\"\n");
        assert!(written.contains(&said), "{written}");

        // `serve` has no variable, and reads it there.
        let place = place.without("LABEL_STUDIO_API_KEY");
        let serving = place.serve(&[]);
        place.logged(&["looked through the platform"]);
        assert_eq!(serving.stop(), 0);
    }
}
