//! A spooled body, whole.

use super::quota::Share;
use super::unnamed_file::Unnamed;
use crate::disk_thread::spawn;
use crate::file_stream::contents;
use bytes::Bytes;
use labelrelay_core::{BoxFuture, BoxStream, Spooled};
use std::path::Path;
use std::sync::Arc;

pub(super) struct FileBody {
    file: Arc<Unnamed>,
    share: Share,
}

impl FileBody {
    pub(super) fn new(file: Arc<Unnamed>, share: Share) -> Self {
        Self { file, share }
    }
}

impl Spooled for FileBody {
    fn bytes(&self) -> u64 {
        self.share.bytes
    }

    fn stream(&self) -> BoxStream<'static, std::io::Result<Bytes>> {
        contents(Arc::clone(&self.file.file), self.share.bytes)
    }

    fn link<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, std::io::Result<bool>> {
        let (file, path) = (Arc::clone(&self.file), path.to_owned());
        Box::pin(async move {
            let linked = spawn(move || file.link(&path))?.await;
            linked.unwrap_or_else(|_| Err(std::io::Error::other("the thread ended")))
        })
    }
}
