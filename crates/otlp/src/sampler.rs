//! Samplers of OpenTelemetry: which traces are recorded.

use labelrelay_core::TraceContext;

/// Half of the ids' range: the ratio counts in 63 bits, as OpenTelemetry's own samplers count.
const WHOLE: f64 = 9_223_372_036_854_775_808.0;

/// Decides which traces are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampler {
    /// Recorded are the traces whose id, in 63 bits of it, is below this.
    below: u64,
    /// `true` if a trace that somebody else began is recorded where they record it.
    is_parent_based: bool,
}

impl Sampler {
    /// The sampler that `OTEL_TRACES_SAMPLER` calls by this name, with its argument; `None` if there is none.
    pub fn named(name: &str, ratio: f64) -> Option<Self> {
        let (is_parent_based, name) = match name.strip_prefix("parentbased_") {
            Some(name) => (true, name),
            None => (false, name),
        };
        let ratio = match name {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => ratio,
            _ => return None,
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to 2^63"
        )]
        let below = (ratio.clamp(0.0, 1.0) * WHOLE) as u64;
        Some(Self {
            below,
            is_parent_based,
        })
    }

    /// Tells whether a trace that begins here is recorded.
    pub(crate) fn takes_root(self, trace_id: [u8; 16]) -> bool {
        // The second half of the id, but for its last bit.
        let low = (u128::from_be_bytes(trace_id) << 64) >> 65;
        low < u128::from(self.below)
    }

    /// Tells whether a trace that somebody else began is recorded here.
    pub(crate) fn takes_child(self, parent: TraceContext) -> bool {
        if self.is_parent_based {
            parent.is_sampled()
        } else {
            self.takes_root(parent.trace_id)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(low: u64) -> [u8; 16] {
        u128::from(low).to_be_bytes()
    }

    #[test]
    fn a_ratio_takes_so_many_and_the_ends_take_all_and_none() {
        let ratio = |ratio| Sampler::named("traceidratio", ratio).unwrap();
        for low in [0, 1, u64::MAX / 2, u64::MAX] {
            assert!(ratio(1.0).takes_root(id(low)));
            assert!(!ratio(0.0).takes_root(id(low)));
            let is_lower_half = low <= u64::MAX / 2;
            assert_eq!(ratio(0.5).takes_root(id(low)), is_lower_half, "{low}");
        }
        assert_eq!(Sampler::named("always", 1.0), None);
        assert_eq!(
            Sampler::named("always_on", 0.0),
            Sampler::named("traceidratio", 1.0)
        );
    }

    #[test]
    fn a_parents_word_counts_where_the_sampler_says_so() {
        let parent = |flags| TraceContext {
            trace_id: id(1),
            span_id: [1; 8],
            flags,
        };
        let sampler = |name| Sampler::named(name, 0.0).unwrap();
        assert!(sampler("parentbased_traceidratio").takes_child(parent(1)));
        assert!(!sampler("parentbased_always_on").takes_child(parent(0)));
        assert!(sampler("always_on").takes_child(parent(0)));
        assert!(!sampler("always_off").takes_child(parent(1)));
    }
}
