//! A delivery as bytes: how it waits for the journal, and how it stands there.

use crate::class::Class;
use crate::row::{ROW_BYTES, Row};
use crate::sums::Sums;
use crate::totals::length;
use labelrelay_event::Digest;
use std::borrow::Cow;

/// Flags of an entry that are none of a row.
const HAS_DIGEST: u64 = 1 << 8;
const HAS_QUEUE_TIME: u64 = 1 << 9;

/// SHA-256 of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodySha<'a> {
    /// As it was computed.
    Digest(Digest),
    /// As text.
    Text(&'a str),
}

/// One delivery, borrowed from whoever has it. [`Row`] says what each member is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) arrived_ms: i64,
    pub(crate) status: u16,
    pub(crate) flags: i64,
    pub(crate) outcome: &'a str,
    pub(crate) source: Option<&'a str>,
    pub(crate) method: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    pub(crate) head: Option<&'a str>,
    pub(crate) client: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) event_id: Option<&'a str>,
    pub(crate) event_type: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) project: Option<&'a str>,
    pub(crate) delivery_id: Option<&'a str>,
    pub(crate) verified_by: Option<&'a str>,
    pub(crate) body_bytes: i64,
    pub(crate) body_sha256: Option<BodySha<'a>>,
    pub(crate) elapsed_us: i64,
    pub(crate) queue_us: Option<i64>,
    pub(crate) body_start: Option<&'a [u8]>,
}

/// Bytes that are no entry.
#[derive(Debug)]
struct Broken;

impl<'a> Entry<'a> {
    pub(crate) fn of(row: &'a Row) -> Self {
        Self {
            arrived_ms: row.arrived_ms,
            status: row.status,
            flags: row.flags(),
            outcome: &row.outcome,
            source: row.source.as_deref(),
            method: row.method.as_deref(),
            path: row.path.as_deref(),
            head: row.head.as_deref(),
            client: row.client.as_deref(),
            reason: row.reason.as_deref(),
            event_id: row.event_id.as_deref(),
            event_type: row.event_type.as_deref(),
            subject: row.subject.as_deref(),
            project: row.project.as_deref(),
            delivery_id: row.delivery_id.as_deref(),
            verified_by: row.verified_by.as_deref(),
            body_bytes: row.body_bytes,
            body_sha256: row.body_sha256.as_deref().map(BodySha::Text),
            elapsed_us: row.elapsed_us,
            queue_us: row.queue_us,
            body_start: row.body_start.as_deref(),
        }
    }

    /// The row, without its body.
    pub(crate) fn row(&self) -> Row {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let mut row = Row {
            arrived_ms: self.arrived_ms,
            status: self.status,
            outcome: self.outcome.to_owned(),
            source: text(self.source),
            method: text(self.method),
            path: text(self.path),
            head: text(self.head),
            client: text(self.client),
            reason: text(self.reason),
            event_id: text(self.event_id),
            event_type: text(self.event_type),
            subject: text(self.subject),
            project: text(self.project),
            delivery_id: text(self.delivery_id),
            verified_by: text(self.verified_by),
            body_bytes: self.body_bytes,
            body_sha256: self.body_sha256().map(Cow::into_owned),
            elapsed_us: self.elapsed_us,
            queue_us: self.queue_us,
            ..Row::default()
        };
        row.set_flags(self.flags);
        row
    }

    pub(crate) const fn class(&self) -> Class {
        if self.verified_by.is_some() {
            Class::Verified
        } else {
            Class::Stranger
        }
    }

    /// SHA-256 of the body, as a row has it.
    pub(crate) fn body_sha256(&self) -> Option<Cow<'a, str>> {
        self.body_sha256.map(|sha| match sha {
            BodySha::Digest(digest) => Cow::Owned(digest.to_hex()),
            BodySha::Text(text) => Cow::Borrowed(text),
        })
    }

    /// Bytes that its row takes, without the body.
    pub(crate) fn bytes(&self) -> usize {
        let texts = self.texts().into_iter().flatten().map(str::len);
        let sha = self.body_sha256.map_or(0, |sha| match sha {
            BodySha::Digest(_) => 64,
            BodySha::Text(text) => text.len(),
        });
        ROW_BYTES + self.outcome.len() + texts.sum::<usize>() + sha
    }

    /// What it adds to the sums of its class.
    pub(crate) fn sums(&self) -> Sums {
        Sums {
            rows: 1,
            bytes: self.bytes() as u64,
            body_bytes: self.body_start.map_or(0, <[u8]>::len) as u64,
        }
    }

    fn texts(&self) -> [Option<&'a str>; 12] {
        [
            self.source,
            self.method,
            self.path,
            self.head,
            self.client,
            self.reason,
            self.event_id,
            self.event_type,
            self.subject,
            self.project,
            self.delivery_id,
            self.verified_by,
        ]
    }

    /// Writes it behind what is there: its length in four bytes, then itself.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        let mut flags = self.flags.cast_unsigned();
        if let Some(BodySha::Digest(_)) = self.body_sha256 {
            flags |= HAS_DIGEST;
        }
        if self.queue_us.is_some() {
            flags |= HAS_QUEUE_TIME;
        }
        for number in [
            flags,
            self.status.into(),
            self.arrived_ms.cast_unsigned(),
            self.body_bytes.cast_unsigned(),
            self.elapsed_us.cast_unsigned(),
            self.queue_us.unwrap_or_default().cast_unsigned(),
        ] {
            put_number(out, number);
        }
        put_bytes(out, Some(self.outcome.as_bytes()));
        for text in self.texts() {
            put_bytes(out, text.map(str::as_bytes));
        }
        match &self.body_sha256 {
            None => put_bytes(out, None),
            Some(BodySha::Digest(digest)) => put_bytes(out, Some(digest.as_bytes())),
            Some(BodySha::Text(text)) => put_bytes(out, Some(text.as_bytes())),
        }
        put_bytes(out, self.body_start);
        // What is put here is far from four gigabytes: all of it is bounded.
        let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
        if let Some(room) = out.get_mut(start..start + 4) {
            room.copy_from_slice(&length.to_le_bytes());
        }
    }

    /// Reads one, without its length in front; `None` if these bytes are none.
    pub(crate) fn decode(bytes: &'a [u8]) -> Option<Self> {
        Self::read(&mut Reader(bytes)).ok()
    }

    fn read(bytes: &mut Reader<'a>) -> Result<Self, Broken> {
        let flags = bytes.number()?;
        let status = u16::try_from(bytes.number()?).map_err(|_| Broken)?;
        let mut entry = Self {
            flags: (flags & !(HAS_DIGEST | HAS_QUEUE_TIME)).cast_signed(),
            status,
            arrived_ms: bytes.number()?.cast_signed(),
            body_bytes: bytes.number()?.cast_signed(),
            elapsed_us: bytes.number()?.cast_signed(),
            ..Self::default()
        };
        let queue_us = bytes.number()?.cast_signed();
        entry.queue_us = (flags & HAS_QUEUE_TIME != 0).then_some(queue_us);
        entry.outcome = bytes.text()?.ok_or(Broken)?;
        for text in [
            &mut entry.source,
            &mut entry.method,
            &mut entry.path,
            &mut entry.head,
            &mut entry.client,
            &mut entry.reason,
            &mut entry.event_id,
            &mut entry.event_type,
            &mut entry.subject,
            &mut entry.project,
            &mut entry.delivery_id,
            &mut entry.verified_by,
        ] {
            *text = bytes.text()?;
        }
        entry.body_sha256 = if flags & HAS_DIGEST == 0 {
            bytes.text()?.map(BodySha::Text)
        } else {
            let digest = bytes.bytes()?.ok_or(Broken)?;
            let digest = <[u8; 32]>::try_from(digest).map_err(|_| Broken)?;
            Some(BodySha::Digest(Digest::from_bytes(digest)))
        };
        entry.body_start = bytes.bytes()?;
        Ok(entry)
    }
}

impl Row {
    /// Bytes that it takes, as bounds count them, without the body.
    pub fn kept_bytes(&self) -> i64 {
        length(Entry::of(self).bytes())
    }
}

/// The entries that stand behind each other, each without its length. It ends where the next one would not fit.
pub(crate) fn entries(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (entry, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        Some(entry)
    })
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

/// The length and one; 0 stands for nothing.
fn put_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let Some(bytes) = bytes else {
        return put_number(out, 0);
    };
    put_number(out, bytes.len() as u64 + 1);
    out.extend_from_slice(bytes);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Result<u64, Broken> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(Broken)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Broken)
    }

    fn bytes(&mut self) -> Result<Option<&'a [u8]>, Broken> {
        let Some(length) = self.number()?.checked_sub(1) else {
            return Ok(None);
        };
        let length = usize::try_from(length).map_err(|_| Broken)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Broken)?;
        self.0 = rest;
        Ok(Some(bytes))
    }

    fn text(&mut self) -> Result<Option<&'a str>, Broken> {
        let bytes = self.bytes()?;
        let text = bytes.map(str::from_utf8).transpose();
        text.map_err(|_| Broken)
    }
}

#[cfg(test)]
mod tests;
