//! The list of projects, from a server that allows shorter pages than it is asked for.

use crate::server::{Server, answer};
use labelrelay_core::Secret;
use labelrelay_reconcile::Platform as _;
use labelrelay_reconcile::http::HttpOptions;
use labelrelay_reconcile::label_studio::LabelStudio;

#[tokio::test]
async fn short_pages_are_no_end() {
    let page = |ids: &[u64]| {
        let results: Vec<_> = ids.iter().map(|id| format!("{{\"id\":{id}}}")).collect();
        let body = format!("{{\"count\":5,\"results\":[{}]}}", results.join(","));
        answer("200 OK", "", &body)
    };
    // One was deleted meanwhile, so that the count is never reached.
    let pages = [&[1, 2][..], &[3, 4], &[]];
    let server = Server::start(pages.map(page).into()).await;
    let token = Secret::new("token", "0123456789abcdef0123456789abcdef01234567").unwrap();
    let studio = LabelStudio::new(&server.url, token, Vec::new(), HttpOptions::default()).unwrap();
    let ids: Vec<_> = studio.projects().await.unwrap();
    let ids: Vec<_> = ids.into_iter().map(|project| project.id).collect();
    assert_eq!(ids, ["1", "2", "3", "4"]);
    assert_eq!(server.count(), 3);
}
