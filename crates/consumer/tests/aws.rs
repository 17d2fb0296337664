//! The state in DynamoDB, against a server that stands in for it, and beside the consumer in Python.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "it/state_suite.rs"]
mod state_suite;

use labelrelay_aws::{Aws, DynamoTable};
use labelrelay_consumer::{DynamoState, State as _};
use labelrelay_event::changes::Kind;
use labelrelay_tests::servers::{Behaviour, Ministack, Misbehaving, REGION, boto3, environment};
use serde_json::{Value, json};
use state_suite::{LEASE, key, known};
use std::path::Path;
use std::process::Command;

/// Characters that JSON escapes, and some that Python's does.
const ODD: &str = "a\"b\\c\n\u{7f}\u{e9}\u{1f600}\\ud83d";

/// As requests name the action that changes an item.
const CHANGE: &str = "DynamoDB_20120810.UpdateItem";

/// As DynamoDB says that a condition does not hold.
const REFUSED: &str = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";

/// The table `seen` of the server at `endpoint`.
fn table(endpoint: &str) -> DynamoTable {
    let variables = environment(endpoint);
    let lookup = |name: &str| {
        let found = variables.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    let aws = Aws::load(&lookup).unwrap();
    aws.dynamo_table(&url()).unwrap()
}

fn url() -> String {
    format!("dynamodb://{REGION}/seen")
}

/// A server with that table.
fn server() -> Ministack {
    const MAKE: &str = "\
        keys = {'pk': 'HASH', 'sk': 'RANGE'}\n\
        client('dynamodb').create_table(TableName='seen', BillingMode='PAY_PER_REQUEST',\n\
        \x20   AttributeDefinitions=[{'AttributeName': name, 'AttributeType': 'S'} for name in keys],\n\
        \x20   KeySchema=[{'AttributeName': name, 'KeyType': keys[name]} for name in keys])";
    let server = Ministack::start();
    server.boto3(MAKE, &[]);
    server
}

async fn open(server: &Ministack) -> DynamoState {
    DynamoState::open(table(&server.endpoint())).await.unwrap()
}

/// Red if two hosts have one thing, if a lease that ran out keeps it, or if whoever had that still writes.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs MiniStack and boto3: cargo xtask test"]
async fn a_thing_is_one_hosts_at_a_time() {
    let server = server();
    let (one, other) = (open(&server).await, open(&server).await);
    state_suite::a_thing_is_one_processes_at_a_time(one, &other).await;
}

/// Red if what holds a thing is not found, if a removal is forgotten or sinks, or if a handler that failed is.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs MiniStack and boto3: cargo xtask test"]
async fn notes_are_there_for_the_next_process() {
    let server = server();
    let state = open(&server).await;
    state_suite::note_things(&state).await;
    state_suite::note_a_removal(&state).await;
    drop(state);
    let state = open(&server).await;
    state_suite::notes_are_there(&state).await;

    let (annotation, task) = (key(Kind::Annotation, "5"), key(Kind::Task, "7"));
    let found = state.enter(&annotation, &[], LEASE, false).await.unwrap();
    let found = found.unwrap();
    assert_eq!(found.len(), 3, "the project is found through the task");
    // A removal that is noted while the thing is handled stays noted.
    state.remove(&annotation, "8").await.unwrap();
    let after = known("9", &[]);
    let left = state.leave(&annotation, Some(&after), None);
    assert!(left.await.unwrap());
    let found = state.enter(&annotation, &[], LEASE, false).await.unwrap();
    let found = found.unwrap();
    assert_eq!(found[&annotation].version.as_deref(), Some("9"));
    assert_eq!(found[&annotation].until, "8");

    // A handler that failed may have left the thing with the user.
    let other = key(Kind::Annotation, "6");
    let parents = std::slice::from_ref(&task);
    state.enter(&other, parents, LEASE, true).await.unwrap();
    assert!(state.leave(&other, None, None).await.unwrap());
    let found = state.enter(&other, &[], LEASE, false).await.unwrap();
    let found = found.unwrap();
    assert!(found[&other].is_there);
    assert_eq!(found[&other].version, None);
    assert_eq!(found[&other].parents, parents);
}

/// Runs Python's side, which has a `state` of the same table and a function that makes keys. Returns what it printed.
fn python(server: &Ministack, script: &str) -> String {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python");
    let begin = "
import sys
from labelrelay._state_dynamodb import DynamoState
from labelrelay.changes import Key
from labelrelay.state import Known
state, odd = DynamoState(sys.argv[1]), sys.argv[2]
key = lambda kind, id: Key('/label-studio', kind, id)
";
    let output = Command::new(boto3::python())
        .args(["-c", &format!("{begin}{script}")])
        .arg(url())
        .arg(ODD)
        .envs(server.environment())
        .env("PYTHONPATH", package)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs MiniStack and boto3: cargo xtask test"]
async fn rust_and_python_share_one_table() {
    let server = server();
    let state = open(&server).await;
    let (annotation, task) = (key(Kind::Annotation, ODD), [key(Kind::Task, "7")]);
    let after = known("2", &task);
    state.enter(&annotation, &task, LEASE, true).await.unwrap();
    let left = state.leave(&annotation, Some(&after), Some("of rust"));
    assert!(left.await.unwrap());
    state.remove(&task[0], "5").await.unwrap();
    // Held while Python runs.
    let held = key(Kind::Annotation, "held");
    let long = LEASE * 60;
    state.enter(&held, &[], long, true).await.unwrap();

    let said = python(
        &server,
        "
assert state.was_handled('of rust')
assert int(state._read_item('e#of rust', '-')['ttl']['N']) > 0
assert state.below(key('task', '7')) == [key('annotation', odd)]
known = state.enter(key('annotation', odd), (key('task', '7'),), 3600, True)
mine = known[key('annotation', odd)]
assert mine == Known('2', True, '', (key('task', '7'),)), mine
assert known[key('task', '7')].until == '5'
assert state.leave(key('annotation', odd), Known('3', True, '', (key('task', '8'),)), 'of python')
assert state.enter(key('annotation', 'held'), (), 3600, True) is None
state.remove(key('task', '8'), '9')
state.close()
print('well')
",
    );
    assert_eq!(said, "well\n");

    assert!(state.was_handled("of python").await.unwrap());
    let found = state.enter(&annotation, &[], LEASE, false).await.unwrap();
    let found = found.unwrap();
    assert_eq!(found[&annotation].version.as_deref(), Some("3"));
    assert_eq!(found[&annotation].parents, [key(Kind::Task, "8")]);
    assert_eq!(found[&key(Kind::Task, "8")].until, "9");
    assert_eq!(state.below(&task[0]).await.unwrap(), [annotation]);
}

/// Red if an error does not say what to do, if one that no wait mends is waited for, or if one that a wait may mend is not.
#[tokio::test]
async fn a_table_that_cannot_be_used_is_told() {
    for (code, words, requests) in [
        ("ResourceNotFoundException", "create-table", 1),
        ("AccessDeniedException", "allow dynamodb:GetItem", 1),
        ("ThrottlingException", "ThrottlingException", 5),
    ] {
        let code_of_dynamodb = format!("com.amazonaws.dynamodb.v20120810#{code}");
        let server = Misbehaving::start(Behaviour::error(400, &code_of_dynamodb, "no"));
        let opened = DynamoState::open(table(&server.endpoint())).await;
        let error = opened.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(error.contains("the table seen"), "{error}");
        let seen = server.seen();
        assert_eq!(seen.len(), requests, "{code}");
        let mut actions = seen.iter().map(|one| one.action.as_str());
        assert!(actions.all(|action| action == "DynamoDB_20120810.GetItem"));
    }
}

/// Red if the answer to a first try is taken for another process where it was lost, or another process for a lost answer.
#[tokio::test]
async fn an_answer_that_was_lost_is_no_other_process() {
    let annotation = key(Kind::Annotation, "5");
    let after = known("2", &[]);
    for is_left in [true, false] {
        let server = Misbehaving::start(Behaviour::Well);
        let state = open_at(&server).await;
        let entered = state.enter(&annotation, &[], LEASE, true).await.unwrap();
        assert!(entered.is_some());
        let mut item = json!({
            "version": { "S": "2" }, "is_there": { "BOOL": true }, "parents": { "S": "[]" },
        });
        if !is_left {
            item["owner"] = json!({ "S": "another" });
        }
        let there = Behaviour::Answer {
            status: 200,
            headers: Vec::new(),
            body: json!({ "Item": item }).to_string(),
        };
        server.behave(Behaviour::ByAction(vec![
            (CHANGE, Behaviour::error(400, REFUSED, "no")),
            ("DynamoDB_20120810.GetItem", there),
        ]));
        let left = state.leave(&annotation, Some(&after), Some("event"));
        assert_eq!(left.await.unwrap(), is_left);
        let seen = server.seen();
        let remembered = seen
            .iter()
            .any(|one| one.action == "DynamoDB_20120810.PutItem");
        assert_eq!(remembered, is_left);
    }
}

/// Red if a lease that could not be ended is kept for as long as its process lives.
#[tokio::test]
async fn a_lease_that_could_not_be_ended_is_not_kept() {
    let server = Misbehaving::start(Behaviour::Well);
    let state = open_at(&server).await;
    let annotation = key(Kind::Annotation, "5");
    let entered = state.enter(&annotation, &[], LEASE, true).await.unwrap();
    assert!(entered.is_some());
    state.keep(LEASE).await.unwrap();
    assert_eq!(changes_of(&server).len(), 2, "a lease is kept");
    server.behave(Behaviour::error(400, "AccessDeniedException", "no"));
    let seen = known("1", &[]);
    let left = state.leave(&annotation, Some(&seen), None);
    assert!(left.await.is_err());
    server.behave(Behaviour::Well);
    state.keep(LEASE).await.unwrap();
    assert_eq!(changes_of(&server).len(), 3, "none is kept");
}

/// Red if a request that gives a lease back, and comes late, may end the next lease of the same process.
#[tokio::test]
async fn each_lease_has_an_owner_of_its_own() {
    let server = Misbehaving::start(Behaviour::Well);
    let state = open_at(&server).await;
    let annotation = key(Kind::Annotation, "5");
    let entered = state.enter(&annotation, &[], LEASE, true).await.unwrap();
    assert!(entered.is_some());
    assert!(state.leave(&annotation, None, None).await.unwrap());
    let entered = state.enter(&annotation, &[], LEASE, true).await.unwrap();
    assert!(entered.is_some());
    let changes = changes_of(&server);
    let [first, given_back, second] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    assert_eq!(given_back[":owner"], first[":owner"]);
    assert_ne!(second[":owner"], first[":owner"]);
    // It takes its own lease again, and no other process's.
    assert_eq!(second[":process"], first[":process"]);
    let process = first[":process"]["S"].as_str().unwrap();
    for lease in [first, second] {
        assert!(lease[":owner"]["S"].as_str().unwrap().starts_with(process));
    }
}

/// The state at a server that keeps nothing.
async fn open_at(server: &Misbehaving) -> DynamoState {
    DynamoState::open(table(&server.endpoint())).await.unwrap()
}

/// Values of all changes of items that the server was asked for. One that was asked for again counts once.
fn changes_of(server: &Misbehaving) -> Vec<Value> {
    let seen = server.seen();
    let changes = seen.iter().filter(|one| one.action == CHANGE);
    let values = changes.map(|one| {
        let request: Value = serde_json::from_slice(&one.body).unwrap();
        request["ExpressionAttributeValues"].clone()
    });
    let mut values: Vec<Value> = values.collect();
    values.dedup();
    values
}

#[test]
fn a_url_that_names_no_table_is_refused() {
    let variables = environment("http://127.0.0.1:1");
    let lookup = |name: &str| {
        let found = variables.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    let aws = Aws::load(&lookup).unwrap();
    for url in ["dynamodb://seen", "dynamodb:///seen", "dynamodb://a/b/c"] {
        let error = aws.dynamo_table(url).unwrap_err().to_string();
        assert!(error.contains("dynamodb://REGION/TABLE"), "{error}");
    }
}
