//! Masks as COCO writes them: run lengths, column by column, beginning with what is not marked.

/// A pixel counts as marked from here on: a brush has a soft edge.
const MARKED: u8 = 128;

/// Run lengths of a mask of one byte a pixel, row by row.
pub(crate) struct ColumnRuns {
    pub(crate) counts: Vec<u64>,
    pub(crate) area: u64,
    /// Left, top, width, height in pixels; `None` if nothing is marked.
    pub(crate) bounds: Option<[u64; 4]>,
}

impl ColumnRuns {
    pub(crate) fn of(pixels: &[u8], width: usize, height: usize) -> Self {
        let (mut counts, mut area) = (Vec::new(), 0);
        let (mut run, mut is_marked) = (0_u64, false);
        let mut box_of: Option<[usize; 4]> = None;
        for x in 0..width {
            for y in 0..height {
                let marked = pixels
                    .get(y * width + x)
                    .is_some_and(|pixel| *pixel >= MARKED);
                if marked != is_marked {
                    counts.push(std::mem::take(&mut run));
                    is_marked = marked;
                }
                run += 1;
                if marked {
                    area += 1;
                    let [left, top, right, bottom] = box_of.unwrap_or([x, y, x, y]);
                    box_of = Some([left.min(x), top.min(y), right.max(x), bottom.max(y)]);
                }
            }
        }
        counts.push(run);
        let bounds = box_of.map(|[left, top, right, bottom]| {
            [left, top, right - left + 1, bottom - top + 1].map(|it| it as u64)
        });
        Self {
            counts,
            area,
            bounds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_go_down_the_columns() {
        // . X X
        // . . X
        let runs = ColumnRuns::of(&[0, 255, 200, 0, 100, 128], 3, 2);
        assert_eq!(runs.counts, [2, 1, 1, 2]);
        assert_eq!((runs.area, runs.bounds), (3, Some([1, 0, 2, 2])));
        let all = ColumnRuns::of(&[255; 4], 2, 2);
        assert_eq!(all.counts, [0, 4]);
        let none = ColumnRuns::of(&[0; 4], 2, 2);
        assert_eq!((none.counts, none.bounds), (vec![4], None));
    }
}
