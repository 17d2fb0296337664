//! The program as a process, as Cloud Run starts it.

use labelrelay_event::Envelope;
use labelrelay_tests::client::{Response, once};
use labelrelay_tests::relay::eventually;
use labelrelay_tests::sender;
use labelrelay_tests::servers::PubSub;
use std::collections::HashMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::TempDir;

/// The secret of both sources.
pub(crate) const SECRET: &str = "cloudrun0secret0of0forty0characters00000";

/// Variables of a program.
pub(crate) type Variables = Vec<(String, String)>;

/// A running service; killed when dropped.
pub(crate) struct Service {
    /// Address that it listens on.
    pub(crate) address: SocketAddr,
    child: Child,
    folder: TempDir,
}

/// The program, with nothing in its environment but these variables.
pub(crate) fn command(variables: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_labelrelay-cloud-function"));
    command
        .env_clear()
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null());
    command
}

/// Environment of a service that puts everything on the topic at `queue`.
pub(crate) fn variables(pubsub: &PubSub, queue: &str) -> Variables {
    let mut variables = pubsub.environment();
    variables.extend(named(&[
        ("LABELRELAY_QUEUE", queue),
        ("LABELRELAY_LISTEN", "127.0.0.1:0"),
        ("LABELBOX_WEBHOOK_SECRET", SECRET),
        ("LABEL_STUDIO_WEBHOOK_SECRET", SECRET),
        ("LABELRELAY_LOG", "debug"),
        // A test that is not about time must not fail because a machine is busy.
        ("LABELRELAY_DEADLINE_MS", "30000"),
    ]));
    variables
}

pub(crate) fn named(variables: &[(&str, &str)]) -> Variables {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    variables.iter().map(owned).collect()
}

impl Service {
    /// Starts it and waits until it listens.
    pub(crate) fn start(variables: &[(String, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = log_of(&folder);
        let child = command(variables)
            .current_dir(folder.path())
            .stdout(File::create(&log).unwrap())
            .stderr(File::options().append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let mut service = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            child,
            folder,
        };
        service.address = eventually("the service listens", || {
            if let Some(status) = service.child.try_wait().unwrap() {
                panic!("the service ended with {status}:\n{}", service.log());
            }
            let line = service.lines("listening").pop()?;
            line["address"].as_str()?.parse().ok()
        });
        service
    }

    /// Log so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(log_of(&self.folder)).unwrap()).into_owned()
    }

    /// Whole lines of this event.
    pub(crate) fn lines(&self, event: &str) -> Vec<serde_json::Value> {
        let log = self.log();
        let whole = log
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        whole
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
            .filter(|line: &serde_json::Value| line["event"] == event)
            .collect()
    }

    /// Asks it to end, as Cloud Run does; does not wait.
    pub(crate) fn terminate(&self) {
        let status = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success(), "kill -TERM");
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        eventually("the service has ended", || self.child.try_wait().unwrap())
    }

    /// A delivery of Labelbox with this body.
    pub(crate) fn labelbox(&self, body: &[u8]) -> Response {
        once(
            self.address,
            &sender::labelbox(SECRET, "LABEL_CREATED", "d", body),
        )
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A process that ended already is none.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log_of(folder: &TempDir) -> PathBuf {
    folder.path().join("service.log")
}

/// Content of the topic of this name: data by event id. All of it is acknowledged.
pub(crate) fn queued(pubsub: &PubSub, name: &str) -> HashMap<String, Vec<u8>> {
    let all = pubsub.drain(name).into_iter().map(|message| {
        let envelope = Envelope::decode(&message.data).expect("an envelope");
        let data = envelope
            .data
            .bytes()
            .expect("decodes")
            .map(|data| data.to_vec());
        (envelope.attributes.id.clone(), data.unwrap_or_default())
    });
    all.collect()
}

/// Neither secrets nor anything of a body may stand in a log.
pub(crate) fn assert_clean(log: &str, more: &[&str]) {
    let own = [
        SECRET,
        "Bearer ",
        "sha1=",
        "secondsToLabel",
        "annotation_result",
    ];
    for word in own.iter().chain(more) {
        assert!(!log.contains(word), "the log holds {word}");
    }
}
