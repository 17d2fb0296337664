"""State in a table of DynamoDB, for any number of hosts and functions."""

from __future__ import annotations

import itertools
import json
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from ._official import client
from ._written import key_of, keys_of, written
from .errors import ConsumerError
from .state import REMEMBERED, Known, with_parents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .changes import Key

NAMES = {"#v": "version", "#t": "is_there", "#u": "until", "#p": "parents", "#o": "owner", "#l": "leased"}


class DynamoState:
    """One table with the keys `pk` and `sk`, both strings. All reads are consistent ones.

    Leases go by the clocks of the hosts: these may differ by some seconds, and not by more.
    """

    def __init__(self, url: str, *, remembered: float = REMEMBERED) -> None:
        region, _, table = url.removeprefix("dynamodb://").partition("/")
        if not region or not table:
            raise ConsumerError(f"state: {url!r} names no table; write dynamodb://REGION/TABLE")
        self._lock = threading.Lock()
        self._process = f"{uuid.uuid4().hex}-"
        """Beginning of the owners of all leases of this process."""
        self._numbers = itertools.count()
        self._remembered = remembered
        self._table = table
        self._leased: dict[str, str] = {}
        """Owners of the leases by their things. A request may come late: what ends an old lease must not end the next one."""
        config = client("botocore.config").Config(
            max_pool_connections=64,
            retries={"mode": "standard", "max_attempts": 5},
            # It costs a tenth of a call. What is asked for is written below, and by nobody else.
            parameter_validation=False,
        )
        self._db: Any = client("boto3").client("dynamodb", region_name=region, config=config)
        self._refused: Any = self._db.exceptions.ConditionalCheckFailedException
        try:
            self._read_item("-", "-")
        except Exception as error:
            cure = (
                f"aws dynamodb create-table --table-name {table} --billing-mode PAY_PER_REQUEST --attribute-definitions"
                " AttributeName=pk,AttributeType=S AttributeName=sk,AttributeType=S --key-schema"
                " AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE"
            )
            raise ConsumerError(f"state: the table {table} cannot be used: {error}; if there is none: {cure}") from error

    def _read_item(self, pk: str, sk: str) -> dict[str, Any] | None:
        answer = self._db.get_item(TableName=self._table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True)
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def _update(self, name: str, change: str, condition: str | None, values: dict[str, Any], **more: Any) -> Any:
        if condition is not None:
            more["ConditionExpression"] = condition
        used = {mark: named for mark, named in NAMES.items() if mark in change + (condition or "")}
        return self._db.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"t#{name}"}, "sk": {"S": "-"}},
            UpdateExpression=change,
            ExpressionAttributeNames=used,
            ExpressionAttributeValues=values,
            **more,
        )

    def was_handled(self, event: str) -> bool:
        return self._read_item(f"e#{event}", "-") is not None

    def handled(self, event: str) -> None:
        ends = str(int(time.time() + self._remembered))
        self._db.put_item(
            TableName=self._table, Item={"pk": {"S": f"e#{event}"}, "sk": {"S": "-"}, "ttl": {"N": ends}}
        )

    def enter(self, key: Key, parents: tuple[Key, ...], seconds: float, comes: bool) -> Mapping[Key, Known] | None:
        name, now = written(key), time.time()
        owner = f"{self._process}{next(self._numbers)}"
        values: dict[str, Any] = {
            ":owner": {"S": owner},
            ":process": {"S": self._process},
            ":ends": {"N": repr(now + seconds)},
            ":now": {"N": repr(now)},
            ":far": {"N": repr(now + 86_400)},
        }
        change = "SET #o = :owner, #l = :ends"
        if comes:
            change += ", #t = :there"
            values[":there"] = {"BOOL": True}
            if parents:
                change += ", #p = :parents"
                values[":parents"] = {"S": json.dumps(parents)}
        # The last condition: a clock that was set back must not keep the lease of a dead process for ever.
        condition = "attribute_not_exists(#o) OR begins_with(#o, :process) OR #l < :now OR #l > :far"
        self._put_below(name, parents)
        with self._lock:
            # Before: an update that failed may have been done all the same.
            self._leased[name] = owner
        try:
            old = self._update(name, change, condition, values, ReturnValues="ALL_OLD").get("Attributes")
        except self._refused:
            with self._lock:
                self._leased.pop(name, None)
            return None
        before = _known(old) if old else None

        def read(keys: Iterable[Key]) -> dict[Key, Known]:
            # The answer to the lease said what was known of the thing itself; of a removal noted since, `until` is new.
            found: dict[Key, Known] = {}
            for one in keys:
                item = self._read_item(f"t#{written(one)}", "-")
                if item is not None and one != key:
                    found[one] = _known(item)
                elif item is not None:
                    until = _known(item).until
                    if before is not None or until:
                        found[one] = (before or Known()).gone(until)
            return found

        return with_parents(key, parents, read)

    def _put_below(self, name: str, parents: tuple[Key, ...]) -> None:
        """Writes the thing below its parents, before anything says that these are its parents: a process that ends in
        between must not leave a thing that no removal of a parent finds. One without a lease does no harm there."""
        if not parents:
            return
        item = self._read_item(f"t#{name}", "-")
        if item is None or _known(item).parents != parents:
            for parent in parents:
                self._db.put_item(TableName=self._table, Item={"pk": {"S": f"b#{written(parent)}"}, "sk": {"S": name}})

    def leave(self, key: Key, known: Known | None, event: str | None = None) -> bool:
        name = written(key)
        with self._lock:
            # First: if what follows fails, nobody keeps the lease, and it runs out.
            owner = self._leased.pop(name, None)
        if owner is None:
            return known is None
        me = {":owner": {"S": owner}}
        try:
            if known is None:
                self._update(name, "REMOVE #o, #l", "#o = :owner", me)
                return True
            change = "SET #t = :there, #p = :parents"
            values = {**me, ":there": {"BOOL": known.is_there}, ":parents": {"S": json.dumps(known.parents)}}
            if known.version is not None:
                change += ", #v = :version"
                values[":version"] = {"S": known.version}
            remove = " REMOVE #o, #l" + (", #v" if known.version is None else "")
            self._update(name, change + remove, "#o = :owner", values)
        except self._refused:
            if known is None:
                return True
            if not self._is_left_as(name, known):
                return False
        if event is not None:
            self.handled(event)
        return True

    def _is_left_as(self, name: str, left: Known) -> bool:
        """Tells whether nobody has the thing, and this is known of it. If the answer to a first try is lost, the second one
        finds that its lease has ended, which is nobody else's doing."""
        item = self._read_item(f"t#{name}", "-")
        if item is None or "owner" in item:
            return False
        now = _known(item)
        return (now.version, now.is_there, now.parents) == (left.version, left.is_there, left.parents)

    def keep(self, seconds: float) -> None:
        with self._lock:
            leased = list(self._leased.items())
        for name, owner in leased:
            values = {":owner": {"S": owner}, ":ends": {"N": repr(time.time() + seconds)}}
            try:
                self._update(name, "SET #l = :ends", "#o = :owner", values)
            except self._refused:
                pass  # it was left meanwhile, or is another's

    def remove(self, key: Key, until: str) -> None:
        try:
            self._update(
                written(key), "SET #u = :until", "attribute_not_exists(#u) OR #u < :until", {":until": {"S": until}}
            )
        except self._refused:
            pass  # a later removal is noted

    def below(self, key: Key) -> list[Key]:
        found: list[Key] = []
        more: dict[str, Any] = {}
        while True:
            answer = self._db.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"b#{written(key)}"}},
                ConsistentRead=True,
                **more,
            )
            found += [key_of(item["sk"]["S"]) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return found
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def sync(self) -> None:
        """Each write is durable when it is answered."""

    def close(self) -> None:
        with self._lock:
            leased = list(self._leased)
        for name in leased:
            self.leave(key_of(name), None)
        self._db.close()


def _known(item: dict[str, Any]) -> Known:
    def text(name: str) -> str | None:
        value: str | None = item.get(name, {}).get("S")
        return value

    return Known(
        text("version"), bool(item.get("is_there", {}).get("BOOL")), text("until") or "", keys_of(text("parents") or "[]")
    )
