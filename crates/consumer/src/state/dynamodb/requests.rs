//! Requests to the table: items by their two keys, each request tried again while it may succeed.

use crate::spread::spread;
use crate::state::StateError;
use labelrelay_aws::{DynamoError, DynamoTable};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Longest that one attempt takes. A server that hangs must not hold an event for ever.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a request is sent, at most.
const ATTEMPTS: u32 = 5;

/// The pause after the first attempt; each later one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Marks in expressions, and the names that they stand for: some of these are words of the language.
const NAMES: [(&str, &str); 6] = [
    ("#v", "version"),
    ("#t", "is_there"),
    ("#u", "until"),
    ("#p", "parents"),
    ("#o", "owner"),
    ("#l", "leased"),
];

/// A table, asked as often as it takes.
#[derive(Debug, Clone)]
pub(super) struct Requests(DynamoTable);

/// The members of an item, each a value by its type; none if there is no such item.
pub(super) struct Item(Map<String, Value>);

/// A change of one item.
pub(super) struct Change {
    pk: String,
    expression: String,
    values: Map<String, Value>,
}

impl Item {
    fn of(answer: &mut Map<String, Value>, member: &str) -> Self {
        match answer.remove(member) {
            Some(Value::Object(item)) => Self(item),
            _ => Self(Map::new()),
        }
    }

    pub(super) fn is_there(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.get("S")?.as_str()
    }

    pub(super) fn truth(&self, name: &str) -> bool {
        let value = self.0.get(name).and_then(|value| value.get("BOOL"));
        value.and_then(Value::as_bool).unwrap_or_default()
    }
}

impl Change {
    /// A change of the item with this first key, by an update expression.
    pub(super) fn of(pk: &str, expression: &str) -> Self {
        Self {
            pk: pk.to_owned(),
            expression: expression.to_owned(),
            values: Map::new(),
        }
    }

    /// The same, with more of the expression.
    pub(super) fn and(mut self, more: &str) -> Self {
        self.expression.push_str(more);
        self
    }

    pub(super) fn text(self, name: &str, value: &str) -> Self {
        self.with(name, json!({ "S": value }))
    }

    pub(super) fn number(self, name: &str, value: f64) -> Self {
        self.with(name, json!({ "N": value.to_string() }))
    }

    pub(super) fn truth(self, name: &str, value: bool) -> Self {
        self.with(name, json!({ "BOOL": value }))
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    fn request(self, condition: &str) -> Map<String, Value> {
        let used = |mark: &str| self.expression.contains(mark) || condition.contains(mark);
        let names: Map<String, Value> = NAMES
            .iter()
            .filter(|(mark, _)| used(mark))
            .map(|(mark, name)| ((*mark).to_owned(), Value::from(*name)))
            .collect();
        members([
            ("Key", keys(&self.pk, "-")),
            ("UpdateExpression", Value::from(self.expression)),
            ("ConditionExpression", Value::from(condition)),
            ("ExpressionAttributeNames", Value::Object(names)),
            ("ExpressionAttributeValues", Value::Object(self.values)),
            ("ReturnValues", Value::from("ALL_OLD")),
        ])
    }
}

impl Requests {
    pub(super) fn new(table: DynamoTable) -> Self {
        Self(table)
    }

    /// Reads an item that nobody has: so it shows whether the table can be used.
    pub(super) async fn look(&self) -> Result<(), StateError> {
        let request = members([("Key", keys("-", "-"))]);
        let Err(error) = self.ask("GetItem", &request).await else {
            return Ok(());
        };
        let table = self.0.name();
        Err(StateError::new(format!(
            "{error}; if there is none: aws dynamodb create-table --table-name {table} --billing-mode PAY_PER_REQUEST --attribute-definitions AttributeName=pk,AttributeType=S AttributeName=sk,AttributeType=S --key-schema AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE"
        )))
    }

    pub(super) async fn get(&self, pk: &str, sk: &str) -> Result<Item, StateError> {
        let request = members([("Key", keys(pk, sk)), ("ConsistentRead", Value::from(true))]);
        let mut answer = self.ask("GetItem", &request).await?;
        Ok(Item::of(&mut answer, "Item"))
    }

    /// Puts an item there that says no more than that it is there, or until when.
    pub(super) async fn put(&self, pk: &str, sk: &str, end: Option<f64>) -> Result<(), StateError> {
        let mut item = keys(pk, sk);
        if let (Some(end), Some(item)) = (end, item.as_object_mut()) {
            // DynamoDB takes whole seconds alone for an end.
            item.insert("ttl".to_owned(), json!({ "N": format!("{end:.0}") }));
        }
        let request = members([("Item", item)]);
        self.ask("PutItem", &request).await?;
        Ok(())
    }

    /// Changes an item if the condition holds, and returns what it was before. `None` if the condition does not hold.
    pub(super) async fn change(
        &self,
        change: Change,
        condition: &str,
    ) -> Result<Option<Item>, StateError> {
        let request = change.request(condition);
        match self.ask("UpdateItem", &request).await {
            Ok(mut answer) => Ok(Some(Item::of(&mut answer, "Attributes"))),
            Err(DynamoError::Refused) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The second keys of all items with this first one.
    pub(super) async fn all_of(&self, pk: &str) -> Result<Vec<String>, StateError> {
        let mut request = members([
            ("KeyConditionExpression", Value::from("pk = :pk")),
            ("ExpressionAttributeValues", json!({ ":pk": { "S": pk } })),
            ("ConsistentRead", Value::from(true)),
        ]);
        let mut found = Vec::new();
        loop {
            let mut answer = self.ask("Query", &request).await?;
            let items = answer.get("Items").and_then(Value::as_array);
            for item in items.into_iter().flatten() {
                let name = item.get("sk").and_then(|sk| sk.get("S"));
                found.extend(name.and_then(Value::as_str).map(str::to_owned));
            }
            let Some(last) = answer.remove("LastEvaluatedKey") else {
                return Ok(found);
            };
            request.insert("ExclusiveStartKey".to_owned(), last);
        }
    }

    /// The answer to a request, which is sent again while it may succeed.
    async fn ask(
        &self,
        action: &str,
        request: &Map<String, Value>,
    ) -> Result<Map<String, Value>, DynamoError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.attempt(action, request).await {
                Err(DynamoError::Transient(_)) => {}
                done => return done,
            }
            sleep(spread(pause)).await;
            pause *= 2;
        }
        self.attempt(action, request).await
    }

    async fn attempt(
        &self,
        action: &str,
        request: &Map<String, Value>,
    ) -> Result<Map<String, Value>, DynamoError> {
        let called = timeout(PATIENCE, self.0.call(action, request.clone())).await;
        called.unwrap_or_else(|_| {
            let (table, seconds) = (self.0.name(), PATIENCE.as_secs());
            Err(DynamoError::Transient(format!(
                "the table {table} of DynamoDB: it did not answer within {seconds} s"
            )))
        })
    }
}

impl From<DynamoError> for StateError {
    fn from(error: DynamoError) -> Self {
        Self::new(error.to_string())
    }
}

fn keys(pk: &str, sk: &str) -> Value {
    json!({ "pk": { "S": pk }, "sk": { "S": sk } })
}

fn members<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    let owned = members.map(|(name, value)| (name.to_owned(), value));
    owned.into_iter().collect()
}
