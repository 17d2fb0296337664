//! Tokens that pieces cut: how a scanner holds what it has of one, resumes it, and hands the whole to
//! its visitor.

use crate::number;
use crate::scanner::{Scanner, State, Step};
use crate::string;
use crate::text::Text;
use crate::visitor::{Scalar, Visitor};
use crate::walk::Walk;

/// Longest key, string or number, as written, whose text a visitor gets.
pub const MAX_SCALAR_BYTES: usize = 4096;

impl<V: Visitor> Scanner<V> {
    /// Walks from `at` to the end of the token that the last piece cut; `None` when this piece ends
    /// before it, or it is wrong.
    pub(crate) fn resume<const WATCH: bool>(
        &mut self,
        bytes: &[u8],
        at: &mut usize,
    ) -> Option<Step> {
        let from = *at;
        let part = |end: usize| bytes.get(from..end).unwrap_or_default();
        match self.state {
            State::Between(step) => return Some(step),
            State::Start => {
                *at = self.skip_whitespace(bytes, from);
                self.has_outer_whitespace |= *at > from;
                return (*at < bytes.len()).then_some(Step::Value);
            }
            State::Key(inside) | State::String(inside) => {
                let is_key = matches!(self.state, State::Key(_));
                match string::walk(bytes, from, inside, &mut self.has_lone_surrogates) {
                    Walk::Over(next) => {
                        *at = next;
                        if WATCH && is_key {
                            self.key(part(next - 1));
                        } else if WATCH {
                            self.string(part(next - 1));
                        }
                        if is_key {
                            return Some(Step::Colon);
                        }
                    }
                    Walk::Cut(inside) => {
                        self.cut::<WATCH>(
                            bytes,
                            from,
                            if is_key {
                                State::Key(inside)
                            } else {
                                State::String(inside)
                            },
                        );
                        return None;
                    }
                    Walk::Wrong => {
                        self.fail(bytes);
                        return None;
                    }
                }
            }
            State::Number(before) => {
                match number::walk(bytes, from, before, &mut self.has_exponent) {
                    Walk::Over(next) => {
                        *at = next;
                        self.number::<WATCH>(part(next));
                    }
                    Walk::Cut(before) => {
                        self.cut::<WATCH>(bytes, from, State::Number(before));
                        return None;
                    }
                    Walk::Wrong => {
                        self.fail(bytes);
                        return None;
                    }
                }
            }
            State::Literal(missing, scalar) => {
                let present = bytes.get(from..).unwrap_or_default();
                if present.starts_with(missing) {
                    *at = from + missing.len();
                    if WATCH {
                        self.visitor.scalar(self.stack.depth(), scalar);
                    }
                } else {
                    match missing.strip_prefix(present) {
                        Some(left) => self.state = State::Literal(left, scalar),
                        None => self.failed = true,
                    }
                    return None;
                }
            }
        }
        Some(self.after::<WATCH>())
    }

    /// The piece ends within a token that began, or was resumed, at `from`.
    #[cold]
    pub(crate) fn cut<const WATCH: bool>(
        &mut self,
        bytes: &[u8],
        from: usize,
        state: State,
    ) -> usize {
        // The check for modest numbers needs all of a number, whoever listens.
        if WATCH || matches!(state, State::Number(_)) {
            self.hold(bytes.get(from..).unwrap_or_default());
        }
        self.state = state;
        bytes.len()
    }

    pub(crate) fn key(&mut self, rest: &[u8]) {
        let depth = self.stack.depth();
        if self.is_held {
            self.hold(rest);
            self.visitor.key(depth, Text::new(within_limit(&self.held)));
            self.release();
        } else {
            self.visitor.key(depth, Text::new(within_limit(rest)));
        }
    }

    pub(crate) fn string(&mut self, rest: &[u8]) {
        let depth = self.stack.depth();
        if self.is_held {
            self.hold(rest);
            self.visitor
                .scalar(depth, Scalar::String(Text::new(within_limit(&self.held))));
            self.release();
        } else {
            self.visitor
                .scalar(depth, Scalar::String(Text::new(within_limit(rest))));
        }
    }

    #[inline]
    pub(crate) fn number<const WATCH: bool>(&mut self, rest: &[u8]) {
        if self.is_held {
            self.held_number::<WATCH>(rest);
            return;
        }
        self.weigh(rest);
        if WATCH {
            let depth = self.stack.depth();
            self.visitor.scalar(depth, Scalar::Number(digits(rest)));
        }
    }

    #[cold]
    fn held_number<const WATCH: bool>(&mut self, rest: &[u8]) {
        self.hold(rest);
        let held = std::mem::take(&mut self.held);
        self.weigh(&held);
        if WATCH {
            let depth = self.stack.depth();
            self.visitor.scalar(depth, Scalar::Number(digits(&held)));
        }
        self.held = held;
        self.release();
    }

    /// Keeps what there is of a cut token, up to one byte more than a visitor gets.
    fn hold(&mut self, part: &[u8]) {
        let room = (MAX_SCALAR_BYTES + 1).saturating_sub(self.held.len());
        self.held
            .extend_from_slice(part.get(..room).unwrap_or(part));
        self.is_held = true;
    }

    fn release(&mut self) {
        self.held.clear();
        self.is_held = false;
    }
}

fn within_limit(written: &[u8]) -> Option<&[u8]> {
    (written.len() <= MAX_SCALAR_BYTES).then_some(written)
}

fn digits(written: &[u8]) -> Option<&str> {
    within_limit(written).and_then(|digits| std::str::from_utf8(digits).ok())
}
