//! Creates an object: in one request, or in blocks that become an object with the last request.

use super::AzureBlobStore;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::{Etag, RequestContent};
use azure_storage_blob::BlockBlobClient;
use azure_storage_blob::models::{
    BlockBlobClientCommitBlockListOptions, BlockBlobClientUploadOptions, BlockLookupList,
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use labelrelay_core::object_store::Created;
use labelrelay_core::{BlobError, BoxStream};

/// Size of a block: so much of a body is in memory at a time. The service allows 50,000 blocks.
const BLOCK_BYTES: usize = 4 * 1024 * 1024;

/// Length of a block's id. Five digits are enough to number all blocks.
const BLOCK_ID: usize = 8;

/// Length of what tells an object's blocks from those of another one under the same name.
pub(super) const MARK: usize = 3;

impl AzureBlobStore {
    /// Stores `body` under `key`, unless the key exists: keys hold the body's digest, so that object is the same.
    pub(super) async fn upload(
        &self,
        key: &str,
        length: u64,
        body: BoxStream<'_, std::io::Result<Bytes>>,
    ) -> Result<(), BlobError> {
        self.create(key, length, "", body).await.map(drop)
    }

    /// Stores `body` under `key`, unless the key exists. Two that are stored at the same time, and differ, need another `mark`
    /// each: else the blocks of both would become one object.
    pub(super) async fn create(
        &self,
        key: &str,
        length: u64,
        mark: &str,
        body: BoxStream<'_, std::io::Result<Bytes>>,
    ) -> Result<Created, BlobError> {
        let blob = self.blob(key).block_blob_client();
        let mut blocks = Blocks {
            body,
            rest: Bytes::new(),
            read: 0,
            length,
        };
        let first = blocks.next().await?.unwrap_or_default();
        let made = if blocks.read == length {
            blocks.end().await?;
            self.at_once(&blob, first).await
        } else {
            self.in_blocks(&blob, mark, first, blocks).await?
        };
        match made {
            Err(error) if is_there(&error) => Ok(Created::Existed),
            Err(error) => Err(self.failed(&error)),
            Ok(()) => Ok(Created::New),
        }
    }

    async fn at_once(&self, blob: &BlockBlobClient, body: Bytes) -> Result<(), Error> {
        let options = BlockBlobClientUploadOptions {
            if_none_match: Some(Etag::from("*")),
            ..BlockBlobClientUploadOptions::default()
        };
        blob.upload(RequestContent::from(body.to_vec()), Some(options))
            .await
            .map(drop)
    }

    /// The outer error is the body's or a block's; the inner one that of the last request.
    async fn in_blocks(
        &self,
        blob: &BlockBlobClient,
        mark: &str,
        first: Bytes,
        mut blocks: Blocks<'_>,
    ) -> Result<Result<(), Error>, BlobError> {
        let mut list = Vec::new();
        let mut next = Some(first);
        while let Some(block) = next {
            // Numbered, so that whoever stores the same object at the same time writes the same blocks. The ids of an object's
            // blocks have one length.
            let digits = BLOCK_ID.saturating_sub(mark.len());
            let id = format!("{mark}{:0digits$}", list.len()).into_bytes();
            let bytes = block.len() as u64;
            blob.stage_block(&id, bytes, RequestContent::from(block.to_vec()), None)
                .await
                .map_err(|error| self.failed(&error))?;
            list.push(id);
            next = blocks.next().await?;
        }
        blocks.end().await?;
        let list = BlockLookupList {
            latest: Some(list),
            ..BlockLookupList::default()
        };
        let options = BlockBlobClientCommitBlockListOptions {
            if_none_match: Some(Etag::from("*")),
            ..BlockBlobClientCommitBlockListOptions::default()
        };
        let list = list.try_into().map_err(|error| self.failed(&error))?;
        Ok(blob.commit_block_list(list, Some(options)).await.map(drop))
    }
}

/// Tells whether the error says that an object lay there before.
fn is_there(error: &Error) -> bool {
    let ErrorKind::HttpResponse { error_code, .. } = error.kind() else {
        return false;
    };
    matches!(
        error_code.as_deref(),
        Some("BlobAlreadyExists" | "ConditionNotMet" | "UnauthorizedBlobOverwrite")
    )
}

/// A body in pieces of [`BLOCK_BYTES`], the last one smaller.
struct Blocks<'a> {
    body: BoxStream<'a, std::io::Result<Bytes>>,
    rest: Bytes,
    read: u64,
    length: u64,
}

impl Blocks<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        let mut block = BytesMut::new();
        while block.len() < BLOCK_BYTES {
            if self.rest.is_empty() {
                match self.body.next().await {
                    Some(piece) => self.rest = piece.map_err(|error| broken(&error))?,
                    None => break,
                }
            }
            let take = self.rest.len().min(BLOCK_BYTES - block.len());
            block.extend_from_slice(&self.rest.split_to(take));
        }
        self.read += block.len() as u64;
        Ok((!block.is_empty()).then(|| block.freeze()))
    }

    /// Checks that the body was as long as it was said to be: else nothing must become an object.
    async fn end(&mut self) -> Result<(), BlobError> {
        if self.next().await?.is_none() && self.read == self.length {
            return Ok(());
        }
        let message = format!("{} of {} bytes of the body came", self.read, self.length);
        Err(BlobError::transient(message))
    }
}

fn broken(error: &std::io::Error) -> BlobError {
    BlobError::transient(format!("the body broke off: {error}"))
}
