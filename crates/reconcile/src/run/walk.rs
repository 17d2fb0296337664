//! Looks at everything in a project. A look that is cut off goes on in the next run, so that one of a large
//! installation comes to its end however short the runs are.

use super::prefetch::{self, Wanted};
use super::{Reconcile, ReconcileError, Summary};
use crate::platform::Project;
use labelrelay_core::ledger::Walk;
use std::sync::Arc;

impl Reconcile<'_> {
    /// Sends what is new among everything in the project, as `wanted` asks for it. Whatever the project holds was
    /// seen in the pass that the walk began in, or in a later one.
    ///
    /// A thing that was deleted after a run saw it, and before the next one went on, passes for seen. The numbers of
    /// things then differ, and the next run looks at everything again.
    pub(super) async fn walk(
        &mut self,
        project: &Project,
        pass: u64,
        wanted: impl FnOnce(Option<String>) -> Wanted,
        summary: &mut Summary,
    ) -> Result<Walk, ReconcileError> {
        let earlier = self.ledger.walk(&project.id)?;
        let after = earlier.as_ref().map(|walk| walk.after.clone());
        let mut is_first_page = earlier.is_none();
        let mut walk = earlier.unwrap_or(Walk {
            pass,
            began: None,
            after: String::new(),
        });
        let refused = summary.refused;
        let mut pages = prefetch::start(Arc::clone(&self.platform), project.clone(), wanted(after));
        while let Some(page) = pages.next().await {
            let page = page?;
            if std::mem::take(&mut is_first_page) {
                walk.began = page.now;
            }
            let after = page.resume_after.clone();
            self.page(project, pass, page, summary).await?;
            // No run goes on after a refused event, so that it is found again.
            if let Some(after) = after
                && summary.refused == refused
            {
                walk.after = after;
                self.ledger.keep_walk(&project.id, Some(&walk))?;
            }
        }
        if summary.refused > refused {
            self.ledger.keep_walk(&project.id, None)?;
        }
        Ok(walk)
    }
}
