//! One file of the journal, for whoever reads it.

use super::frame::{HEADER_BYTES, Header};
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Begins each file, and has the format's number in it.
pub(crate) const BEGINNING: [u8; 8] = *b"LRjrnl\x00\x01";

/// A frame with a wrong checksum is read so many times more.
const MORE_READS: u32 = 3;

/// A file of the journal. It is read as far as it went when it was opened.
pub(crate) struct Segment {
    file: File,
    length: u64,
}

/// A frame, and where its entries begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Located {
    pub(crate) header: Header,
    pub(crate) at: u64,
}

/// How a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With a whole frame.
    Whole,
    /// Within a frame: whoever wrote it was stopped.
    CutOff,
    /// With bytes that are nothing of ours.
    Foreign,
}

impl Segment {
    /// Opens it; `None` when it is not there: what it held was moved by then.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => {
                let length = file.metadata()?.len();
                Ok(Some(Self { file, length }))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All whole frames, as far as their headers tell, and what stands behind them.
    pub(crate) fn frames(&mut self) -> io::Result<(Vec<Located>, Ending)> {
        let mut frames = Vec::new();
        let mut at = BEGINNING.len() as u64;
        if self.length < at {
            return Ok((frames, Ending::CutOff));
        }
        let mut beginning = [0; BEGINNING.len()];
        self.read(0, &mut beginning)?;
        if beginning != BEGINNING {
            return Ok((frames, Ending::Foreign));
        }
        while at < self.length {
            let entries = at + HEADER_BYTES as u64;
            if entries > self.length {
                return Ok((frames, Ending::CutOff));
            }
            let mut header = [0; HEADER_BYTES];
            self.read(at, &mut header)?;
            let Some(header) = Header::read(&header) else {
                return Ok((frames, Ending::Foreign));
            };
            let end = entries + u64::from(header.length);
            if end > self.length {
                return Ok((frames, Ending::CutOff));
            }
            frames.push(Located {
                header,
                at: entries,
            });
            at = end;
        }
        Ok((frames, Ending::Whole))
    }

    /// Reads the entries of a frame; `false` if they are not those that were written.
    pub(crate) fn entries(&mut self, frame: &Located, into: &mut Vec<u8>) -> io::Result<bool> {
        let length = usize::try_from(frame.header.length).map_err(io::Error::other)?;
        into.resize(length, 0);
        self.read(frame.at, into)?;
        if frame.header.is_of(into) {
            return Ok(true);
        }
        // An address may be taken out of it at this moment: then its checksum is another one.
        for _ in 0..MORE_READS {
            let mut header = [0; HEADER_BYTES];
            self.read(frame.at - HEADER_BYTES as u64, &mut header)?;
            self.read(frame.at, into)?;
            let header = Header::read(&header).filter(|header| header.has_facts_of(&frame.header));
            if header.is_some_and(|header| header.is_of(into)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(into)
    }
}
