"""The end of a run also tells whether more of its user's are queued, so that nobody need look for them in vain: 0 when
the run is another's, 1 when it ended and none wait, 2 when some do."""

from importlib import import_module

from alembic import op

from db.migrations.script import execute_script

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

DROP = "DROP FUNCTION complete_run"

COMPLETE = """
CREATE FUNCTION complete_run(p_user uuid, p_run uuid, p_attempt int, p_owner text, p_tokens bigint[], p_cost numeric,
                             p_models text[], p_calls bigint[], p_input bigint[], p_output bigint[], p_read bigint[],
                             p_written bigint[], p_costs numeric[], p_status text, p_error text, p_model text,
                             p_seq int, p_last_seq int, p_events text, p_pos int[], p_ids uuid[], p_roles text[],
                             p_texts text[], p_bodies text[]) RETURNS int
LANGUAGE plpgsql SET search_path = penny, pg_temp AS $$
DECLARE r run;
BEGIN
    PERFORM set_config('app.user_id', p_user::text, true);
    UPDATE run SET status = p_status, lease_until = NULL, finished_at = clock_timestamp(), error = p_error::jsonb,
           input_tokens = input_tokens + p_tokens[1], output_tokens = output_tokens + p_tokens[2],
           cache_read_tokens = cache_read_tokens + p_tokens[3],
           cache_write_tokens = cache_write_tokens + p_tokens[4], cost_usd = cost_usd + p_cost,
           model = coalesce(p_model, model)
     WHERE id = p_run AND attempt = p_attempt AND owner = p_owner AND status = 'running' RETURNING * INTO r;
    IF NOT FOUND THEN RETURN 0; END IF;
    INSERT INTO message (user_id, session_id, turn, run_id, pos, id, role, text, body)
    SELECT r.user_id, r.session_id, r.turn, r.id, u.pos, u.id, u.role, u.text, u.body::jsonb
      FROM unnest(p_pos, p_ids, p_roles, p_texts, p_bodies) AS u (pos, id, role, text, body);
    INSERT INTO run_event (user_id, run_id, day, seq, last_seq, attempt, terminal, events)
    VALUES (r.user_id, r.id, (r.created_at AT TIME ZONE 'UTC')::date, p_seq, p_last_seq, r.attempt, true, p_events);
    UPDATE session SET updated_at = clock_timestamp() WHERE user_id = r.user_id AND id = r.session_id;
    PERFORM add_usage(r.user_id, p_models, p_calls, p_input, p_output, p_read, p_written, p_costs);
    RETURN CASE WHEN EXISTS (SELECT FROM run q WHERE q.user_id = p_user AND q.status = 'queued') THEN 2 ELSE 1 END;
END $$;
REVOKE ALL ON FUNCTION complete_run FROM PUBLIC;
GRANT EXECUTE ON FUNCTION complete_run TO penny_app;
"""


def upgrade() -> None:
    op.execute(DROP)
    execute_script(COMPLETE)


def downgrade() -> None:
    op.execute(DROP)
    execute_script(import_module("db.migrations.versions.0015_steps_in_one_round_trip").COMPLETE)
