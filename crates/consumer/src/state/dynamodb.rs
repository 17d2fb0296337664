//! State in a table of DynamoDB, for the processes of all hosts and for functions. The consumer in Python uses the same
//! items.
//!
//! Each item has the keys `pk` and `sk`. `t#THING`, `-` is what is known of a thing, and its lease. `b#THING`, `OTHER` says
//! that the other is below the thing. `e#EVENT`, `-` is an event that was handled, until its `ttl`. All reads are consistent
//! ones.

mod requests;
mod thing;

use super::holders::Walk;
use super::host::now;
use super::key_text::{key_of, written, written_all};
use super::leases::Leases;
use super::{Known, REMEMBERED, State, StateError};
use futures_util::future::{join_all, try_join_all};
use labelrelay_aws::DynamoTable;
use labelrelay_core::BoxFuture;
use labelrelay_event::changes::Key;
use requests::{Change, Requests};
use std::collections::HashMap;
use std::time::Duration;
use thing::{given_back, is_left_as, known, pk_of, without_lease};

/// A lease that ends later than this was made by a clock that was set back since: it must not keep the thing of a dead
/// process for ever.
const LONGEST_LEASE: Duration = Duration::from_secs(86_400);

/// The condition of a lease: nobody else has one.
const IS_FREE: &str =
    "attribute_not_exists(#o) OR begins_with(#o, :process) OR #l < :now OR #l > :far";

/// The condition of what only the holder of a lease may do.
const IS_MINE: &str = "#o = :owner";

/// Remembers in one table of DynamoDB, whose keys are `pk` and `sk`, both strings. A time to live on `ttl` lets old events go.
///
/// Leases go by the clocks of the hosts: these may differ by some seconds, and not by more. It needs `dynamodb:GetItem`,
/// `dynamodb:PutItem`, `dynamodb:UpdateItem` and `dynamodb:Query` on the table.
///
/// ```no_run
/// use labelrelay_aws::Aws;
/// use labelrelay_consumer::{Consumer, DynamoState};
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let aws = Aws::load(&|name: &str| std::env::var(name).ok())?;
/// let state = DynamoState::open(aws.dynamo_table("dynamodb://eu-central-1/seen")?);
/// let consumer = Consumer::new(state.await?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DynamoState {
    requests: Requests,
    leases: Leases,
}

impl DynamoState {
    /// Looks whether the table can be used. It makes none.
    ///
    /// # Errors
    /// When there is no such table, or it cannot be read.
    pub async fn open(table: DynamoTable) -> Result<Self, StateError> {
        let state = Self {
            requests: Requests::new(table),
            leases: Leases::new()?,
        };
        state.requests.look().await?;
        Ok(state)
    }

    async fn remember(&self, event: &str) -> Result<(), StateError> {
        let end = now() + REMEMBERED.as_secs_f64();
        let pk = format!("e#{event}");
        self.requests.put(&pk, "-", Some(end)).await
    }

    async fn known(&self, thing: &Key<'static>) -> Result<Option<Known>, StateError> {
        let item = self.requests.get(&pk_of(&written(thing)), "-").await?;
        known(&item)
    }

    /// Writes the thing below its parents, before anything says that these are its parents: a process that ends in between
    /// must not leave a thing that no removal of a parent finds. One without a lease does no harm there.
    async fn put_below(
        &self,
        key: &Key<'static>,
        parents: &[Key<'static>],
    ) -> Result<(), StateError> {
        if parents.is_empty() {
            return Ok(());
        }
        let before = self.known(key).await?;
        if before.is_some_and(|known| known.parents == parents) {
            return Ok(());
        }
        let name = written(key);
        for parent in parents {
            let pk = format!("b#{}", written(parent));
            self.requests.put(&pk, &name, None).await?;
        }
        Ok(())
    }

    async fn lease(
        &self,
        key: &Key<'static>,
        parents: &[Key<'static>],
        lease: Duration,
        comes: bool,
    ) -> Result<Option<HashMap<Key<'static>, Known>>, StateError> {
        self.put_below(key, parents).await?;
        let (name, now) = (written(key), now());
        let owner = self.leases.begin(&name);
        let mut change = Change::of(&pk_of(&name), "SET #o = :owner, #l = :ends")
            .text(":owner", &owner)
            .text(":process", self.leases.process())
            .number(":ends", now + lease.as_secs_f64())
            .number(":now", now)
            .number(":far", now + LONGEST_LEASE.as_secs_f64());
        if comes {
            change = change.and(", #t = :there").truth(":there", true);
            if !parents.is_empty() {
                let parents = written_all(parents);
                change = change.and(", #p = :parents").text(":parents", &parents);
            }
        }
        let Some(before) = self.requests.change(change, IS_FREE).await? else {
            self.leases.end(&name);
            return Ok(None);
        };
        let before = known(&before)?;
        self.with_holders(key, parents, before).await.map(Some)
    }

    /// Knowledge of the thing, which was known as `before` when it was leased, and of everything that holds it.
    async fn with_holders(
        &self,
        key: &Key<'static>,
        parents: &[Key<'static>],
        before: Option<Known>,
    ) -> Result<HashMap<Key<'static>, Known>, StateError> {
        let mut walk = Walk::new(key, parents);
        loop {
            let level = walk.level();
            if level.is_empty() {
                return Ok(walk.found());
            }
            let read = try_join_all(level.iter().map(|thing| self.known(thing))).await?;
            for (thing, now) in level.into_iter().zip(read) {
                let known = if thing == *key {
                    now.and_then(|now| without_lease(before.as_ref(), now.until))
                } else {
                    now
                };
                if let Some(known) = known {
                    walk.note(thing, known);
                }
            }
        }
    }

    async fn end(
        &self,
        key: &Key<'static>,
        known: Option<&Known>,
        event: Option<&str>,
    ) -> Result<bool, StateError> {
        let name = written(key);
        let Some(owner) = self.leases.end(&name) else {
            return Ok(known.is_none());
        };
        let Some(known) = known else {
            let change = given_back(&name, &owner);
            self.requests.change(change, IS_MINE).await?;
            return Ok(true);
        };
        let mut change = Change::of(&pk_of(&name), "SET #t = :there, #p = :parents")
            .text(":owner", &owner)
            .truth(":there", known.is_there)
            .text(":parents", &written_all(&known.parents));
        change = match &known.version {
            Some(version) => change
                .and(", #v = :version REMOVE #o, #l")
                .text(":version", version),
            None => change.and(" REMOVE #o, #l, #v"),
        };
        if self.requests.change(change, IS_MINE).await?.is_none() {
            // If the answer to a first try was lost, the second one finds that its lease has ended: nobody else's doing.
            let now = self.requests.get(&pk_of(&name), "-").await?;
            if !is_left_as(&now, known)? {
                return Ok(false);
            }
        }
        if let Some(event) = event {
            self.remember(event).await?;
        }
        Ok(true)
    }

    async fn prolong(&self, lease: Duration) -> Result<(), StateError> {
        let leased = self.leases.all();
        let each = leased.iter().map(|(name, owner)| {
            let change = Change::of(&pk_of(name), "SET #l = :ends")
                .text(":owner", owner)
                .number(":ends", now() + lease.as_secs_f64());
            // One that was left meanwhile, or is another's, stays as it is.
            self.requests.change(change, IS_MINE)
        });
        let done = join_all(each).await;
        done.into_iter().try_for_each(|one| one.map(drop))
    }
}

/// Nobody need wait for the leases to run out. If it fails, they do.
impl Drop for DynamoState {
    fn drop(&mut self) {
        let leased = self.leases.take_all();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if leased.is_empty() {
            return;
        }
        let requests = self.requests.clone();
        runtime.spawn(async move {
            for (name, owner) in leased {
                let _ = requests.change(given_back(&name, &owner), IS_MINE).await;
            }
        });
    }
}

impl State for DynamoState {
    fn was_handled<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<bool, StateError>> {
        Box::pin(async move {
            let pk = format!("e#{event}");
            Ok(self.requests.get(&pk, "-").await?.is_there())
        })
    }

    fn handled<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(self.remember(event))
    }

    fn enter<'a>(
        &'a self,
        key: &'a Key<'static>,
        parents: &'a [Key<'static>],
        lease: Duration,
        comes: bool,
    ) -> BoxFuture<'a, Result<Option<HashMap<Key<'static>, Known>>, StateError>> {
        Box::pin(self.lease(key, parents, lease, comes))
    }

    fn leave<'a>(
        &'a self,
        key: &'a Key<'static>,
        known: Option<&'a Known>,
        event: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StateError>> {
        Box::pin(self.end(key, known, event))
    }

    fn keep(&self, lease: Duration) -> BoxFuture<'_, Result<(), StateError>> {
        Box::pin(self.prolong(lease))
    }

    fn remove<'a>(
        &'a self,
        key: &'a Key<'static>,
        until: &'a str,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        Box::pin(async move {
            let change = Change::of(&pk_of(&written(key)), "SET #u = :until").text(":until", until);
            let is_later = "attribute_not_exists(#u) OR #u < :until";
            self.requests.change(change, is_later).await.map(drop)
        })
    }

    fn below<'a>(
        &'a self,
        key: &'a Key<'static>,
    ) -> BoxFuture<'a, Result<Vec<Key<'static>>, StateError>> {
        Box::pin(async move {
            let names = self.requests.all_of(&format!("b#{}", written(key))).await?;
            names.iter().map(|name| key_of(name)).collect()
        })
    }

    /// Each write is durable when it is answered.
    fn sync(&self) -> BoxFuture<'_, Result<(), StateError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
