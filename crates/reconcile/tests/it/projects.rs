//! The list of projects, from a server that allows shorter pages than it is asked for.

use crate::server::{Server, answer, options};
use labelrelay_core::Secret;
use labelrelay_reconcile::Platform as _;
use labelrelay_reconcile::label_studio::LabelStudio;

/// A page of the list.
fn page(count: u64, ids: &[u64]) -> String {
    let results: Vec<_> = ids.iter().map(|id| format!("{{\"id\":{id}}}")).collect();
    let body = format!("{{\"count\":{count},\"results\":[{}]}}", results.join(","));
    answer("200 OK", "", &body)
}

/// The projects that a server shows which gives these answers, and how often it was asked.
async fn listed(answers: Vec<String>) -> (Vec<String>, usize) {
    let server = Server::start(answers).await;
    let token = Secret::new("token", "0123456789abcdef0123456789abcdef01234567").unwrap();
    let studio = LabelStudio::new(&server.url, token, Vec::new(), options()).unwrap();
    let projects = studio.projects().await.unwrap();
    let ids = projects.into_iter().map(|project| project.id).collect();
    (ids, server.count())
}

#[tokio::test]
async fn a_short_page_is_not_the_last() {
    let pages = vec![page(5, &[1, 2]), page(5, &[3, 4]), page(5, &[5])];
    let (ids, asked) = listed(pages).await;
    assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    assert_eq!(asked, 3);
}

#[tokio::test]
async fn a_list_that_changes_while_it_is_read_is_read_again() {
    // A project is deleted after it was shown, so that those behind it move to the page before.
    let second = [page(5, &[1, 3, 4]), page(5, &[5, 6])];
    let first = [page(6, &[1, 2, 3]), page(6, &[5, 6]), page(6, &[])];
    let (ids, asked) = listed([&first[..], &second].concat()).await;
    assert_eq!(ids, ["1", "3", "4", "5", "6"]);
    assert_eq!(asked, 5);
}
