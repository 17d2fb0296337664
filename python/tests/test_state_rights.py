"""Rights to the tables of a state in PostgreSQL."""

from __future__ import annotations

import uuid

import labelrelay
import pytest
from labelrelay import Key
from labelrelay.state import Known, open_state


def test_tables_that_another_user_made_are_used_with_the_rights_to_use_them(postgres: str) -> None:
    """Who consumes need not be somebody who may make tables."""
    import psycopg

    open_state(postgres).close()
    user = f"user-{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f'create role "{user}" login')
        admin.execute("revoke create on schema public from public")
        url = postgres.replace("//postgres@", f"//{user}@")
        with pytest.raises(labelrelay.ConsumerError) as told:
            open_state(url)
        grants = str(told.value).partition("GRANT ")[2]
        assert f'INSERT, SELECT, UPDATE ON public.labelrelay_things TO "{user}"' in grants, told.value
        admin.execute(f"GRANT {grants}")
    state = open_state(url)
    key, parent, event = Key(user, "annotation", "5"), Key(user, "task", "7"), f"event of {user}"
    assert state.enter(key, (parent,), 60, True) is not None
    state.keep(60)
    assert state.leave(key, Known("1", True, "", (parent,)), event)
    state.remove(parent, "2")
    assert state.below(parent) == [key]
    assert state.was_handled(event)
    state.close()
