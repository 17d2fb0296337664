-- Those of these rights that the user lacks. What is not there, nobody has a right to. A right to some columns may be
-- enough: whoever consumes changes no more than two of events.
SELECT needed.relation, needed.privilege
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS needed (relation, privilege, place)
WHERE NOT COALESCE(
    CASE needed.privilege
        WHEN 'USAGE' THEN has_sequence_privilege(to_regclass(needed.relation)::oid, needed.privilege)
        WHEN 'DELETE' THEN has_table_privilege(to_regclass(needed.relation)::oid, needed.privilege)
        ELSE has_any_column_privilege(to_regclass(needed.relation)::oid, needed.privilege)
    END,
    false
)
ORDER BY needed.place
