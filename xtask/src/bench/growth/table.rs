//! The figures of all axes, as CSV and as a table for people.

use super::axis::Axis;
use std::fmt::Write as _;

/// Figures at one value of an axis.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) axis: Axis,
    pub(super) at: u64,
    pub(super) per_second: f64,
    /// Microseconds of processor time a delivery.
    pub(super) each_us: f64,
    /// `None` where no answer came within the window.
    pub(super) p99_ms: Option<f64>,
    pub(super) peak_mib: f64,
    /// Until the server was ready.
    pub(super) start_ms: f64,
    /// Deliveries that were not accepted, and connections that broke.
    pub(super) not_accepted: u64,
    /// `true` if nobody measured it.
    pub(super) is_extrapolated: bool,
}

#[derive(Debug, Default)]
pub(super) struct Table(pub(super) Vec<Point>);

impl Point {
    /// One line for who watches.
    pub(super) fn line(&self) -> String {
        format!(
            "{}: {:.0} requests/s, {:.1} us of processor time each, {} ms p99, {:.1} MiB at most, ready after {:.0} ms, {} not accepted",
            self.axis.value(self.at),
            self.per_second,
            self.each_us,
            self.p99(),
            self.peak_mib,
            self.start_ms,
            self.not_accepted
        )
    }

    fn p99(&self) -> String {
        self.p99_ms
            .map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1}"))
    }
}

impl Table {
    pub(super) fn of(&self, axis: Axis) -> impl Iterator<Item = &Point> {
        self.0.iter().filter(move |point| point.axis == axis)
    }

    /// Adds what ten times as many events would take, if each figure went on as in the last step up. Memory and time
    /// for these are more than a bench has.
    pub(super) fn extrapolate_events(&mut self) {
        let points: Vec<&Point> = self.of(Axis::Events).collect();
        let [.., before, last] = &points[..] else {
            return;
        };
        let go_on = |of: fn(&Point) -> f64| of(last) * (of(last) / of(before));
        let point = Point {
            axis: Axis::Events,
            at: last.at * 10,
            per_second: go_on(|point| point.per_second),
            each_us: go_on(|point| point.each_us),
            p99_ms: None,
            peak_mib: go_on(|point| point.peak_mib),
            start_ms: go_on(|point| point.start_ms),
            not_accepted: 0,
            is_extrapolated: true,
        };
        self.0.push(point);
    }

    pub(super) fn csv(&self) -> String {
        let mut text = "grows,to,requests/s,processor time (us),p99 (ms),peak memory (MiB),start (ms),not accepted,extrapolated\n".to_owned();
        for point in &self.0 {
            let p99 = point.p99_ms.map(|ms| format!("{ms:.2}"));
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{},{},{:.1},{:.1},{},{:.1},{:.0},{},{}",
                point.axis.title(),
                point.at,
                point.per_second,
                point.each_us,
                p99.unwrap_or_default(),
                point.peak_mib,
                point.start_ms,
                point.not_accepted,
                point.is_extrapolated
            );
        }
        text
    }

    pub(super) fn markdown(&self) -> String {
        let mut text = "| | | requests/s | processor time of each | p99 | peak memory | start until ready | not accepted |\n|---|---|---|---|---|---|---|---|\n".to_owned();
        for axis in Axis::ALL {
            let mut title = axis.title();
            for point in self.of(axis) {
                let note = if point.is_extrapolated {
                    " (extrapolated)"
                } else {
                    ""
                };
                let _ = writeln!(
                    text,
                    "| {title} | {}{note} | {:.*} | {:.0} µs | {} ms | {:.0} MiB | {:.0} ms | {} |",
                    axis.value(point.at),
                    usize::from(point.per_second < 10.0),
                    point.per_second,
                    point.each_us,
                    point.p99(),
                    point.peak_mib,
                    point.start_ms,
                    point.not_accepted
                );
                title = "";
            }
        }
        text
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::bench::growth) fn two_axes() -> Table {
        let point = |axis, at, each_us| Point {
            axis,
            at,
            per_second: 1000.0,
            each_us,
            p99_ms: Some(5.0),
            peak_mib: 50.0,
            start_ms: 40.0,
            not_accepted: 0,
            is_extrapolated: false,
        };
        Table(vec![
            point(Axis::Events, 1_000_000, 50.0),
            point(Axis::Events, 10_000_000, 60.0),
            point(Axis::Bytes, 1024, 50.0),
            point(Axis::Bytes, 1 << 30, 3_000_000.0),
        ])
    }

    #[test]
    fn what_nobody_measured_is_marked() {
        let mut table = two_axes();
        table.extrapolate_events();
        let last = table.of(Axis::Events).last().unwrap();
        assert_eq!(last.at, 100_000_000);
        assert!((last.each_us - 72.0).abs() < 1e-9);
        let (csv, markdown) = (table.csv(), table.markdown());
        assert_eq!(
            csv.lines().filter(|line| line.ends_with(",true")).count(),
            1
        );
        assert!(markdown.contains("| 100,000,000 (extrapolated) |"));
        assert!(markdown.contains("| bytes of a body | 1 KB |"));
        assert_eq!(markdown.lines().count(), 2 + 5);
    }

    #[test]
    fn one_step_says_nothing_of_the_next() {
        let mut table = two_axes();
        table.0.remove(0);
        table.extrapolate_events();
        assert!(!table.0.iter().any(|point| point.is_extrapolated));
    }
}
