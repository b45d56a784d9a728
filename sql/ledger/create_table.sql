-- needs: make
-- The ledger: the migrations of this database. The position grows with every added row.
CREATE TABLE public.cruddur_ops_migrations (
  source text NOT NULL CHECK (source IN ('project', 'cruddur')),
  stamp text NOT NULL,
  name text NOT NULL,
  checksum text NOT NULL,
  state text NOT NULL
    CHECK (state IN (
      'applied', 'present', 'by Cruddur', 'half applied', 'half undone', 'undone'
    )),
  steps_done integer NOT NULL DEFAULT 0,
  position bigint GENERATED ALWAYS AS IDENTITY,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  duration_ms double precision,
  PRIMARY KEY (source, stamp)
)
