-- Schema "airlock" itself is made by migrate.ts: the list of applied migrations lives in it.
CREATE SCHEMA IF NOT EXISTS "data";
--> statement-breakpoint
CREATE SEQUENCE IF NOT EXISTS "data"."versionnumber" AS bigint;
--> statement-breakpoint
-- BEFORE DELETE trigger of a table that lookups point to; arguments: referencing table, its id column, the lookup column,
-- and for a polymorphic lookup the column that holds the table. A foreign key alone would leave the versionnumber of the
-- referencing rows as it was, and cannot serve polymorphic lookups at all. The row itself is left out: it is going anyway.
CREATE FUNCTION "data"."clear_lookup"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  statement text;
  old_id uuid := (to_jsonb(old) ->> TG_ARGV[4])::uuid;
BEGIN
  statement := format('update data.%1$I set %2$I = null, versionnumber = nextval(''data.versionnumber'')', TG_ARGV[0], TG_ARGV[2]);
  IF TG_ARGV[3] <> '' THEN
    statement := statement || format(', %1$I = null', TG_ARGV[3]);
  END IF;
  statement := statement || format(' where %1$I = $1', TG_ARGV[2]);
  IF TG_ARGV[3] <> '' THEN
    statement := statement || format(' and %1$I = %2$L', TG_ARGV[3], TG_TABLE_NAME);
  END IF;
  IF TG_ARGV[0] = TG_TABLE_NAME THEN
    statement := statement || format(' and %1$I <> $1', TG_ARGV[1]);
  END IF;
  EXECUTE statement USING old_id;
  RETURN old;
END
$$;
