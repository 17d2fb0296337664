//! Memory of a delivery on its way, reckoned before it has it.
//!
//! Of a body in memory there are the body itself, the envelope, which may be a third larger (base64), and the
//! copies that a queue makes of the envelope while it takes it. All of that is taken from
//! `max_bytes_in_flight` as the body arrives: nothing that was verified is refused for want of memory later.

use super::parts::Parts;
use crate::config::{Config, ConfigError, DEFAULT_BYTES_IN_FLIGHT};
use crate::queue::{Copies, EventQueue};
use crate::spool::PIPE_BYTES;
use std::sync::Arc;

/// An envelope's attributes, at most 128 characters each but for one of 512, and what its buffer has to spare.
const ATTRIBUTES_BYTES: u64 = 8 * 1024;

/// The room that a body's last buffer may have to spare.
const SPARE_BYTES: u64 = 64 * 1024;

/// Below this size, the copies that a queue makes one after another are not counted: they belong to what the
/// program itself takes.
const SMALL_BYTES: u64 = 1024 * 1024;

/// Without a word in the configuration, no more memory than this is taken for granted.
const MOST_BY_DEFAULT: u64 = 2 * DEFAULT_BYTES_IN_FLIGHT;

/// The memory that all deliveries may have together, and the part of it that one takes.
#[derive(Clone)]
pub(super) struct Memory {
    /// Queue whose limits may change while it runs, and the cost with them.
    queue: Arc<dyn EventQueue>,
    has_fallback: bool,
    limit: u64,
}

impl Memory {
    pub(super) fn new(parts: &Parts, limit: u64) -> Self {
        Self {
            queue: Arc::clone(&parts.queue),
            has_fallback: parts.fallback.is_some(),
            limit,
        }
    }

    /// All of it, in bytes.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// The most that a body of this length has in memory, from its last byte to the receipt.
    pub(super) fn cost(&self, body_bytes: u64) -> u64 {
        Cost::of(&*self.queue, self.has_fallback).of_body(body_bytes)
    }
}

/// Costs of bodies on their way to these parts.
#[derive(Clone, Copy)]
struct Cost {
    largest_message: u64,
    copies: Copies,
    /// Of an envelope, the queue copies no more than this.
    most_copied: u64,
    /// The fallback takes an envelope of any size.
    has_fallback: bool,
}

impl Cost {
    fn of(queue: &dyn EventQueue, has_fallback: bool) -> Self {
        Self {
            largest_message: queue.limits().max_message_bytes,
            copies: queue.copies(),
            most_copied: queue.offloads_above().unwrap_or(u64::MAX),
            has_fallback,
        }
    }

    /// The most that a body of this length has in memory, from its last byte to the receipt.
    fn of_body(self, bytes: u64) -> u64 {
        if bytes == 0 {
            return 0;
        }
        let of_one = if bytes > SMALL_BYTES {
            self.copies.of_one
        } else {
            0
        };
        let copies = self.copies.of_each + of_one;
        let sent = envelope(bytes.min(self.largest_message));
        let in_memory = sent.min(self.most_copied).saturating_mul(copies);
        let sent = sent.saturating_add(in_memory);
        let kept = if self.has_fallback {
            envelope(bytes)
        } else {
            0
        };
        bytes
            .saturating_add(bytes.min(SPARE_BYTES))
            .saturating_add(sent.max(kept))
    }

    /// The largest body that so much memory is enough for.
    fn largest_body(self, memory: u64) -> u64 {
        let (mut fits, mut too_large) = (0, memory.saturating_add(1));
        while too_large - fits > 1 {
            let middle = fits + (too_large - fits) / 2;
            if self.of_body(middle) <= memory {
                fits = middle;
            } else {
                too_large = middle;
            }
        }
        fits
    }
}

fn envelope(body: u64) -> u64 {
    body.div_ceil(3)
        .saturating_mul(4)
        .saturating_add(ATTRIBUTES_BYTES)
}

/// The memory that all deliveries may have together: what is configured; else 256 MiB, or up to twice that
/// where the largest body needs it.
///
/// # Errors
/// [`ConfigError`] when the largest body that is allowed would never find room.
pub(super) fn bound(config: &Config, parts: &Parts) -> Result<u64, ConfigError> {
    let cost = Cost::of(&*parts.queue, parts.fallback.is_some());
    let sizes = config.sources.iter().map(|source| source.max_body_bytes);
    let largest = sizes.max().unwrap_or_default();
    let threshold = config.spool.threshold_bytes();
    let in_memory = match (&parts.spool, &parts.blobs) {
        (None, _) => largest,
        (Some(_), Some(_)) => largest.min(threshold),
        // Read back, unless the queue would not take it.
        (Some(_), None) => largest.min(cost.largest_message.max(threshold)),
    };
    // A body that is read back held that much before.
    let pipe = parts.spool.as_ref().map_or(0, |_| PIPE_BYTES);
    let needed = cost.of_body(in_memory).saturating_add(pipe);
    let bound = config
        .bytes_in_flight
        .unwrap_or_else(|| needed.clamp(DEFAULT_BYTES_IN_FLIGHT, MOST_BY_DEFAULT));
    if needed <= bound {
        return Ok(bound);
    }
    let fits = cost.largest_body(bound.saturating_sub(pipe));
    let lower = if fits > 0 {
        format!(", or lower max_body_bytes to {fits}")
    } else {
        String::new()
    };
    let elsewhere = match (&parts.spool, &parts.blobs) {
        (Some(_), None) => ", or set blob_store, which takes large bodies past the memory",
        (None, _) => ", or give large bodies a spool (spool.dir) and a blob_store",
        _ => "",
    };
    Err(ConfigError::new(
        &config.origin,
        "max_bytes_in_flight",
        &format!(
            "{bound} bytes are too few: one body of max_body_bytes = {largest} needs {needed} on its way, with its envelope and its copies"
        ),
        &format!("raise max_bytes_in_flight to {needed}{lower}{elsewhere}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQLITE: Cost = Cost {
        largest_message: 512 * 1024 * 1024,
        copies: Copies {
            of_each: 0,
            of_one: 2,
        },
        most_copied: u64::MAX,
        has_fallback: false,
    };

    /// A queue of small messages that puts larger ones into a store.
    const OFFLOADING: Cost = Cost {
        largest_message: 1024 * 1024 * 1024,
        copies: Copies {
            of_each: 3,
            of_one: 0,
        },
        most_copied: 1024 * 1024,
        has_fallback: false,
    };

    #[test]
    fn a_larger_body_never_costs_less_and_the_inverse_is_one() {
        let small = Cost {
            largest_message: 1_000_000,
            copies: Copies {
                of_each: 3,
                of_one: 0,
            },
            most_copied: u64::MAX,
            has_fallback: true,
        };
        for cost in [SQLITE, small, OFFLOADING] {
            let mut before = 0;
            for bytes in (0..4_000_000).step_by(997) {
                let now = cost.of_body(bytes);
                assert!(now >= before, "{bytes}");
                assert!(now >= bytes);
                before = now;
            }
            for memory in [0, 10_000, 1_000_000, 3_000_000, 50_000_000] {
                let fits = cost.largest_body(memory);
                assert!(cost.of_body(fits) <= memory);
                assert!(cost.of_body(fits + 1) > memory, "{memory}: {fits}");
            }
        }
    }

    #[test]
    fn the_documents_reckon_with_these_numbers() {
        let mib = |bytes: u64| bytes.div_ceil(1024 * 1024);
        assert_eq!(mib(SQLITE.of_body(1_000_000)), 3);
        assert_eq!(mib(SQLITE.of_body(100 * 1024 * 1024)), 501);
        assert_eq!(mib(OFFLOADING.of_body(100 * 1024 * 1024)), 237);
    }
}
