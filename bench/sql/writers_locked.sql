-- What makes the triggers of writers_triggers.sql right at READ COMMITTED, by
-- locks on rows.  A transaction that copies a user's document into a post
-- first locks the row of tv_user it copies from, FOR SHARE.
--
-- user_changed() needs nothing more: its UPDATE of that row conflicts with FOR
-- SHARE (with FOR KEY SHARE, which a foreign key takes, it would not), and
-- comes before its UPDATE of tv_post.  Who is second waits for the other's
-- commit: either the UPDATE of tv_post, a statement of its own with a new
-- snapshot, finds the new post; or FOR SHARE returns the new document.
--
-- The other triggers write one row of tv_post each, from that row and from
-- their own: the second one waits for the row, and patches its new version.
-- The order of two changes of one row of a base table is that of its locks.

CREATE OR REPLACE FUNCTION post_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tv_post (pk_post, id, fk_user, user_id, data)
    SELECT NEW.pk_post, NEW.id, NEW.fk_user, tv_user.id,
           jsonb_build_object('id', NEW.id, 'title', NEW.title, 'content', NEW.content,
                              'author', tv_user.data)
    FROM tv_user
    WHERE tv_user.pk_user = NEW.fk_user
    FOR SHARE;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION post_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    author tv_user;
BEGIN
    SELECT * INTO author FROM tv_user WHERE pk_user = NEW.fk_user FOR SHARE;
    UPDATE tv_post
    SET fk_user = NEW.fk_user, user_id = author.id,
        data = jsonb_set(data, '{author}', author.data), updated_at = now()
    WHERE pk_post = NEW.pk_post;
    RETURN NULL;
END $$;
