//! What is queued is read by those who consume it.

use crate::readers::process::Readers;
use crate::readers::{Tally, run};
use labelrelay_tests::random::Random;

#[test]
#[ignore = "needs jq and the CloudEvents SDKs: run it with `cargo xtask e2e readers`"]
fn whatever_is_queued_is_read_to_the_same_data() {
    let seed = Random::seeded().below(1 << 32);
    let tally = run(seed, 20_000, &mut Readers::start());
    println!("{} embedded, {} as base64", tally.embedded, tally.base64);
    assert_all_read(&tally);
    // Else one half of the rules was not tried.
    let (embedded, base64) = (tally.embedded, tally.base64);
    assert!(embedded > base64 / 4 && base64 > embedded / 20, "{tally:?}");
}

fn assert_all_read(tally: &Tally) {
    assert!(tally.failures.is_empty(), "{:#?}", tally.failures);
}
