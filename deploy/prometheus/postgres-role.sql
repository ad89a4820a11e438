-- The role that postgres_exporter reads by. Run it as PostgreSQL's superuser, as often as you like:
--   sudo -u postgres psql -f postgres-role.sql
-- It has no password: the system's user of the same name gets in by the Unix socket ("peer"). It reads no rows.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'prometheus') THEN
        CREATE ROLE prometheus LOGIN CONNECTION LIMIT 3;
    END IF;
END
$$;
GRANT pg_monitor TO prometheus;
