//! Which containers are open: one bit a level.

/// Deepest nesting that is still followed. A million brackets are nobody's annotation, and the bits of
/// a body of brackets alone would otherwise take an eighth of its size.
pub const MAX_DEPTH: u32 = 1 << 20;

#[derive(Debug, Default)]
pub(crate) struct Stack {
    /// The innermost levels, the last one in the lowest bit; set for an object.
    top: u64,
    /// Sixty-four levels each, outermost first.
    below: Vec<u64>,
    depth: u32,
    weight: u32,
}

impl Stack {
    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// Depth in which an object counts twice.
    #[inline]
    pub(crate) fn weight(&self) -> u32 {
        self.weight
    }

    /// `false` when that would be too deep.
    #[inline]
    pub(crate) fn push(&mut self, is_object: bool) -> bool {
        if self.depth >= MAX_DEPTH {
            return false;
        }
        if self.depth.is_multiple_of(64) && self.depth > 0 {
            self.below.push(self.top);
        }
        self.top = self.top << 1 | u64::from(is_object);
        self.depth += 1;
        self.weight += 1 + u32::from(is_object);
        true
    }

    #[inline]
    pub(crate) fn pop(&mut self) {
        let weight = 1 + u32::from(self.in_object());
        self.top >>= 1;
        self.depth = self.depth.saturating_sub(1);
        self.weight = self.weight.saturating_sub(weight);
        if self.depth.is_multiple_of(64) {
            self.top = self.below.pop().unwrap_or_default();
        }
    }

    /// Tells whether the innermost container is an object.
    #[inline]
    pub(crate) fn in_object(&self) -> bool {
        self.top & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_every_level() {
        let is_object = |level: u32| level.is_multiple_of(3) || level.is_multiple_of(7);
        let mut stack = Stack::default();
        let weight = |levels: u32| -> u32 {
            (0..levels)
                .map(|level| 1 + u32::from(is_object(level)))
                .sum()
        };
        for level in 0..1000 {
            assert!(stack.push(is_object(level)));
        }
        for level in (0..1000).rev() {
            assert_eq!(stack.depth(), level + 1);
            assert_eq!(stack.weight(), weight(level + 1));
            assert_eq!(stack.in_object(), is_object(level), "{level}");
            stack.pop();
        }
        assert_eq!(stack.depth(), 0);
    }

    #[test]
    fn refuses_one_level_too_many() {
        let mut stack = Stack::default();
        for _ in 0..MAX_DEPTH {
            assert!(stack.push(true));
        }
        assert!(!stack.push(true));
    }
}
