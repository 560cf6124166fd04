-- Hand-written triggers, one call for each row: the fastest for work on
-- single rows.  Each patches just the part of a document that changed, and
-- WHEN keeps changes of other columns from calling anything.

CREATE FUNCTION company_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    doc jsonb;
BEGIN
    UPDATE tv_company
    SET data = data || jsonb_build_object('name', NEW.name, 'city', NEW.city),
        updated_at = now()
    WHERE pk_company = NEW.pk_company
    RETURNING data INTO doc;

    UPDATE tv_user
    SET data = jsonb_set(data, '{company}', doc), updated_at = now()
    WHERE fk_company = NEW.pk_company;

    UPDATE tv_post
    SET data = jsonb_set(tv_post.data, '{author,company}', doc), updated_at = now()
    FROM tv_user
    WHERE tv_user.fk_company = NEW.pk_company AND tv_post.fk_user = tv_user.pk_user;
    RETURN NULL;
END $$;
CREATE TRIGGER company_changed AFTER UPDATE ON tb_company FOR EACH ROW
    WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.city IS DISTINCT FROM NEW.city)
    EXECUTE FUNCTION company_changed();

CREATE FUNCTION user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    doc jsonb;
BEGIN
    UPDATE tv_user
    SET fk_company = v_user.fk_company, company_id = v_user.company_id,
        data = v_user.data, updated_at = now()
    FROM v_user
    WHERE v_user.pk_user = NEW.pk_user AND tv_user.pk_user = NEW.pk_user
    RETURNING tv_user.data INTO doc;

    UPDATE tv_post
    SET data = jsonb_set(data, '{author}', doc), updated_at = now()
    WHERE fk_user = NEW.pk_user;

    IF OLD.name IS DISTINCT FROM NEW.name THEN
        UPDATE tv_post
        SET data = tv_post.data || comments_of.part, updated_at = now()
        FROM (SELECT DISTINCT fk_post FROM tb_comment WHERE fk_user = NEW.pk_user) c
        JOIN comments_of ON comments_of.pk_post = c.fk_post
        WHERE tv_post.pk_post = c.fk_post;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER user_changed AFTER UPDATE ON tb_user FOR EACH ROW
    WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.fk_company IS DISTINCT FROM NEW.fk_company)
    EXECUTE FUNCTION user_changed();

CREATE FUNCTION post_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tv_post (pk_post, id, fk_user, user_id, data)
    SELECT NEW.pk_post, NEW.id, NEW.fk_user, tv_user.id,
           jsonb_build_object('id', NEW.id, 'title', NEW.title, 'content', NEW.content,
                              'author', tv_user.data, 'comment_count', 0,
                              'comments', '[]'::jsonb)
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

CREATE FUNCTION comment_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE tv_post
        SET data = tv_post.data || comments_of.part, updated_at = now()
        FROM comments_of
        WHERE comments_of.pk_post = OLD.fk_post AND tv_post.pk_post = OLD.fk_post;
    END IF;
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.fk_post <> OLD.fk_post) THEN
        UPDATE tv_post
        SET data = tv_post.data || comments_of.part, updated_at = now()
        FROM comments_of
        WHERE comments_of.pk_post = NEW.fk_post AND tv_post.pk_post = NEW.fk_post;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER comment_added AFTER INSERT OR DELETE ON tb_comment FOR EACH ROW
    EXECUTE FUNCTION comment_changed();
CREATE TRIGGER comment_changed AFTER UPDATE ON tb_comment FOR EACH ROW
    WHEN ((OLD.fk_post, OLD.fk_user, OLD.body) IS DISTINCT FROM (NEW.fk_post, NEW.fk_user, NEW.body))
    EXECUTE FUNCTION comment_changed();
