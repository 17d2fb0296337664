//! Ids of traces and spans.

use labelrelay_core::{Clock, Entropy};
use std::sync::atomic::{AtomicU64, Ordering};

/// Draws ids. They have to differ, and nothing is decided by them: so the system is asked for randomness once, and not for
/// each id, of which a delivery has four.
///
/// This is `SplitMix64`: a state that grows by a step, and each state mixed into a word. No word comes twice in 2^64.
/// Programs differ in the state that they begin with, and in their step. Two words of one program in a row, as a trace's id
/// is, tell both: so no two programs with different steps ever draw the same trace.
#[derive(Debug)]
pub(crate) struct Ids {
    state: AtomicU64,
    /// Odd, so that all states come.
    step: u64,
}

impl Ids {
    pub(crate) fn new(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
        let [state, step] = [entropy.ten_bytes(), entropy.ten_bytes()]
            .map(|[_, _, word @ ..]| u64::from_be_bytes(word));
        // A system without randomness still has a time.
        let time = clock.now().as_nanosecond().unsigned_abs();
        Self {
            state: AtomicU64::new(state ^ low_half(time)),
            step: step | 1,
        }
    }

    /// An id of a span.
    pub(crate) fn span(&self) -> [u8; 8] {
        let [word] = self.words();
        // All zero is no id.
        word.max(1).to_be_bytes()
    }

    /// An id of a trace.
    pub(crate) fn trace(&self) -> [u8; 16] {
        let [high, low] = self.words().map(u128::from);
        ((high << 64) | low).max(1).to_be_bytes()
    }

    /// Words that come in a row.
    fn words<const N: usize>(&self) -> [u64; N] {
        let steps = self.step.wrapping_mul(N as u64);
        let mut state = self.state.fetch_add(steps, Ordering::Relaxed);
        std::array::from_fn(|_| {
            state = state.wrapping_add(self.step);
            mixed(state)
        })
    }
}

/// Each word belongs to one state, and half of its bits change with any bit of that.
const fn mixed(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[expect(clippy::cast_possible_truncation, reason = "the half that changes")]
const fn low_half(number: u128) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_testkit::clock::{CountingEntropy, FakeClock};
    use std::collections::HashSet;

    fn clock() -> FakeClock {
        FakeClock::at("2026-01-15T12:00:00Z")
    }

    /// Of `SplitMix64`'s own implementation, with its usual step and the seed 1234567.
    #[test]
    fn words_are_those_of_the_published_generator() {
        let ids = Ids {
            state: AtomicU64::new(1_234_567),
            step: 0x9e37_79b9_7f4a_7c15,
        };
        let words = [(); 5].map(|()| u64::from_be_bytes(ids.span()));
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(words, published);
    }

    #[test]
    fn spans_differ_within_a_program_and_traces_between_programs() {
        let entropy = CountingEntropy::default();
        let mut traces = HashSet::new();
        for _ in 0..3 {
            let ids = Ids::new(&clock(), &entropy);
            let spans: HashSet<_> = (0..1000).map(|_| ids.span()).collect();
            assert_eq!(spans.len(), 1000);
            traces.extend((0..1000).map(|_| ids.trace()));
        }
        assert_eq!(traces.len(), 3000);
    }

    /// Red if the sampler's bits of an id stand still.
    #[test]
    fn a_samplers_half_of_the_ids_is_half_of_them() {
        let ids = Ids::new(&clock(), &CountingEntropy::default());
        let lower = (0..10_000).filter(|_| ids.trace()[8] < 0x80).count();
        assert!((4_800..=5_200).contains(&lower), "{lower}");
    }

    #[test]
    fn no_id_is_zero() {
        let step = 3;
        let ids = Ids {
            state: AtomicU64::new(0_u64.wrapping_sub(step)),
            step,
        };
        assert_eq!(ids.span(), 1_u64.to_be_bytes());
    }
}
