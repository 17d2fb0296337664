//! A queue in memory that fails on demand.

use labelrelay_core::{
    BoxFuture, EventQueue, OutboundMessage, QueueError, QueueErrorKind, QueueLimits, Receipt,
};
use std::collections::VecDeque;
use std::sync::Mutex;

/// Fault that the next send meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An error of this kind; the message is not kept.
    Error(QueueErrorKind),
    /// The message is kept, but the answer never comes.
    HangAfterKeeping,
    /// Nothing is kept, and the answer never comes.
    Hang,
}

/// Keeps messages in order, drops repeats by id, and meets each queued fault once.
pub struct MemoryQueue {
    limits: QueueLimits,
    messages: Mutex<Vec<OutboundMessage>>,
    faults: Mutex<VecDeque<Fault>>,
    unreachable: Mutex<bool>,
    offloads_above: Mutex<Option<u64>>,
}

impl MemoryQueue {
    /// An empty queue with these limits.
    pub fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            messages: Mutex::default(),
            faults: Mutex::default(),
            unreachable: Mutex::default(),
            offloads_above: Mutex::default(),
        }
    }

    /// From now on it says that it puts larger messages into a store by itself.
    pub fn offload_above(&self, bytes: u64) {
        *self.offloads_above.lock().unwrap() = Some(bytes);
    }

    /// The next sends meet `faults`, one each.
    pub fn fail_with(&self, faults: &[Fault]) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// Makes checks fail from now on, or work again.
    pub fn set_unreachable(&self, unreachable: bool) {
        *self.unreachable.lock().unwrap() = unreachable;
    }

    /// Faults that nobody has met yet.
    pub fn faults_left(&self) -> usize {
        self.faults.lock().unwrap().len()
    }

    /// Everything that was kept, in order.
    pub fn messages(&self) -> Vec<OutboundMessage> {
        self.messages.lock().unwrap().clone()
    }

    fn keep(&self, message: &OutboundMessage) -> Receipt {
        let mut messages = self.messages.lock().unwrap();
        if messages.iter().any(|kept| kept.id() == message.id()) {
            return Receipt::repeat(None);
        }
        messages.push(message.clone());
        Receipt::new(None)
    }
}

impl EventQueue for MemoryQueue {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(async move {
            let fault = self.faults.lock().unwrap().pop_front();
            match fault {
                None => Ok(self.keep(message)),
                Some(Fault::Error(kind)) => Err(QueueError::new(kind, "a fault of the test")),
                Some(Fault::Hang) => std::future::pending().await,
                Some(Fault::HangAfterKeeping) => {
                    self.keep(message);
                    std::future::pending().await
                }
            }
        })
    }

    fn limits(&self) -> QueueLimits {
        self.limits
    }

    fn offloads_above(&self) -> Option<u64> {
        *self.offloads_above.lock().unwrap()
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        let checked = if *self.unreachable.lock().unwrap() {
            let kind = QueueErrorKind::Unavailable;
            Err(QueueError::new(kind, "a fault of the test"))
        } else {
            Ok(())
        };
        Box::pin(std::future::ready(checked))
    }
}
