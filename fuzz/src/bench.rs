use bytes::Bytes;
use futures_executor::block_on;
use futures_util::{StreamExt, stream};
use labelrelay_core::config::{Config, Lookup, SecretRef};
use labelrelay_core::observe::NoObserver;
use labelrelay_core::relay::Parts;
use labelrelay_core::{
    Answer, BlobError, BlobStore, BoxFuture, BoxStream, EventQueue, Intake, OutboundMessage,
    QueueError, QueueLimits, Receipt, Relay, RequestHead,
};
use labelrelay_testkit::clock::{CountingEntropy, FakeClock};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Labelbox's secret on the bench.
pub const LABELBOX_SECRET: &str = "the secret of Labelbox, 32 bytes";
/// Label Studio's secret on the bench.
pub const LABEL_STUDIO_SECRET: &str = "the secret of Label Studio, 36 bytes";

const CONFIGURATION: &str = r#"
[[source]]
name = "labelbox"
provider = "labelbox"
secret = "env:LABELBOX"

[[source]]
name = "label-studio"
provider = "label-studio"
secret = "env:LABEL_STUDIO"
"#;

/// Limits of a bench's queue, chosen by the bits of one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// No character that XML refuses, as SQS.
    pub xml_characters_only: bool,
    /// No line break, as a pipe.
    pub single_line: bool,
    /// So little that every body becomes a claim check.
    pub tiny: bool,
}

impl Limits {
    fn of_queue(self) -> QueueLimits {
        QueueLimits {
            xml_characters_only: self.xml_characters_only,
            single_line: self.single_line,
            ..QueueLimits::bytes(if self.tiny { 1 } else { 1 << 30 })
        }
    }
}

/// The last thing that was put: on the queue, and into the blob store.
#[derive(Default)]
pub struct Put {
    message: Mutex<Option<OutboundMessage>>,
    object: Mutex<Option<(String, Vec<u8>)>>,
    limits: Mutex<Option<QueueLimits>>,
}

impl Put {
    /// A queue and a blob store with these limits.
    pub fn with(limits: QueueLimits) -> Arc<Self> {
        let put = Self::default();
        *put.limits.lock().unwrap() = Some(limits);
        Arc::new(put)
    }

    /// The message, which is forgotten.
    pub fn message(&self) -> Option<OutboundMessage> {
        self.message.lock().unwrap().take()
    }

    /// Key and bytes of the object, which is forgotten.
    pub fn object(&self) -> Option<(String, Vec<u8>)> {
        self.object.lock().unwrap().take()
    }
}

impl EventQueue for Put {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        *self.message.lock().unwrap() = Some(message.clone());
        Box::pin(std::future::ready(Ok(Receipt::new(None))))
    }

    fn limits(&self) -> QueueLimits {
        self.limits.lock().unwrap().expect("made with limits")
    }

    /// The data alone counts: a reference always fits.
    fn message_bytes(&self, message: &OutboundMessage) -> u64 {
        match message.attributes.dataref {
            Some(_) => 0,
            None => message.body.len() as u64,
        }
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl BlobStore for Put {
    fn put<'a>(
        &'a self,
        key: &'a str,
        length: u64,
        body: BoxStream<'a, std::io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        Box::pin(async move {
            let chunks: Vec<_> = body.map(|chunk| chunk.expect("it is read")).collect().await;
            let bytes = chunks.concat();
            assert_eq!(bytes.len() as u64, length, "the length that was announced");
            *self.object.lock().unwrap() = Some((key.to_owned(), bytes));
            Ok(format!("bench:{key}"))
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A relay for both platforms.
pub struct Bench {
    relay: Relay,
    /// Results of its deliveries.
    pub put: Arc<Put>,
}

impl Bench {
    /// A bench whose queue takes messages within `limits`.
    pub fn new(limits: Limits) -> Self {
        let lookup = |name: &str| match name {
            "LABELBOX" => Some(LABELBOX_SECRET.to_owned()),
            "LABEL_STUDIO" => Some(LABEL_STUDIO_SECRET.to_owned()),
            _ => None,
        };
        let config = Config::from_toml(CONFIGURATION, "bench", PathBuf::from("."), &lookup);
        Self::of(&config.expect("it is good"), limits, &lookup)
    }

    /// A bench for another configuration. Secrets in files or stores are all the variable `FILE`.
    pub fn of(config: &Config, limits: Limits, lookup: Lookup<'_>) -> Self {
        let put = Put::with(limits.of_queue());
        let parts = Parts::new(
            Arc::clone(&put) as _,
            Arc::new(FakeClock::at("2026-01-15T12:00:00Z")),
            Arc::new(CountingEntropy::default()),
            Arc::new(NoObserver),
        )
        .with_blobs(Some(Arc::clone(&put) as _));
        let open = |reference: &SecretRef, end| {
            let reference = match reference {
                SecretRef::Env(_) => reference,
                _ => &SecretRef::Env("FILE".to_owned()),
            };
            let source = reference.open(end, lookup, "bench", "secret")?;
            Ok(source.expect("a variable needs no store"))
        };
        let relay = Relay::new(config, parts, &open).expect("its secrets are set");
        Self { relay, put }
    }

    /// The whole way of a delivery whose body arrives in these pieces.
    pub fn deliver<'a>(
        &self,
        head: RequestHead,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Answer {
        let pieces: Vec<_> = pieces
            .into_iter()
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        block_on(async {
            match self.relay.receive(head, stream::iter(pieces)).await {
                Intake::Deliver(received) => self.relay.complete(received).await,
                Intake::Answer(answer) => answer,
            }
        })
    }
}
