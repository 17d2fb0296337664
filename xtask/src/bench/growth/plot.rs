//! The plot: processor time of a delivery along each axis, both on scales of tens.

use super::axis::Axis;
use super::table::{Point, Table};
use std::fmt::Write as _;

/// Width and height of an axis's part of the picture.
const PART: (f64, f64) = (400.0, 260.0);

/// Left, top, right and bottom of the curve in it.
const FRAME: (f64, f64, f64, f64) = (70.0, 40.0, 380.0, 215.0);

/// A scale of tens between two whole powers.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// A scale with room for `values`, between the places `from` and `to`.
    fn of(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let logarithms = values.filter(|value| *value > 0.0).map(f64::log10);
        let (low, high) = logarithms.fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let low = if low > high { 0.0 } else { low.floor() };
        Self {
            low,
            high: high.ceil().max(low + 1.0),
            from,
            to,
        }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.log10() - self.low) / (self.high - self.low);
        // What is below the clock's resolution is at the edge.
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// The powers of ten on it.
    fn tens(&self) -> impl Iterator<Item = f64> {
        let (low, high) = (self.low, self.high);
        std::iter::successors(Some(low), |power| Some(power + 1.0))
            .take_while(move |power| *power <= high)
            .map(|power| 10_f64.powf(power))
    }
}

/// The picture.
pub(super) fn svg(table: &Table) -> String {
    let (width, height) = (2.0 * PART.0, 2.0 * PART.1);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    let corners = [(0.0, 0.0), (PART.0, 0.0), (0.0, PART.1), (PART.0, PART.1)];
    for (axis, (x, y)) in Axis::ALL.into_iter().zip(corners) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "<g transform=\"translate({x} {y})\">");
        let points: Vec<&Point> = table.of(axis).collect();
        part(&mut text, axis, &points);
        text.push_str("</g>\n");
    }
    text.push_str("</svg>\n");
    text
}

#[expect(
    clippy::cast_precision_loss,
    reason = "places of a picture, and values far below 2^52"
)]
fn part(text: &mut String, axis: Axis, points: &[&Point]) {
    let (left, top, right, bottom) = FRAME;
    let along = Scale::of(points.iter().map(|point| point.at as f64), left, right);
    let up = Scale::of(points.iter().map(|point| point.each_us), bottom, top);
    let _ = writeln!(
        text,
        "<text x=\"{left}\" y=\"24\" font-weight=\"bold\">µs of processor time a delivery, by {}</text>",
        axis.title()
    );
    for ten in up.tens() {
        let y = up.place(ten);
        let _ = writeln!(
            text,
            "<line x1=\"{left}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 6.0,
            y + 4.0,
            Axis::Events.value(whole(ten))
        );
    }
    for point in points {
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"10\">{}</text>",
            along.place(point.at as f64),
            bottom + 18.0,
            axis.value(point.at)
        );
    }
    let places: Vec<(f64, f64)> = points
        .iter()
        .map(|point| (along.place(point.at as f64), up.place(point.each_us)))
        .collect();
    let measured = points.iter().filter(|point| !point.is_extrapolated).count();
    let line: Vec<String> = places
        .iter()
        .take(measured)
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let _ = writeln!(
        text,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#2563eb\" stroke-width=\"2\"/>",
        line.join(" ")
    );
    for (point, (x, y)) in points.iter().zip(&places) {
        // A ring was not measured.
        let fill = if point.is_extrapolated {
            "#fff"
        } else {
            "#2563eb"
        };
        let _ = writeln!(
            text,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{fill}\" stroke=\"#2563eb\" stroke-width=\"2\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"10\">{:.0}</text>",
            y - 9.0,
            point.each_us
        );
    }
}

/// A power of ten; below 1, it is 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive label of a scale, far below 2^52"
)]
fn whole(ten: f64) -> u64 {
    ten.round() as u64
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::two_axes;
    use super::*;

    #[test]
    fn every_point_is_within_its_frame() {
        let mut table = two_axes();
        table.extrapolate_events();
        let picture = svg(&table);
        assert_eq!(picture.matches("<circle").count(), 5);
        assert_eq!(picture.matches("fill=\"#fff\" stroke").count(), 1);
        assert_eq!(picture.matches("<g ").count(), 4);
        let (left, top, right, bottom) = FRAME;
        for circle in picture.split("<circle").skip(1) {
            let value = |name: &str| -> f64 {
                let (_, rest) = circle.split_once(name).unwrap();
                rest.split('"').next().unwrap().parse().unwrap()
            };
            let (x, y) = (value("cx=\""), value("cy=\""));
            assert!((left..=right).contains(&x) && (top..=bottom).contains(&y));
        }
        assert!(!picture.contains("NaN"));
    }

    #[test]
    fn a_scale_of_one_value_has_a_length() {
        let scale = Scale::of([100.0].into_iter(), 0.0, 10.0);
        assert!(scale.place(100.0).abs() < 1e-9 && (scale.place(1000.0) - 10.0).abs() < 1e-9);
        assert_eq!(Scale::of(std::iter::empty(), 0.0, 1.0).tens().count(), 2);
    }
}
