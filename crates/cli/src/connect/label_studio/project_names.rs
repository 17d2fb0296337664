//! Projects, as people are told of them.

use labelrelay_reconcile::label_studio::ProjectTitle;

/// Projects that are named, at most.
const NAMED: usize = 5;

/// A project's number and title.
pub(super) fn titled(project: &ProjectTitle) -> String {
    let ProjectTitle { id, title, .. } = project;
    if title.is_empty() {
        format!("project {id}")
    } else {
        format!("project {id} \"{title}\"")
    }
}

/// Some projects by their names, and how many more there are.
pub(super) fn named_projects(projects: &[&ProjectTitle]) -> String {
    let mut names: Vec<_> = projects.iter().take(NAMED).map(|one| titled(one)).collect();
    if projects.len() > NAMED {
        names.push(format!("{} more", projects.len() - NAMED));
    }
    names.join(", ")
}
