//! One export: requested, and read row by row.

use super::api::Api;
use super::export_task::{no_errors, part, size, wait};
use super::rows;
use crate::page::Page;
use crate::platform::PlatformError;
use bytes::BytesMut;
use futures_util::{Stream, stream};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// A row and its part are in memory. A longer row does not fit into the queue either.
const LONGEST_ROW: usize = 512 * 1024 * 1024;

/// Labelbox's parts have megabytes. An export in more small ones than this would go on for ever.
const SMALL_PART_BYTES: usize = 1024;
const MOST_SMALL_PARTS: u32 = 1000;

/// Which rows.
pub(super) enum Filter {
    /// All of the project.
    All,
    /// Rows whose last activity is not before this.
    ActiveSince(Timestamp),
    /// Rows of these ids.
    Rows(Vec<String>),
}

impl Filter {
    fn query(&self) -> Value {
        match self {
            Self::All => json!([]),
            Self::ActiveSince(time) => json!([{
                "type": "data_row_last_activity_at",
                "value": {
                    "operator": "GREATER_THAN_OR_EQUAL",
                    "timezone": "UTC",
                    // Whole seconds, rounded down: an earlier beginning shows more, never less.
                    "value": time.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string(),
                },
            }]),
            Self::Rows(ids) => json!([{ "type": "data_row_id", "operator": "is", "ids": ids }]),
        }
    }
}

/// Answer to a request for an export: its task.
#[derive(Deserialize)]
struct Asked {
    #[serde(rename = "exportDataRowsInProject")]
    export: Started,
}

#[derive(Deserialize)]
struct Started {
    #[serde(rename = "taskId")]
    task: String,
}

/// State of an export's reader.
enum Position {
    Start,
    At(Reader),
    End,
}

struct Reader {
    task: String,
    now: Option<Timestamp>,
    offset: u64,
    total: u64,
    /// Of a line that goes on in the next part.
    begun: BytesMut,
    small_parts: u32,
}

/// The labels of the rows that `filter` lets through. The first page says what time it was when the export was
/// asked for, however little it holds.
pub(super) fn pages<'a>(
    api: &'a Api,
    project: &'a str,
    filter: Filter,
) -> impl Stream<Item = Result<Page, PlatformError>> + Send + 'a {
    stream::try_unfold(
        (Position::Start, filter),
        move |(position, filter)| async move {
            let mut reader = match position {
                Position::End => return Ok(None),
                Position::At(reader) => reader,
                Position::Start => start(api, project, &filter).await?,
            };
            let page = reader.page(api, project).await?;
            let next = if reader.offset < reader.total {
                Position::At(reader)
            } else {
                Position::End
            };
            Ok(Some((page, (next, filter))))
        },
    )
}

async fn start(api: &Api, project: &str, filter: &Filter) -> Result<Reader, PlatformError> {
    const QUERY: &str = "mutation Export($input: ExportDataRowsInProjectInput!){exportDataRowsInProject(input: $input){taskId}}";
    let input = json!({
        "taskName": "labelrelay pull",
        "isStreamableReady": true,
        "streamable": true,
        "filters": {
            "projectId": project,
            "searchQuery": { "scope": null, "query": filter.query() },
        },
        // The parts that a webhook of the second version carries.
        "params": {
            "mediaTypeOverride": null,
            "includeAttachments": false,
            "includeEmbeddings": false,
            "includeMetadata": true,
            "includeDataRowDetails": true,
            "includeProjectDetails": true,
            "includePerformanceDetails": true,
            "includeLabelDetails": true,
            "includeInterpolatedFrames": false,
        },
    });
    let answer = api.ask::<Asked>(QUERY, json!({ "input": input })).await?;
    let task = answer.data.ok_or_else(|| gone(project))?.export.task;
    wait(api, project, &task).await?;
    no_errors(api, project, &task).await?;
    let total = size(api, &task, "RESULT").await?;
    Ok(Reader {
        task,
        now: answer.now,
        offset: 0,
        total,
        begun: BytesMut::new(),
        small_parts: 0,
    })
}

impl Reader {
    /// The labels of the next part's rows.
    async fn page(&mut self, api: &Api, project: &str) -> Result<Page, PlatformError> {
        let mut page = Page {
            entities: Vec::new(),
            now: self.now,
            // An export is another one each time.
            resume_after: None,
        };
        if self.offset >= self.total {
            return Ok(page);
        }
        let (next, bytes) = part(api, &self.task, "RESULT", self.offset).await?;
        self.offset = next;
        self.small_parts += u32::from(bytes.len() < SMALL_PART_BYTES);
        if self.small_parts > MOST_SMALL_PARTS {
            return Err(PlatformError::permanent(format!(
                "project {project}: the export has no end: Labelbox gives it in parts of a few bytes, and {} of {} bytes are there; the next run asks for another export",
                self.offset, self.total
            )));
        }
        if self.begun.len().saturating_add(bytes.len()) > LONGEST_ROW {
            return Err(PlatformError::permanent(format!(
                "project {project}: a row of the export is longer than {LONGEST_ROW} bytes"
            )));
        }
        self.begun.extend_from_slice(&bytes);
        let end = match self.begun.iter().rposition(|byte| *byte == b'\n') {
            _ if self.offset >= self.total => self.begun.len(),
            Some(end) => end + 1,
            None => 0,
        };
        let whole = self.begun.split_to(end).freeze();
        for line in whole.split(|byte| *byte == b'\n') {
            let line = whole.slice_ref(line.trim_ascii());
            if !line.is_empty() {
                page.entities.extend(rows::entities(project, &line)?);
            }
        }
        Ok(page)
    }
}

fn gone(project: &str) -> PlatformError {
    PlatformError::permanent(format!(
        "project {project} went away, or this API key may not export it"
    ))
}
