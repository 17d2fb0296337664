//! The readers, as processes that are asked again and again.

use labelrelay_tests::servers::installed;
use serde::Deserialize;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The events that a consumer takes from a queue at once.
pub(crate) struct Batch {
    /// `true` if a program reads it as one text, line by line, and not a message at a time.
    pub(crate) line_by_line: bool,
    /// Envelopes as they are read, and the bodies that the sender sent.
    pub(crate) events: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A reader did not get what the sender sent.
#[derive(Debug, Deserialize)]
pub(crate) struct ReaderFailure {
    pub(crate) reader: String,
    pub(crate) index: usize,
    pub(crate) why: String,
}

/// Python with its `json`, jq and CloudEvents SDK; Node with its `JSON`, `readline` and CloudEvents SDK.
pub(crate) struct Readers([Reader; 2]);

impl Readers {
    pub(crate) fn start() -> Self {
        let program = |name: &str| {
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("readers")
                .join(name)
        };
        let mut python = Command::new(installed("LABELRELAY_TEST_READERS_PYTHON"));
        python.arg(program("read.py"));
        let mut node = Command::new(installed("LABELRELAY_TEST_NODE"));
        node.arg(program("read.cjs"))
            .arg(installed("LABELRELAY_TEST_READERS_NODE"));
        Self([Reader::start(&mut python), Reader::start(&mut node)])
    }

    /// Errors in a batch; none, if all is well. Both read at the same time.
    pub(crate) fn read(&mut self, batch: &Batch) -> Vec<ReaderFailure> {
        let asked = batch.bytes();
        std::thread::scope(|scope| {
            let reports = self
                .0
                .each_mut()
                .map(|reader| scope.spawn(|| reader.ask(&asked)));
            reports
                .into_iter()
                .flat_map(|report| report.join().unwrap())
                .collect()
        })
    }
}

impl Batch {
    fn bytes(&self) -> Vec<u8> {
        let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
        let mut out = number(usize::from(self.line_by_line)).to_vec();
        out.extend(number(self.events.len()));
        for bytes in self
            .events
            .iter()
            .flat_map(|(envelope, body)| [envelope, body])
        {
            out.extend(number(bytes.len()));
            out.extend(bytes);
        }
        out
    }
}

struct Reader {
    child: Child,
    // Closed before its end is waited for: that is what ends it.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Reader {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        Self {
            child,
            input,
            output: BufReader::new(output),
        }
    }

    fn ask(&mut self, batch: &[u8]) -> Vec<ReaderFailure> {
        let input = self.input.as_mut().unwrap();
        input.write_all(batch).and_then(|()| input.flush()).unwrap();
        let mut report = String::new();
        self.output.read_line(&mut report).unwrap();
        serde_json::from_str(&report).unwrap_or_else(|error| panic!("{error}: {report:?}"))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.input.take());
        if std::thread::panicking() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
