//! A region on an image as a form, in pixels where they are known.

use super::view::{Form, Unit};
use labelrelay_event::changes::{Image, Point, Radii, Rect, Shape};

/// Farthest coordinate that is drawn: what is beyond would make the rest a dot.
const FARTHEST: f64 = 1e6;

/// A form, and what its numbers count.
pub(super) type Placed = Option<(Form, Unit)>;

/// The image that a region is on; `None` of what is on no image.
pub(super) fn image_of(shape: &Shape<'_>) -> Option<Image> {
    match shape {
        Shape::Box(it) => Some(it.image),
        Shape::Polygon(it) => Some(it.image),
        Shape::Line(it) => Some(it.image),
        Shape::Ellipse(it) => Some(it.image),
        Shape::Keypoint(it) => Some(it.image),
        Shape::Mask(it) => Some(it.image),
        _ => None,
    }
}

/// The platform's neutral name of a kind of region.
pub(super) fn kind_of(shape: &Shape<'_>) -> &'static str {
    match shape {
        Shape::Box(_) => "box",
        Shape::Polygon(_) => "polygon",
        Shape::Line(_) => "line",
        Shape::Ellipse(_) => "ellipse",
        Shape::Keypoint(_) => "keypoint",
        Shape::Mask(_) => "mask",
        Shape::Span(_) => "text span",
        Shape::TimeSpan(_) => "time span",
        Shape::Track(_) => "track",
        _ => "other",
    }
}

/// How many points a region has, to be counted before they are copied.
pub(super) fn points_of(shape: &Shape<'_>) -> usize {
    let (pixels, percent) = match shape {
        Shape::Polygon(it) => (&it.points, &it.percent),
        Shape::Line(it) => (&it.points, &it.percent),
        _ => return 1,
    };
    pixels.as_ref().or(percent.as_ref()).map_or(0, Vec::len)
}

/// The form of a region; `None` of a mask, of what is on no image, and of numbers that nothing can be drawn with.
pub(super) fn form_of(shape: &Shape<'_>) -> Placed {
    let (form, unit) = match shape {
        Shape::Box(it) => {
            let (rect, unit) = either(it.pixels, it.percent)?;
            let Rect {
                x,
                y,
                width,
                height,
            } = rect;
            let rotation = it.rotation;
            let form = Form::Box {
                x,
                y,
                width,
                height,
                rotation,
            };
            (form, unit)
        }
        Shape::Polygon(it) => {
            let (points, unit) = either(it.points.as_ref(), it.percent.as_ref())?;
            let closed = it.closed.unwrap_or(true);
            (polygon(points, closed), unit)
        }
        Shape::Line(it) => {
            let (points, unit) = either(it.points.as_ref(), it.percent.as_ref())?;
            (polygon(points, false), unit)
        }
        Shape::Ellipse(it) => {
            let (radii, unit) = either(it.pixels, it.percent)?;
            let Radii { cx, cy, rx, ry } = radii;
            let rotation = it.rotation;
            let form = Form::Ellipse {
                cx,
                cy,
                rx,
                ry,
                rotation,
            };
            (form, unit)
        }
        Shape::Keypoint(it) => {
            let (Point { x, y }, unit) = either(it.pixels, it.percent)?;
            (Form::Point { x, y }, unit)
        }
        _ => return None,
    };
    is_drawable(&form).then_some((form, unit))
}

/// The lower right end of a form, as far as a frame has to reach.
pub(super) fn reach(form: &Form) -> (f64, f64) {
    match form {
        // However it is turned about its top left, it stays within its diagonal.
        Form::Box {
            x,
            y,
            width,
            height,
            rotation,
        } => {
            if *rotation == 0.0 {
                (x + width, y + height)
            } else {
                let diagonal = width.hypot(*height);
                (x + diagonal, y + diagonal)
            }
        }
        Form::Polygon { points, .. } => points.iter().fold((0.0, 0.0), |(right, down), [x, y]| {
            (f64::max(right, *x), f64::max(down, *y))
        }),
        Form::Ellipse { cx, cy, rx, ry, .. } => {
            let radius = rx.max(*ry);
            (cx + radius, cy + radius)
        }
        Form::Point { x, y } => (*x, *y),
        Form::Mask { .. } => (0.0, 0.0),
    }
}

/// A form in percent, on an image of this size. Angles are those of the image, whatever its sides.
pub(super) fn of_percent(form: Form, (whole_width, whole_height): (f64, f64)) -> Form {
    let across = |percent: f64| percent * whole_width / 100.0;
    let down = |percent: f64| percent * whole_height / 100.0;
    match form {
        Form::Box {
            x,
            y,
            width,
            height,
            rotation,
        } => Form::Box {
            x: across(x),
            y: down(y),
            width: across(width),
            height: down(height),
            rotation,
        },
        Form::Polygon { mut points, closed } => {
            for [x, y] in &mut points {
                (*x, *y) = (across(*x), down(*y));
            }
            Form::Polygon { points, closed }
        }
        Form::Ellipse {
            cx,
            cy,
            rx,
            ry,
            rotation,
        } => Form::Ellipse {
            cx: across(cx),
            cy: down(cy),
            rx: across(rx),
            ry: down(ry),
            rotation,
        },
        Form::Point { x, y } => Form::Point {
            x: across(x),
            y: down(y),
        },
        Form::Mask { runs } => Form::Mask { runs },
    }
}

fn either<T>(pixels: Option<T>, percent: Option<T>) -> Option<(T, Unit)> {
    let pixels = pixels.map(|pixels| (pixels, Unit::Px));
    pixels.or_else(|| Some((percent?, Unit::Percent)))
}

fn polygon(points: &[Point], closed: bool) -> Form {
    let points = points.iter().map(|point| [point.x, point.y]).collect();
    Form::Polygon { points, closed }
}

fn is_drawable(form: &Form) -> bool {
    let is_near = |number: &f64| number.is_finite() && number.abs() <= FARTHEST;
    match form {
        Form::Box {
            x,
            y,
            width,
            height,
            rotation,
        } => {
            [x, y, width, height, rotation].into_iter().all(is_near)
                && *width >= 0.0
                && *height >= 0.0
        }
        Form::Polygon { points, .. } => !points.is_empty() && points.iter().flatten().all(is_near),
        Form::Ellipse {
            cx,
            cy,
            rx,
            ry,
            rotation,
        } => [cx, cy, rx, ry, rotation].into_iter().all(is_near) && *rx >= 0.0 && *ry >= 0.0,
        Form::Point { x, y } => is_near(x) && is_near(y),
        Form::Mask { .. } => true,
    }
}
