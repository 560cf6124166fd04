-- The same by advisory locks: a lock for each user, shared by transactions
-- that copy its document into a post, exclusive for one that changes it.
-- Unlike locks on rows they are queued: those who come after one that waits for
-- the exclusive lock wait too, so that it gets its turn.
--
-- The lock is a statement of its own, so what follows has a snapshot from
-- after the wait.

CREATE OR REPLACE FUNCTION user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    doc jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(NEW.pk_user);
    UPDATE tv_user
    SET data = data || jsonb_build_object('name', NEW.name, 'email', NEW.email),
        updated_at = now()
    WHERE pk_user = NEW.pk_user
    RETURNING data INTO doc;

    UPDATE tv_post
    SET data = jsonb_set(data, '{author}', doc), updated_at = now()
    WHERE fk_user = NEW.pk_user;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION post_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(NEW.fk_user);
    INSERT INTO tv_post (pk_post, id, fk_user, user_id, data)
    SELECT NEW.pk_post, NEW.id, NEW.fk_user, tv_user.id,
           jsonb_build_object('id', NEW.id, 'title', NEW.title, 'content', NEW.content,
                              'author', tv_user.data)
    FROM tv_user
    WHERE tv_user.pk_user = NEW.fk_user;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION post_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(NEW.fk_user);
    UPDATE tv_post
    SET fk_user = NEW.fk_user, user_id = tv_user.id,
        data = jsonb_set(tv_post.data, '{author}', tv_user.data), updated_at = now()
    FROM tv_user
    WHERE tv_user.pk_user = NEW.fk_user AND tv_post.pk_post = NEW.pk_post;
    RETURN NULL;
END $$;
