"""What a turn does most, in one round trip each: how things stand for a new run, a step, the end.

The last two act as the user they are given, and are a transaction of their own. None has more rights than its caller,
which names its user for each transaction anyway; the setting ends with it.
"""

from alembic import op

from db.migrations.script import execute_script

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Locks first, in this order, and looks only then: each statement of a volatile function sees what is committed by now.
STAND = """
CREATE FUNCTION runs_before(p_user uuid, p_session uuid, p_client_id text) RETURNS TABLE (
    last_turn int, id uuid, message_id uuid, turn int, text_hash text, status text, here boolean, same boolean)
LANGUAGE plpgsql SET search_path = penny, pg_temp AS $$
DECLARE last int;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('runs of ' || p_user::text, 0));
    SELECT s.last_turn INTO last FROM session s WHERE s.user_id = p_user AND s.id = p_session FOR UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    RETURN QUERY
    SELECT last, r.id, r.message_id, r.turn, r.text_hash, r.status, r.session_id = p_session,
           coalesce(r.session_id = p_session AND r.client_id = p_client_id, false)
      FROM (SELECT 1) AS one LEFT JOIN run r ON r.user_id = p_user
       AND (r.session_id = p_session AND r.client_id = p_client_id OR r.status IN ('queued', 'running'))
     ORDER BY r.turn;
END $$;
REVOKE ALL ON FUNCTION runs_before FROM PUBLIC;
GRANT EXECUTE ON FUNCTION runs_before TO penny_app;
"""

# What calls of models took, added to the user's day: memory/usage.py says what the columns mean.
USAGE = """
CREATE FUNCTION add_usage(p_user uuid, p_models text[], p_calls bigint[], p_input bigint[], p_output bigint[],
                          p_read bigint[], p_written bigint[], p_costs numeric[]) RETURNS void
LANGUAGE sql SET search_path = penny, pg_temp AS $$
    INSERT INTO usage_day AS d (user_id, day, model, purpose, calls, input_tokens, output_tokens, cache_read_tokens,
                                cache_write_tokens, cost_usd, unpriced_calls)
    SELECT p_user, (clock_timestamp() AT TIME ZONE 'UTC')::date, c.model, 'reply', c.calls, c.input, c.output, c.read,
           c.written, coalesce(c.cost, 0), CASE WHEN c.cost IS NULL THEN c.calls ELSE 0 END
      FROM unnest(p_models, p_calls, p_input, p_output, p_read, p_written, p_costs)
           AS c (model, calls, input, output, read, written, cost)
    ON CONFLICT (user_id, day, model, purpose) DO UPDATE
       SET calls = d.calls + excluded.calls, input_tokens = d.input_tokens + excluded.input_tokens,
           output_tokens = d.output_tokens + excluded.output_tokens,
           cache_read_tokens = d.cache_read_tokens + excluded.cache_read_tokens,
           cache_write_tokens = d.cache_write_tokens + excluded.cache_write_tokens,
           cost_usd = d.cost_usd + excluded.cost_usd, unpriced_calls = d.unpriced_calls + excluded.unpriced_calls
$$;
REVOKE ALL ON FUNCTION add_usage FROM PUBLIC;
GRANT EXECUTE ON FUNCTION add_usage TO penny_app;
"""

APPEND = """
CREATE FUNCTION append_steps(p_user uuid, p_run uuid, p_attempt int, p_owner text, p_tokens bigint[], p_cost numeric,
                             p_models text[], p_calls bigint[], p_input bigint[], p_output bigint[], p_read bigint[],
                             p_written bigint[], p_costs numeric[], p_pos int[], p_ids uuid[], p_roles text[],
                             p_texts text[], p_bodies text[]) RETURNS boolean
LANGUAGE plpgsql SET search_path = penny, pg_temp AS $$
DECLARE r run;
BEGIN
    PERFORM set_config('app.user_id', p_user::text, true);
    IF cardinality(p_models) = 0 THEN
        SELECT * INTO r FROM run
         WHERE id = p_run AND attempt = p_attempt AND owner = p_owner AND status = 'running' FOR SHARE;
    ELSE
        UPDATE run SET input_tokens = input_tokens + p_tokens[1], output_tokens = output_tokens + p_tokens[2],
               cache_read_tokens = cache_read_tokens + p_tokens[3],
               cache_write_tokens = cache_write_tokens + p_tokens[4], cost_usd = cost_usd + p_cost
         WHERE id = p_run AND attempt = p_attempt AND owner = p_owner AND status = 'running' RETURNING * INTO r;
    END IF;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO message (user_id, session_id, turn, run_id, pos, id, role, text, body)
    SELECT r.user_id, r.session_id, r.turn, r.id, u.pos, u.id, u.role, u.text, u.body::jsonb
      FROM unnest(p_pos, p_ids, p_roles, p_texts, p_bodies) AS u (pos, id, role, text, body);
    PERFORM add_usage(r.user_id, p_models, p_calls, p_input, p_output, p_read, p_written, p_costs);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION append_steps FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_steps TO penny_app;
"""

COMPLETE = """
CREATE FUNCTION complete_run(p_user uuid, p_run uuid, p_attempt int, p_owner text, p_tokens bigint[], p_cost numeric,
                             p_models text[], p_calls bigint[], p_input bigint[], p_output bigint[], p_read bigint[],
                             p_written bigint[], p_costs numeric[], p_status text, p_error text, p_model text,
                             p_seq int, p_last_seq int, p_events text, p_pos int[], p_ids uuid[], p_roles text[],
                             p_texts text[], p_bodies text[]) RETURNS boolean
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
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO message (user_id, session_id, turn, run_id, pos, id, role, text, body)
    SELECT r.user_id, r.session_id, r.turn, r.id, u.pos, u.id, u.role, u.text, u.body::jsonb
      FROM unnest(p_pos, p_ids, p_roles, p_texts, p_bodies) AS u (pos, id, role, text, body);
    INSERT INTO run_event (user_id, run_id, day, seq, last_seq, attempt, terminal, events)
    VALUES (r.user_id, r.id, (r.created_at AT TIME ZONE 'UTC')::date, p_seq, p_last_seq, r.attempt, true, p_events);
    UPDATE session SET updated_at = clock_timestamp() WHERE user_id = r.user_id AND id = r.session_id;
    PERFORM add_usage(r.user_id, p_models, p_calls, p_input, p_output, p_read, p_written, p_costs);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION complete_run FROM PUBLIC;
GRANT EXECUTE ON FUNCTION complete_run TO penny_app;
"""


def upgrade() -> None:
    for part in (STAND, USAGE, APPEND, COMPLETE):
        execute_script(part)


def downgrade() -> None:
    op.execute("DROP FUNCTION runs_before, append_steps, complete_run, add_usage")
