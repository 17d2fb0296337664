//! A state in a file that the consumer in Python uses too: both read what the other wrote, and neither takes what the other
//! has leased.

use labelrelay_consumer::{Known, SqliteState, State as _};
use labelrelay_event::changes::{Key, Kind};
use labelrelay_tests::servers::installed;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(3600);

/// Characters that JSON escapes, and some that Python's does.
const ODD: &str = "a\"b\\c\n\u{7f}\u{e9}\u{1f600}\\ud83d";

/// Runs Python's side, which has a `state` and a function that makes keys. Returns what it printed.
fn python(path: &Path, script: &str) -> String {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python");
    let begin = "
import sys
from labelrelay._state_sqlite import SqliteState
from labelrelay.changes import Key
from labelrelay.state import Known
state, odd = SqliteState(sys.argv[1]), sys.argv[2]
key = lambda kind, id: Key('/label-studio', kind, id)
";
    let output = Command::new(installed("LABELRELAY_TEST_READERS_PYTHON"))
        .args(["-c", &format!("{begin}{script}")])
        .arg(path)
        .arg(ODD)
        .env("PYTHONPATH", package)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn key(kind: Kind, id: &'static str) -> Key<'static> {
    Key::new("/label-studio", kind, id)
}

#[tokio::test]
#[ignore = "needs the Python of the readers: cargo xtask test"]
async fn rust_and_python_share_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.db");
    let state = SqliteState::open(&path).unwrap();
    let (annotation, task) = (key(Kind::Annotation, ODD), [key(Kind::Task, "7")]);
    let known = Known {
        version: Some("2".to_owned()),
        is_there: true,
        until: String::new(),
        parents: task.to_vec(),
    };
    state.enter(&annotation, &task, LEASE, true).await.unwrap();
    let left = state.leave(&annotation, Some(&known), Some("of rust"));
    assert!(left.await.unwrap());
    state.remove(&task[0], "5").await.unwrap();
    // Held while Python runs.
    let held = key(Kind::Annotation, "held");
    state.enter(&held, &[], LEASE, true).await.unwrap();
    state.sync().await.unwrap();

    let said = python(
        &path,
        "
assert state.was_handled('of rust')
assert state.below(key('task', '7')) == [key('annotation', odd)]
known = state.enter(key('annotation', odd), (key('task', '7'),), 3600, True)
mine = known[key('annotation', odd)]
assert mine == Known('2', True, '', (key('task', '7'),)), mine
assert known[key('task', '7')].until == '5'
assert state.leave(key('annotation', odd), Known('3', True, '', (key('task', '8'),)), 'of python')
assert state.enter(key('annotation', 'held'), (), 3600, True) is None
state.remove(key('task', '8'), '9')
state.sync()
state.close()
print('well')
",
    );
    assert_eq!(said, "well\n");

    assert!(state.was_handled("of python").await.unwrap());
    let found = state.enter(&annotation, &[], LEASE, false).await.unwrap();
    let found = found.unwrap();
    let mine = &found[&annotation];
    assert_eq!(mine.version.as_deref(), Some("3"));
    assert_eq!(mine.parents, [key(Kind::Task, "8")]);
    assert_eq!(found[&key(Kind::Task, "8")].until, "9");
    assert_eq!(state.below(&task[0]).await.unwrap(), [annotation]);
}
