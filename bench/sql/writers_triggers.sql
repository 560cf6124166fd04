-- Hand-written triggers that patch the part of a document that changed, as
-- fast as we could make them.  Right as long as one client writes: of a post
-- that another transaction has inserted or moved but not committed,
-- user_changed() doesn't know, and that transaction doesn't know the new name.

CREATE FUNCTION user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    doc jsonb;
BEGIN
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
CREATE TRIGGER user_changed AFTER UPDATE ON tb_user FOR EACH ROW
    WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.email IS DISTINCT FROM NEW.email)
    EXECUTE FUNCTION user_changed();

CREATE FUNCTION post_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tv_post (pk_post, id, fk_user, user_id, data)
    SELECT NEW.pk_post, NEW.id, NEW.fk_user, tv_user.id,
           jsonb_build_object('id', NEW.id, 'title', NEW.title, 'content', NEW.content,
                              'author', tv_user.data)
    FROM tv_user
    WHERE tv_user.pk_user = NEW.fk_user;
    RETURN NULL;
END $$;
CREATE TRIGGER post_inserted AFTER INSERT ON tb_post FOR EACH ROW
    EXECUTE FUNCTION post_inserted();

CREATE FUNCTION post_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM tv_post WHERE pk_post = OLD.pk_post;
    RETURN NULL;
END $$;
CREATE TRIGGER post_deleted AFTER DELETE ON tb_post FOR EACH ROW
    EXECUTE FUNCTION post_deleted();

CREATE FUNCTION post_text_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.content IS NOT DISTINCT FROM NEW.content THEN
        UPDATE tv_post
        SET data = jsonb_set(data, '{title}', to_jsonb(NEW.title)), updated_at = now()
        WHERE pk_post = NEW.pk_post;
    ELSE
        UPDATE tv_post
        SET data = data || jsonb_build_object('title', NEW.title, 'content', NEW.content),
            updated_at = now()
        WHERE pk_post = NEW.pk_post;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER post_text_changed AFTER UPDATE ON tb_post FOR EACH ROW
    WHEN (OLD.title IS DISTINCT FROM NEW.title OR OLD.content IS DISTINCT FROM NEW.content)
    EXECUTE FUNCTION post_text_changed();

CREATE FUNCTION post_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tv_post
    SET fk_user = NEW.fk_user, user_id = tv_user.id,
        data = jsonb_set(tv_post.data, '{author}', tv_user.data), updated_at = now()
    FROM tv_user
    WHERE tv_user.pk_user = NEW.fk_user AND tv_post.pk_post = NEW.pk_post;
    RETURN NULL;
END $$;
CREATE TRIGGER post_moved AFTER UPDATE ON tb_post FOR EACH ROW
    WHEN (OLD.fk_user IS DISTINCT FROM NEW.fk_user)
    EXECUTE FUNCTION post_moved();
