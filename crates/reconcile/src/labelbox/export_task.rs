//! The task of an export on Labelbox's side: its end, its errors, its parts.

use super::api::{Api, shown};
use crate::platform::PlatformError;
use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use std::time::Duration;

/// Labelbox's own client asks no more often whether an export is ready, and waits no longer for it.
const ASK_EVERY: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(7200);

#[derive(Deserialize)]
struct Mine {
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct Created {
    user: Tasks,
}

#[derive(Deserialize)]
struct Tasks {
    #[serde(rename = "createdTasks")]
    tasks: Vec<Task>,
}

#[derive(Deserialize)]
struct Task {
    status: String,
}

#[derive(Deserialize)]
struct OfTask<T> {
    task: Option<T>,
}

#[derive(Deserialize)]
struct HasHeader {
    #[serde(rename = "exportMetadataHeader")]
    header: Option<Header>,
}

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "totalSize", deserialize_with = "number")]
    total_size: u64,
}

#[derive(Deserialize)]
struct HasPart {
    #[serde(rename = "exportFileFromOffset")]
    part: Option<Part>,
}

#[derive(Deserialize)]
struct Part {
    offsets: Range,
    file: String,
}

#[derive(Deserialize)]
struct Range {
    #[serde(deserialize_with = "number")]
    start: u64,
    /// The last byte, not the one after it.
    #[serde(deserialize_with = "number")]
    end: u64,
}

/// GraphQL has no integers of 64 bits: they come as text, or as numbers all the same.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

/// Waits until the export is ready.
pub(super) async fn wait(api: &Api, project: &str, task: &str) -> Result<(), PlatformError> {
    const ME: &str = "query Me{user{id}}";
    const QUERY: &str = "query Task($task: ID!, $user: ID!){user(where: {id: $user}){createdTasks(where: {id: $task} skip: 0 first: 100){status}}}";
    let me = api.ask::<Mine>(ME, json!({})).await?.data;
    let user = me.ok_or_else(|| unclear("whose the API key is"))?.user.id;
    let begun = tokio::time::Instant::now();
    loop {
        let variables = json!({ "task": task, "user": user });
        let answer = api.ask::<Created>(QUERY, variables).await?.data;
        let tasks = answer.map(|data| data.user.tasks).unwrap_or_default();
        match tasks.first().map(|task| task.status.as_str()) {
            Some("COMPLETE") => return Ok(()),
            Some("IN_PROGRESS") if begun.elapsed() < LONGEST_WAIT => {}
            Some("IN_PROGRESS") => {
                return Err(PlatformError::permanent(format!(
                    "project {project}: Labelbox did not finish the export within {} s",
                    LONGEST_WAIT.as_secs()
                )));
            }
            Some(status) => {
                return Err(PlatformError::permanent(format!(
                    "project {project}: Labelbox's export ended as {}; try again, and ask Labelbox if that does not help",
                    shown(status)
                )));
            }
            None => return Err(unclear("what became of the export that it began")),
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// Refuses an export with errors: it is not whole, and the rest would be taken for unchanged.
pub(super) async fn no_errors(api: &Api, project: &str, task: &str) -> Result<(), PlatformError> {
    if size(api, task, "ERRORS").await? == 0 {
        return Ok(());
    }
    let (_, errors) = part(api, task, "ERRORS", 0).await?;
    Err(PlatformError::permanent(format!(
        "project {project}: Labelbox could not export all of it: {}",
        shown(&String::from_utf8_lossy(&errors))
    )))
}

/// Length of one of the two streams of an export; 0 when there is nothing.
pub(super) async fn size(api: &Api, task: &str, stream: &str) -> Result<u64, PlatformError> {
    const QUERY: &str = "query Header($where: WhereUniqueIdInput, $streamType: TaskStreamType!){task(where: $where){exportMetadataHeader(streamType: $streamType){totalSize}}}";
    let variables = json!({ "where": { "id": task }, "streamType": stream });
    let answer = api.ask::<OfTask<HasHeader>>(QUERY, variables).await?.data;
    let task = answer.and_then(|data| data.task);
    let task = task.ok_or_else(|| unclear("how large its export is"))?;
    Ok(task.header.map_or(0, |header| header.total_size))
}

/// The part that begins at `offset`, and where the next one does.
pub(super) async fn part(
    api: &Api,
    task: &str,
    stream: &str,
    offset: u64,
) -> Result<(u64, Bytes), PlatformError> {
    const QUERY: &str = "query Part($where: WhereUniqueIdInput, $streamType: TaskStreamType!, $offset: UInt64!){task(where: $where){exportFileFromOffset(streamType: $streamType, offset: $offset){offsets {start end} file}}}";
    let variables =
        json!({ "where": { "id": task }, "streamType": stream, "offset": offset.to_string() });
    let answer = api.ask::<OfTask<HasPart>>(QUERY, variables).await?.data;
    let part = answer.and_then(|data| data.task).and_then(|task| task.part);
    let part = part.ok_or_else(|| unclear("where a part of its export lies"))?;
    let bytes = api.download(&part.file).await?;
    let Range { start, end } = part.offsets;
    match advance(offset, start, end, bytes.len()) {
        Some((next, had)) => Ok((next, bytes.slice(had..))),
        None => Err(PlatformError::permanent(format!(
            "a part of the export that is to begin at byte {offset} says that it is bytes {start} to {end}, and has {}; the next run asks for another export",
            bytes.len()
        ))),
    }
}

/// Checks the part's range. Returns the next offset and how many of its bytes overlap the ones we have; `None` if the
/// range is inconsistent, brings nothing new or leaves a gap.
fn advance(offset: u64, start: u64, end: u64, bytes: usize) -> Option<(u64, usize)> {
    let next = end.checked_add(1)?;
    let is_whole = next.checked_sub(start)? == bytes as u64;
    let had = usize::try_from(offset.checked_sub(start)?).ok()?;
    (is_whole && next > offset && had < bytes).then_some((next, had))
}

fn unclear(what: &str) -> PlatformError {
    PlatformError::permanent(format!("Labelbox does not say {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_part_must_be_what_it_says_and_make_progress() {
        let most = u64::MAX;
        for (offset, start, end, bytes, brings) in [
            (0, 0, 9, 10, Some((10, 0))),
            (4, 0, 9, 10, Some((10, 4))),
            (4, 4, 4, 1, Some((5, 0))),
            // Less or more than it says.
            (0, 0, 9, 9, None),
            (0, 0, 9, 11, None),
            // Nothing new, or nothing that joins on.
            (10, 0, 9, 10, None),
            (0, 1, 9, 9, None),
            // It ends before it begins, or beyond all numbers.
            (0, 5, 0, 0, None),
            (0, most, 0, 2, None),
            (5, 1, 0, 0, None),
            (0, 0, most, 0, None),
            (most, most, most, 1, None),
            (most, most - 1, most, 2, None),
        ] {
            assert_eq!(
                advance(offset, start, end, bytes),
                brings,
                "{offset} {start} {end} {bytes}"
            );
        }
    }
}
