//! What one delivery may cost, on this side and in the browser.

/// Parts of every kind, in all drawings of one event.
const MAX_PARTS: usize = 10_000;

/// Corners of polygons and lines.
const MAX_POINTS: usize = 200_000;

/// Key frames of tracks, and ranges of time lines: each is an element of its own.
const MAX_MARKS: usize = 10_000;

/// Runs of masks: three numbers each.
const MAX_RUNS: usize = 200_000;

/// Pixels of masks, whether marked or not. Each takes a byte while it is decoded.
const MAX_PIXELS: u64 = 64 * 1024 * 1024;

/// What is left to spend, and what there was nothing left for.
#[derive(Debug)]
pub(super) struct Budget {
    parts: usize,
    points: usize,
    marks: usize,
    pub(super) runs: usize,
    pub(super) pixels: u64,
    left_out: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            parts: MAX_PARTS,
            points: MAX_POINTS,
            marks: MAX_MARKS,
            runs: MAX_RUNS,
            pixels: MAX_PIXELS,
            left_out: 0,
        }
    }
}

impl Budget {
    /// Takes one part with so many points; `false`, and counted, if that is too much.
    pub(super) fn take(&mut self, points: usize) -> bool {
        let left = self
            .parts
            .checked_sub(1)
            .zip(self.points.checked_sub(points));
        if let Some((parts, points)) = left {
            (self.parts, self.points) = (parts, points);
            return true;
        }
        self.left_out += 1;
        false
    }

    /// Takes as many of so many marks as there are left.
    pub(super) fn take_marks(&mut self, wanted: usize) -> usize {
        let taken = wanted.min(self.marks);
        self.marks -= taken;
        taken
    }

    /// What was left out since this was asked the last time.
    pub(super) fn words(&mut self) -> Option<String> {
        let left_out = std::mem::take(&mut self.left_out);
        (left_out > 0).then(|| {
            format!("{left_out} regions, answers or relations are left out: a page draws {MAX_PARTS} of them, with {MAX_POINTS} corners.")
        })
    }
}
