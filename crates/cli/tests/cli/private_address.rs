//! Label Studio refuses private addresses and names without a dot; `serve` says so where it prints one.

use crate::support::{Place, until};

fn hint(public_url: Option<&str>) -> String {
    let place = Place::new();
    let words: &[&str] = match public_url {
        Some(url) => &["--public-url", url],
        None => &[],
    };
    let serving = place.serve(words);
    until("the lines to enter are there", || {
        place.read("serve.log").contains("Payload URL")
    });
    drop(serving);
    place.read("serve.log")
}

#[test]
fn a_url_that_label_studio_refuses_comes_with_the_switch_that_allows_it() {
    for url in [
        None,
        Some("http://10.1.2.3:8090"),
        Some("http://172.31.255.1"),
        Some("http://192.168.1.1"),
        Some("http://100.64.0.1"),
        Some("http://localhost:8090"),
        Some("http://[::1]:8090"),
        Some("http://169.254.1.1"),
    ] {
        let log = hint(url);
        assert!(
            log.contains("SSRF_PROTECTION_ENABLED=false"),
            "{url:?}: {log}"
        );
        assert!(log.contains("1.23.1"), "{url:?}: {log}");
    }
    let log = hint(Some("http://labelrelay:8090"));
    assert!(log.contains("without a dot"), "{log}");
    for url in [
        "https://relay.example.com",
        "http://1.1.1.1:8090",
        "http://172.32.0.1",
    ] {
        let log = hint(Some(url));
        assert!(
            !log.contains("SSRF") && !log.contains("without a dot"),
            "{url}: {log}"
        );
    }
}
