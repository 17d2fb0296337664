-- All that a start wants to know, without making anything.
SELECT
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS full_page_writes,
    pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only,
    current_setting('synchronous_standby_names') <> '' AS has_synchronous_standby,
    EXISTS (SELECT FROM pg_stat_replication) AS has_standby,
    has_database_privilege(current_database(), 'CREATE') AS may_make_schema,
    to_regnamespace(quote_ident($1::text)) IS NOT NULL AS has_schema,
    COALESCE(has_schema_privilege(to_regnamespace(quote_ident($1))::oid, 'USAGE'), false) AS may_use,
    COALESCE(has_schema_privilege(to_regnamespace(quote_ident($1))::oid, 'CREATE'), false) AS may_make,
    COALESCE(has_table_privilege(to_regclass('schema_version')::oid, 'SELECT'), true) AS may_see_version
