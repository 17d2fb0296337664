//! Servers that err: each pass ends, with an error that says what is wrong, and nothing is taken for whole that is
//! not.

use crate::server::{Asked, Server, answer};
use futures_util::{StreamExt as _, stream};
use labelrelay_core::Secret;
use labelrelay_reconcile::http::HttpOptions;
use labelrelay_reconcile::label_studio::LabelStudio;
use labelrelay_reconcile::labelbox::Labelbox;
use labelrelay_reconcile::{EntityRef, Page, Platform, PlatformError, Project};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Far more than any of these takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn options() -> HttpOptions {
    let mut options = crate::server::options();
    options.attempts = 2;
    options
}

/// For servers that leave a question open.
fn impatient() -> HttpOptions {
    let mut options = options();
    options.timeout = Duration::from_secs(1);
    options
}

fn studio(url: &str) -> LabelStudio {
    studio_with(url, options())
}

fn studio_with(url: &str, options: HttpOptions) -> LabelStudio {
    let token = Secret::new("token", "0123456789abcdef0123456789abcdef01234567").unwrap();
    LabelStudio::new(url, token, Vec::new(), options).unwrap()
}

fn labelbox(url: &str) -> Labelbox {
    labelbox_with(url, options())
}

fn labelbox_with(url: &str, options: HttpOptions) -> Labelbox {
    let key = Secret::new("key", "0123456789abcdef0123456789abcdef").unwrap();
    Labelbox::new(&format!("{url}/graphql"), key, Vec::new(), options).unwrap()
}

fn json(body: &str) -> String {
    answer("200 OK", "Date: Wed, 25 Nov 2026 22:44:22 GMT\r\n", body)
}

fn project() -> Project {
    Project {
        id: "1".to_owned(),
        entities: None,
    }
}

/// The list, or why there is none; never for longer than a patient person waits.
async fn projects(platform: &dyn Platform) -> Result<Vec<String>, PlatformError> {
    let listed = tokio::time::timeout(PATIENCE, platform.projects());
    let listed = listed.await.unwrap()?;
    Ok(listed.into_iter().map(|project| project.id).collect())
}

async fn scan(platform: &dyn Platform, since: Option<&str>) -> Result<Vec<Page>, PlatformError> {
    let project = project();
    let since = since.map(|time| time.parse().unwrap());
    let pages = async {
        let changed = platform.changed(&project, since, None);
        // As a pass looks at everything.
        let all = since.map(|_| platform.all(&project, None));
        let mut shown = changed.chain(stream::iter(all).flatten());
        let mut pages = Vec::new();
        while let Some(page) = shown.next().await {
            pages.push(page?);
        }
        Ok(pages)
    };
    tokio::time::timeout(PATIENCE, pages).await.unwrap()
}

#[track_caller]
fn says<T: std::fmt::Debug>(outcome: Result<T, PlatformError>, words: &[&str]) {
    let error = outcome.unwrap_err().to_string();
    for word in words {
        assert!(error.contains(word), "no {word:?} in: {error}");
    }
}

/// `first..=last` as a page of Label Studio's list of projects.
fn studio_list(count: u64, ids: impl Iterator<Item = u64>) -> String {
    let ids: Vec<_> = ids.map(|id| format!("{{\"id\":{id}}}")).collect();
    json(&format!(
        "{{\"count\":{count},\"results\":[{}]}}",
        ids.join(",")
    ))
}

fn number_after(text: &str, name: &str) -> u64 {
    let rest = text.split(name).nth(1).unwrap();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

#[tokio::test]
async fn an_incomplete_list_is_an_error() {
    // The same page whatever is asked for.
    let server = Server::by(|_| studio_list(500, 1..=100)).await;
    says(projects(&studio(&server.url)).await, &["500", "the same"]);
    // A page is shown, and the others are empty.
    let server = Server::by(|asked| {
        let page = number_after(&asked.head, "page=");
        studio_list(500, if page == 1 { 1..101 } else { 1..1 })
    });
    says(projects(&studio(&server.await.url)).await, &["500", "100"]);
    // It says 404 too early.
    let server = Server::by(|asked| match number_after(&asked.head, "page=") {
        1 => studio_list(500, 1..=100),
        _ => answer("404 Not Found", "", "{\"detail\":\"Invalid page.\"}"),
    });
    says(projects(&studio(&server.await.url)).await, &["500", "100"]);
}

#[tokio::test]
async fn an_endless_list_is_an_error() {
    let server = Server::by(|asked| {
        let page = number_after(&asked.head, "page=");
        studio_list(page * 100 + 100, page * 100..page * 100 + 100)
    });
    says(
        projects(&studio(&server.await.url)).await,
        &["/api/projects/", "end"],
    );
    let next = AtomicU64::new(0);
    let server = Server::by(move |_| {
        let first = next.fetch_add(100, Ordering::Relaxed);
        let ids: Vec<_> = (first..first + 100)
            .map(|id| format!("{{\"id\":\"p{id}\"}}"))
            .collect();
        json(&format!(
            "{{\"data\":{{\"projects\":[{}]}}}}",
            ids.join(",")
        ))
    });
    says(
        projects(&labelbox(&server.await.url)).await,
        &["projects", "end"],
    );
}

#[tokio::test]
async fn labelbox_s_list_ends_with_an_empty_page_and_no_other() {
    let page = |skip: u64, many: u64| {
        let ids: Vec<_> = (skip..skip + many)
            .map(|id| format!("{{\"id\":\"p{id:03}\"}}"))
            .collect();
        json(&format!(
            "{{\"data\":{{\"projects\":[{}]}}}}",
            ids.join(",")
        ))
    };
    // A proxy before the server allows 40 rows on a page.
    let server = Server::by(move |asked| {
        let skip = number_after(&asked.body, "skip: ");
        page(skip, 40.min(100_u64.saturating_sub(skip)))
    });
    let ids = projects(&labelbox(&server.await.url)).await.unwrap();
    assert_eq!((ids.len(), ids.last().unwrap().as_str()), (100, "p099"));
    let server = Server::by(move |_| page(0, 100)).await;
    says(projects(&labelbox(&server.url)).await, &["the same"]);
    let server = Server::by(|_| json("{\"data\":null}")).await;
    says(projects(&labelbox(&server.url)).await, &["does not say"]);
}

#[tokio::test]
async fn a_project_that_was_not_asked_for_is_ignored() {
    let server = Server::by(|_| json("{\"id\":8}")).await;
    let has = studio(&server.url).has_project("7").await;
    says(has, &["7", "8"]);
    let server = Server::by(|_| json("{\"data\":{\"project\":{\"id\":\"b\"}}}")).await;
    let has = labelbox(&server.url).has_project("a").await;
    says(has, &["a", "b"]);
}

/// A page of tasks.
fn tasks(total: u64, ids: impl IntoIterator<Item = u64>) -> String {
    let tasks: Vec<_> = ids
        .into_iter()
        .map(|id| {
            format!("{{\"id\":{id},\"updated_at\":\"2026-11-25T00:00:00Z\",\"annotations\":[]}}")
        })
        .collect();
    json(&format!(
        "{{\"total\":{total},\"tasks\":[{}]}}",
        tasks.join(",")
    ))
}

/// The id after which a request asks for tasks.
fn after(asked: &Asked) -> u64 {
    number_after(&asked.head, "%22value%22%3A")
}

#[tokio::test]
async fn pages_that_do_not_advance_are_an_error() {
    for since in [None, Some("2026-11-24T00:00:00Z")] {
        // It ignores where to begin.
        let server = Server::by(|_| tasks(500, 1..=100)).await;
        says(
            scan(&studio(&server.url), since).await,
            &["project 1", "after"],
        );
        // It goes back.
        let server = Server::by(|asked| tasks(500, [after(asked).saturating_sub(1).max(1)]));
        says(
            scan(&studio(&server.await.url), since).await,
            &["project 1", "after"],
        );
        // It ignores the order, so that everything between the two ids would be skipped.
        let server = Server::by(|asked| tasks(500, [after(asked) + 9, after(asked) + 2]));
        says(
            scan(&studio(&server.await.url), since).await,
            &["project 1", "order"],
        );
        // It says that there are more, and shows none: what is not shown would be reported as deleted.
        let server = Server::by(|_| tasks(500, [])).await;
        says(
            scan(&studio(&server.url), since).await,
            &["project 1", "500"],
        );
        // There are always more.
        let server = Server::by(|asked| tasks(500, after(asked) + 1..=after(asked) + 50));
        says(
            scan(&studio(&server.await.url), since).await,
            &["project 1", "end"],
        );
    }
}

#[tokio::test]
async fn an_annotation_that_was_not_asked_for_is_ignored() {
    let server = Server::by(|_| json("{\"id\":8,\"task\":1}")).await;
    let wanted = [EntityRef {
        key: labelrelay_core::ledger::Key::new("annotation", "7"),
        holder: None,
    }];
    says(studio(&server.url).fetch("1", &wanted).await, &["7", "8"]);
}

/// Plays the server's side of an export, in the order of its requests: the task, the user, its state, two sizes,
/// then parts.
pub(crate) fn export(asked: &Asked, total: u64, part: impl Fn(u64) -> String) -> String {
    let told = |data: &str| json(&format!("{{\"data\":{data}}}"));
    if asked.body.contains("mutation Export") {
        told("{\"exportDataRowsInProject\":{\"taskId\":\"t\"}}")
    } else if asked.body.contains("query Me") {
        told("{\"user\":{\"id\":\"u\"}}")
    } else if asked.body.contains("query Task") {
        told("{\"user\":{\"createdTasks\":[{\"status\":\"COMPLETE\"}]}}")
    } else if asked.body.contains("query Header") {
        let size = if asked.body.contains("ERRORS") {
            0
        } else {
            total
        };
        told(&format!(
            "{{\"task\":{{\"exportMetadataHeader\":{{\"totalSize\":\"{size}\"}}}}}}"
        ))
    } else if asked.body.contains("query Part") {
        let offset = number_after(&asked.body, "\"offset\":\"");
        told(&format!(
            "{{\"task\":{{\"exportFileFromOffset\":{}}}}}",
            part(offset)
        ))
    } else {
        json("{}\n")
    }
}

#[tokio::test]
async fn an_impossible_export_part_is_an_error() {
    let max = u64::MAX;
    for (start, end) in [
        (5, 0),
        (max, 0),
        (0, max),
        (1, max),
        (max, max),
        (0, 99),
        (3, 2),
        (2, 4),
    ] {
        let place = std::sync::Arc::new(std::sync::OnceLock::new());
        let url = std::sync::Arc::clone(&place);
        let server = Server::by(move |asked| {
            let url: &String = url.get().unwrap();
            export(asked, 1000, |_| {
                format!("{{\"offsets\":{{\"start\":\"{start}\",\"end\":\"{end}\"}},\"file\":\"{url}/file\"}}")
            })
        })
        .await;
        place.set(server.url.clone()).unwrap();
        says(
            scan(&labelbox(&server.url), None).await,
            &["part of the export"],
        );
    }
}

#[tokio::test]
async fn an_export_of_endless_parts_is_an_error() {
    let place = std::sync::Arc::new(std::sync::OnceLock::new());
    let url = std::sync::Arc::clone(&place);
    let server = Server::by(move |asked| {
        let url: &String = url.get().unwrap();
        export(asked, u64::MAX, |offset| {
            let end = offset + 2;
            format!("{{\"offsets\":{{\"start\":\"{offset}\",\"end\":\"{end}\"}},\"file\":\"{url}/file\"}}")
        })
    })
    .await;
    place.set(server.url.clone()).unwrap();
    says(scan(&labelbox(&server.url), None).await, &["export", "end"]);
}

#[tokio::test]
async fn garbage_is_an_error_everywhere() {
    let garbage = [
        json(""),
        json("{"),
        json("null"),
        json("[]"),
        json("<html>"),
        json("{\"count\":-1,\"results\":{}}"),
        json("{\"data\":{\"projects\":[{\"id\":7}]}}"),
        json("\u{1b}[31m"),
        json(&"[".repeat(100_000)),
        answer("302 Found", "Location: /api/projects/?page=1\r\n", ""),
        answer("204 No Content", "", ""),
        answer("418 I'm a teapot", "", "{}"),
        // Truncated.
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{\"count\":".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(),
        "HTTP/1.1 two hundred\r\n\r\n".to_owned(),
        "\0\0\0\0".to_owned(),
        String::new(),
    ];
    let questions = garbage.map(|bad| async move {
        let server = Server::by(move |_| bad.clone()).await;
        let studio = studio_with(&server.url, impatient());
        let labelbox = labelbox_with(&server.url, impatient());
        for platform in [&studio as &dyn Platform, &labelbox] {
            says(projects(platform).await, &[]);
            says(scan(platform, None).await, &[]);
            says(platform.has_project("1").await, &[]);
        }
    });
    futures_util::future::join_all(questions).await;
}

#[tokio::test]
async fn a_huge_answer_is_an_error() {
    let server = Server::by(|_| {
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n{".to_owned()
            + &" ".repeat(1 << 20)
    })
    .await;
    let studio = studio_with(&server.url, impatient());
    says(projects(&studio).await, &["no whole answer"]);
    let mut options = options();
    options.max_answer_bytes = 1 << 16;
    let labelbox = labelbox_with(&server.url, options);
    says(projects(&labelbox).await, &["larger than"]);
}

#[tokio::test]
async fn a_credential_is_shown_to_the_server_and_to_nobody_else() {
    let elsewhere = Server::by(|_| json("{\"count\":0,\"results\":[]}")).await;
    let other = elsewhere.url.clone();
    let server = Server::by(move |_| {
        answer(
            "307 Temporary Redirect",
            &format!("Location: {other}/\r\n"),
            "",
        )
    })
    .await;
    says(projects(&studio(&server.url)).await, &["307"]);
    says(projects(&labelbox(&server.url)).await, &["307"]);
    assert_eq!(elsewhere.count(), 0);
    // A link to the next page that leads elsewhere is not what says where that is.
    let other = elsewhere.url.clone();
    let server = Server::by(move |asked| {
        let page = number_after(&asked.head, "page=");
        json(&format!(
            "{{\"count\":2,\"next\":\"{other}/api/projects/?page=2\",\"results\":[{{\"id\":{page}}}]}}"
        ))
    })
    .await;
    assert_eq!(projects(&studio(&server.url)).await.unwrap(), ["1", "2"]);
    assert_eq!(elsewhere.count(), 0);
    // A part of an export may be on another server; the key is not sent there.
    let other = elsewhere.url.clone();
    let server = Server::by(move |asked| {
        export(asked, 3, |_| {
            format!("{{\"offsets\":{{\"start\":0,\"end\":2}},\"file\":\"{other}/file\"}}")
        })
    })
    .await;
    says(
        scan(&labelbox(&server.url), None).await,
        &["part of the export"],
    );
    let asked = elsewhere.asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert!(
        !asked[0].head.to_lowercase().contains("authorization"),
        "{}",
        asked[0].head
    );
}
