//! Which annotations of a task are chosen.

use super::policy::Policy;
use crate::step::{Reviewed, Step};
use crate::tally::Tally;
use crate::which::Which;
use rusqlite::{Connection, Row};

/// Columns of `annotations` from which [`Candidate::read`] reads, in their order.
pub(super) const COLUMNS: &str =
    "row, skipped, workflow, version, ground_truth, deleted_by IS NOT NULL";

/// Columns in [`COLUMNS`].
pub(super) const COUNT: usize = 6;

/// The order of the annotations of one task.
pub(super) const OLDEST_FIRST: &str = "coalesce(version, ''), length(annotation_id), annotation_id";

/// An annotation that may be chosen, with what decides on that.
pub(super) struct Candidate<H> {
    pub(super) row: i64,
    skipped: bool,
    workflow: Option<String>,
    pub(super) version: Option<String>,
    pub(super) ground_truth: bool,
    pub(super) is_marked_as_deleted: bool,
    review: Option<Reviewed>,
    /// What else was read of it.
    pub(super) head: H,
}

impl<H> Candidate<H> {
    pub(super) fn read(
        db: &Connection,
        policy: &Policy,
        row: &Row<'_>,
        head: H,
    ) -> rusqlite::Result<Self> {
        let number = row.get(0)?;
        Ok(Self {
            row: number,
            skipped: row.get(1)?,
            workflow: row.get(2)?,
            version: row.get(3)?,
            ground_truth: row.get(4)?,
            is_marked_as_deleted: row.get(5)?,
            review: match &policy.state {
                Some(_) => Reviewed::read(db, number)?,
                None => None,
            },
            head,
        })
    }
}

/// Chooses among the annotations of one task in one project, which come oldest first.
pub(super) fn choose<H>(
    db: &Connection,
    policy: &Policy,
    (source, project, task): (&str, Option<&str>, &str),
    mut rows: Vec<Candidate<H>>,
    tally: &mut Tally,
) -> rusqlite::Result<Vec<Candidate<H>>> {
    let all = rows.len();
    rows.retain(|row| !row.skipped);
    tally.skipped += (all - rows.len()) as u64;
    if let Some(state) = &policy.state {
        let step = Step::read(db, source, project, task)?;
        let before = rows.len();
        rows.retain(|row| {
            let (own, version) = (row.workflow.as_deref(), row.version.as_deref());
            let state_of = Step::state(step.as_ref(), row.review.as_ref(), own, version);
            state_of.is_some_and(|it| is_in(it, state))
        });
        tally.other_state += (before - rows.len()) as u64;
    }
    let before = rows.len();
    match policy.which {
        Which::All => {}
        Which::GroundTruth => rows.retain(|row| row.ground_truth),
        Which::Latest => {
            rows.drain(..rows.len().saturating_sub(1));
        }
    }
    tally.other_versions += (before - rows.len()) as u64;
    tally.chosen += rows.len() as u64;
    tally.marked += rows.iter().filter(|it| it.is_marked_as_deleted).count() as u64;
    Ok(rows)
}

/// Tells whether a state is the one that is wanted. Labelbox calls the step `Done` that rows come to when they are approved
/// for the last time.
fn is_in(state: &str, wanted: &str) -> bool {
    let is = |name: &str| state.eq_ignore_ascii_case(name);
    is(wanted) || (wanted.eq_ignore_ascii_case("approved") && is("done"))
}
