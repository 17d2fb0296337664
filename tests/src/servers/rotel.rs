//! A real collector of OpenTelemetry, which prints what it is sent.

use super::{Server, free_ports, installed};
use std::net::TcpStream;
use std::process::Command;

/// A running collector.
pub struct Rotel(Server);

/// A span, as the collector printed it.
#[derive(Debug, Default, Clone)]
pub struct CollectedSpan {
    /// `service.name`.
    pub service: String,
    /// Id of the trace, in hexadecimal digits.
    pub trace: String,
    /// Id of the parent, likewise; empty without one.
    pub parent: String,
    /// Its own id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Kind, as the protocol names it.
    pub kind: String,
}

impl Rotel {
    /// Starts one.
    pub fn start() -> Self {
        Self::printing(&[
            "--debug-log",
            "traces",
            "--debug-log",
            "metrics",
            "--debug-log-verbosity",
            "detailed",
        ])
    }

    /// Starts one that takes what it is sent, and prints nothing of it: what it does is not to be measured.
    pub fn start_quiet() -> Self {
        Self::printing(&[])
    }

    fn printing(words: &[&str]) -> Self {
        let program = installed("LABELRELAY_TEST_ROTEL");
        let is_ready = |address| TcpStream::connect(address).is_ok();
        Self(Server::start_until("rotel", is_ready, |port, folder| {
            let [grpc] = free_ports();
            let mut command = Command::new(&program);
            command.args(["start", "--exporter", "blackhole"]);
            command.args(["--otlp-http-endpoint", &format!("127.0.0.1:{port}")]);
            command.args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")]);
            command.args(words);
            command.arg("--pid-file").arg(folder.join("pid"));
            command
        }))
    }

    /// URL for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        self.0.log()
    }

    /// The spans that it printed. It may be writing: the last one may lack some of what is printed of it.
    pub fn spans(&self) -> Vec<CollectedSpan> {
        spans(&self.log())
    }
}

/// The spans in the words of the collector, in whole lines: it may be writing.
fn spans(log: &str) -> Vec<CollectedSpan> {
    let (log, _) = log.rsplit_once('\n').unwrap_or_default();
    let mut spans: Vec<CollectedSpan> = Vec::new();
    let mut service = String::new();
    for line in log.lines() {
        let Some((key, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim().to_owned();
        match (key.trim(), spans.last_mut()) {
            ("-> service.name", _) => {
                let name = value
                    .strip_prefix("Str(")
                    .and_then(|name| name.strip_suffix(')'));
                name.unwrap_or_default().clone_into(&mut service);
            }
            ("Trace ID", _) => spans.push(CollectedSpan {
                service: service.clone(),
                trace: value,
                ..CollectedSpan::default()
            }),
            ("Parent ID", Some(span)) => span.parent = value,
            ("ID", Some(span)) => span.id = value,
            ("Name", Some(span)) if span.name.is_empty() => span.name = value,
            ("Kind", Some(span)) => span.kind = value,
            _ => {}
        }
    }
    spans
}
