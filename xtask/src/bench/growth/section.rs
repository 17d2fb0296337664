//! The section of the figures that a kept run writes.

use super::table::Table;
use crate::Outcome;

const HEADING: &str = "## Growth\n";

/// Heading before which the section goes the first time.
const NEXT: &str = "## The pipeline alone\n";

pub(super) fn text(table: &Table) -> String {
    format!(
        "{HEADING}\n\
         One thing grows, and everything else stays: 1 KB, 64 connections from one address, one source, an empty file. \
         `cargo xtask bench growth --keep` repeats it and writes this section. What is extrapolated goes on as from the last step but one to the last. \
         `serve` has [816 connections at a time](operations.md#connections): of more, those that idle are closed, and count as not accepted, or wait. \
         Bodies of more than 1 MiB come over fewer connections, so that 64 MiB are under way at most, and go into a directory. \
         Processor time is user's and system's, with the work after the answer.\n\n\
         ![Processor time of a delivery as events, connections, bodies and sources grow](images/growth.svg)\n\n\
         {}\n",
        table.markdown()
    )
}

/// Puts the section into `figures`, in the place of an earlier one.
pub(super) fn put(figures: &str, section: &str) -> Outcome<String> {
    let (before, after) = if let Some((before, rest)) = figures.split_once(HEADING) {
        let end = rest
            .find("\n## ")
            .ok_or("no section follows that of growth")?;
        let (_, after) = rest.split_at(end + 1);
        (before, after)
    } else {
        let at = figures
            .find(NEXT)
            .ok_or_else(|| format!("the figures have no `{}`", NEXT.trim_end()))?;
        figures.split_at(at)
    };
    Ok(format!("{before}{section}{after}"))
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::two_axes;
    use super::*;

    #[test]
    fn a_later_run_takes_the_place_of_an_earlier_one() {
        let figures = "# Figures\n\n## The pipeline alone\n\nText.\n";
        let section = text(&two_axes());
        let once = put(figures, &section).unwrap();
        assert_eq!(
            once,
            format!("# Figures\n\n{section}## The pipeline alone\n\nText.\n")
        );
        assert_eq!(put(&once, &section).unwrap(), once);
        let other = put(&once, "## Growth\n\nOther.\n\n").unwrap();
        assert_eq!(
            other,
            "# Figures\n\n## Growth\n\nOther.\n\n## The pipeline alone\n\nText.\n"
        );
        assert!(put("# Figures\n", &section).is_err());
    }
}
