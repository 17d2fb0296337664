DELETE FROM ids WHERE id = ANY (ARRAY(
    SELECT id FROM ids WHERE at <= now() - make_interval(secs => $1) LIMIT 2000 FOR UPDATE SKIP LOCKED
))
