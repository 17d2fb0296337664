//! The Python reader, as a process that is given messages and prints what becomes of each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_tests::servers::installed;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

pub(super) struct PythonReader {
    child: Child,
    output: Option<BufReader<ChildStdout>>,
    /// Writes the messages while the outcomes are read: neither side waits for the other for ever.
    writer: Option<JoinHandle<()>>,
}

impl PythonReader {
    pub(super) fn start(messages: Vec<Vec<u8>>) -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python");
        let mut child = Command::new(installed("LABELRELAY_TEST_READERS_PYTHON"))
            .arg(package.join("tests/plain.py"))
            .arg("-")
            .env("PYTHONPATH", package)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = BufWriter::new(child.stdin.take().unwrap());
        let writer = std::thread::spawn(move || {
            for message in messages {
                // If Python has ended, the missing outcome says so.
                if writeln!(input, "{}", STANDARD.encode(message)).is_err() {
                    return;
                }
            }
        });
        Self {
            output: child.stdout.take().map(BufReader::new),
            child,
            writer: Some(writer),
        }
    }

    /// Result of each message, as JSON.
    pub(super) fn outcomes(mut self) -> impl Iterator<Item = String> {
        let mut output = self.output.take().unwrap();
        std::iter::from_fn(move || {
            let _until_all_are_read = &self;
            let mut line = String::new();
            let length = output.read_line(&mut line).unwrap();
            assert!(
                length > 0,
                "the Python reader has ended: see what it wrote to standard error"
            );
            Some(line)
        })
    }
}

impl Drop for PythonReader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}
