//! Shapes on images, until it is known how large those are.

use super::forms::{of_percent, reach};
use super::view::{Picture, Shape, Unit};
use labelrelay_event::changes::Image;

/// Pictures of one annotation.
pub(super) const MAX_PICTURES: usize = 20;

/// The words of a frame that is no image's.
const SQUARE: &str =
    "The event does not say how large the image is: the frame is a square of 100 %.";
const AS_FAR_AS_REGIONS: &str =
    "The event does not say how large the image is: the frame ends with the last region.";

/// Shapes by the image that they are on.
#[derive(Default)]
pub(super) struct Drafts(Vec<Draft>);

struct Draft {
    item: Option<i64>,
    size: Option<(u32, u32)>,
    unit: Unit,
    shapes: Vec<Shape>,
}

impl Drafts {
    /// Puts a shape onto its image; gives it back where that is one too many.
    pub(super) fn put(&mut self, image: Image, unit: Unit, shape: Shape) -> Option<Shape> {
        let size = image.size.filter(|_| unit == Unit::Px);
        let size = size.map(|size| (size.width, size.height));
        let place = self
            .0
            .iter()
            .position(|draft| draft.item == image.item && draft.size == size && draft.unit == unit);
        if let Some(place) = place
            && let Some(draft) = self.0.get_mut(place)
        {
            draft.shapes.push(shape);
            return None;
        }
        if self.0.len() >= MAX_PICTURES {
            return Some(shape);
        }
        self.0.push(Draft {
            item: image.item,
            size,
            unit,
            shapes: vec![shape],
        });
        None
    }

    pub(super) fn pictures(mut self) -> Vec<Picture> {
        self.join_unsized();
        self.0.into_iter().map(picture).collect()
    }

    /// Regions of which only percentages are known join those of the same image whose size is known.
    fn join_unsized(&mut self) {
        let (unsized_ones, mut rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|draft| draft.unit == Unit::Percent);
        for draft in unsized_ones {
            let item = draft.item;
            let mut sized = rest
                .iter_mut()
                .filter(|other| other.item == item && other.size.is_some());
            match (sized.next(), sized.next()) {
                (Some(other), None) => {
                    let (width, height) = other.size.unwrap_or((100, 100));
                    let size = (f64::from(width), f64::from(height));
                    let shapes = draft.shapes.into_iter().map(|shape| Shape {
                        form: of_percent(shape.form, size),
                        ..shape
                    });
                    other.shapes.extend(shapes);
                }
                _ => self.0.push(draft),
            }
        }
        rest.append(&mut self.0);
        self.0 = rest;
    }
}

fn picture(draft: Draft) -> Picture {
    let (width, height, words) = match (draft.size, draft.unit) {
        (Some((width, height)), _) => (f64::from(width), f64::from(height), None),
        (None, Unit::Percent) => (100.0, 100.0, Some(SQUARE)),
        (None, Unit::Px) => {
            let reached = draft.shapes.iter().map(|shape| reach(&shape.form));
            let (width, height) = reached.fold((1.0, 1.0), |(width, height), (right, down)| {
                (f64::max(width, right), f64::max(height, down))
            });
            (width, height, Some(AS_FAR_AS_REGIONS))
        }
    };
    Picture {
        item: draft.item,
        width,
        height,
        unit: draft.unit,
        words,
        shapes: draft.shapes,
    }
}
