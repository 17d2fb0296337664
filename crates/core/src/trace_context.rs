//! Trace context of W3C: read from requests, and written into envelopes.
//!
//! It is for telemetry alone. Whoever sends a request chooses it, so nothing else is decided by it.

use std::fmt;

/// A longer `tracestate` is left out; W3C asks to pass on this much.
const MOST_STATE_BYTES: usize = 512;

/// A `tracestate` with more members is none.
const MOST_STATE_MEMBERS: usize = 32;

/// A span of a trace, as `traceparent` names it.
///
/// ```
/// use labelrelay_core::TraceContext;
///
/// let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let context = TraceContext::parse(text).unwrap();
/// assert!(context.is_sampled());
/// assert_eq!(context.to_string(), text);
/// assert_eq!(TraceContext::parse("00-0af7-b7ad-01"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Id of the trace; never all zero.
    pub trace_id: [u8; 16],
    /// Id of the span; never all zero.
    pub span_id: [u8; 8],
    /// Flags; the lowest bit says that the trace is sampled.
    pub flags: u8,
}

impl TraceContext {
    /// Reads a `traceparent` of version 00: lower case, and ids that are not all zero. `None` if it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("00-")?;
        let (trace, rest) = rest.split_once('-')?;
        let (span, flags) = rest.split_once('-')?;
        let [flags]: [u8; 1] = from_hex(flags)?;
        let context = Self {
            trace_id: from_hex(trace)?,
            span_id: from_hex(span)?,
            flags,
        };
        let is_set = context.trace_id != [0; 16] && context.span_id != [0; 8];
        is_set.then_some(context)
    }

    /// Tells whether the span's own process records it.
    pub const fn is_sampled(self) -> bool {
        self.flags & 1 == 1
    }
}

/// The value of `traceparent`.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, span) = (
            u128::from_be_bytes(self.trace_id),
            u64::from_be_bytes(self.span_id),
        );
        write!(f, "00-{trace:032x}-{span:016x}-{:02x}", self.flags)
    }
}

/// Trace context that an event's envelope has, and whose span it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventTrace {
    /// A span of the sender's, which the verified request named.
    Sender(TraceContext),
    /// A span of the relay's own.
    Relay(TraceContext),
}

/// Tells whether this is a `tracestate`, and one that is short enough to be passed on.
///
/// ```
/// use labelrelay_core::trace_context::is_trace_state;
///
/// assert!(is_trace_state("rojo=00f067aa0ba902b7, congo=t61rcWkgMzE"));
/// assert!(!is_trace_state("rojo=1,rojo=2"));
/// ```
pub fn is_trace_state(text: &str) -> bool {
    let mut keys = Vec::new();
    for member in text.split(',') {
        let member = member.trim_matches([' ', '\t']);
        if member.is_empty() {
            continue;
        }
        let Some((key, value)) = member.split_once('=') else {
            return false;
        };
        let is_one_more = keys.len() < MOST_STATE_MEMBERS && !keys.contains(&key);
        if !is_one_more || !is_key(key) || !is_value(value) {
            return false;
        }
        keys.push(key);
    }
    text.len() <= MOST_STATE_BYTES && !keys.is_empty()
}

fn is_key(key: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut bytes = key.bytes();
    key.len() <= 256
        && bytes.next().is_some_and(is_plain)
        && bytes.all(|byte| is_plain(byte) || b"_-*/@".contains(&byte))
}

fn is_value(value: &str) -> bool {
    let is_allowed = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'=' && byte != b',';
    (1..=256).contains(&value.len()) && value.bytes().all(is_allowed)
}

/// The bytes that so many hexadecimal digits in lower case stand for.
fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(bytes)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_parent_is_what_the_grammar_says_and_nothing_else() {
        let context = TraceContext::parse(GOOD).unwrap();
        assert_eq!((context.trace_id[0], context.span_id[7]), (0x0a, 0x31));
        assert!(
            !TraceContext::parse(&GOOD.replace("-01", "-02"))
                .unwrap()
                .is_sampled()
        );
        for bad in [
            "",
            "00",
            "00---",
            &GOOD.to_uppercase(),
            &GOOD.replacen("00", "01", 1),
            &GOOD.replacen("00", "ff", 1),
            &format!("{GOOD}-00"),
            &format!("{GOOD} "),
            &format!(" {GOOD}"),
            &GOOD.replace("0af7", "0ag7"),
            &GOOD.replace("b7ad6b7169203331", "0000000000000000"),
            &GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &GOOD.replace("0af7651916cd43dd8448eb211c80319c", "0af7"),
            &GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"é".repeat(16)),
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_state_is_a_list_of_pairs() {
        let many = |count: usize| {
            let pairs = (0..count).map(|number| format!("k{number}=v"));
            pairs.collect::<Vec<_>>().join(",")
        };
        for good in [
            "a=1",
            "a=1,,b=2",
            "a=1 ,\tb=2",
            "tenant@system=x y!",
            "0a_-*/=v",
            &many(32),
        ] {
            assert!(is_trace_state(good), "{good}");
        }
        for bad in [
            "",
            ",",
            "a",
            "=1",
            "a=",
            "A=1",
            "a b=1",
            "a=1,a=2",
            "a=b=c",
            "a=\u{7f}",
            "a=é",
            "a=x\ty",
            &many(33),
            &format!("a={}", "v".repeat(257)),
            &format!("a={},b={0},c={0}", "v".repeat(200)),
        ] {
            assert!(!is_trace_state(bad), "{bad}");
        }
    }
}
