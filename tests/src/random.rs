//! Randomness that a failed test can be run again with.

use std::time::{SystemTime, UNIX_EPOCH};

/// A small generator (splitmix64).
pub struct Random(u64);

impl Random {
    /// Seeded from `LABELRELAY_TEST_SEED`, else from the time; the seed is printed.
    pub fn seeded() -> Self {
        let seed = match std::env::var("LABELRELAY_TEST_SEED") {
            Ok(seed) => seed.parse().expect("LABELRELAY_TEST_SEED is a number"),
            Err(_) => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs(),
        };
        println!("LABELRELAY_TEST_SEED={seed}");
        Self(seed)
    }

    /// Seeded with `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
