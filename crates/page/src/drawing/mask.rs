//! Label Studio's brush as rows of runs.

use super::budget::Budget;
use labelrelay_event::changes::Mask;

/// A pixel of a soft edge counts as marked from here on, as it does in a data set.
const MARKED: u8 = 128;

/// A row, its first column, and a length.
const NUMBERS_OF_A_RUN: usize = 3;

/// A mask that can be drawn.
pub(super) struct Runs {
    pub(super) runs: Vec<u32>,
    /// `false` if there were more than the budget had left.
    pub(super) are_all: bool,
}

/// The runs of a mask, or why there are none.
pub(super) fn runs(mask: &Mask<'_>, budget: &mut Budget) -> Result<Runs, String> {
    let pixels = mask
        .decode(budget.pixels)
        .map_err(|error| error.reason().to_owned())?;
    let spent = u64::try_from(pixels.len()).unwrap_or(u64::MAX);
    budget.pixels = budget.pixels.saturating_sub(spent);
    let width = mask.image.size.map_or(1, |size| size.width.max(1));
    let width = usize::try_from(width).unwrap_or(usize::MAX);
    let mut found = Runs {
        runs: Vec::new(),
        are_all: true,
    };
    let most = budget.runs.saturating_mul(NUMBERS_OF_A_RUN);
    'rows: for (y, row) in (0..).zip(pixels.chunks(width)) {
        let mut x = 0;
        for run in row.chunk_by(|one, next| (*one >= MARKED) == (*next >= MARKED)) {
            let length = u32::try_from(run.len()).unwrap_or(u32::MAX);
            if run.first().is_some_and(|pixel| *pixel >= MARKED) {
                if found.runs.len() >= most {
                    found.are_all = false;
                    break 'rows;
                }
                found.runs.extend([y, x, length]);
            }
            x += length;
        }
    }
    budget.runs -= found.runs.len() / NUMBERS_OF_A_RUN;
    Ok(found)
}
