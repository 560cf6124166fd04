-- Hand-written triggers, one call for each statement, with transition
-- tables, that patch just the part of a document that changed: the fastest
-- for bulk updates.  An update of columns that no document uses finds no
-- affected key.

CREATE FUNCTION company_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tv_company
    SET data = data || jsonb_build_object('name', n.name, 'city', n.city),
        updated_at = now()
    FROM new_rows n
    JOIN old_rows o USING (pk_company)
    WHERE tv_company.pk_company = n.pk_company
      AND (o.name, o.city) IS DISTINCT FROM (n.name, n.city);

    UPDATE tv_user
    SET data = jsonb_set(tv_user.data, '{company}', tv_company.data), updated_at = now()
    FROM new_rows n
    JOIN old_rows o USING (pk_company)
    JOIN tv_company USING (pk_company)
    WHERE tv_user.fk_company = n.pk_company
      AND (o.name, o.city) IS DISTINCT FROM (n.name, n.city);

    UPDATE tv_post
    SET data = jsonb_set(tv_post.data, '{author}', tv_user.data), updated_at = now()
    FROM new_rows n
    JOIN old_rows o USING (pk_company)
    JOIN tv_user ON tv_user.fk_company = n.pk_company
    WHERE tv_post.fk_user = tv_user.pk_user
      AND (o.name, o.city) IS DISTINCT FROM (n.name, n.city);
    RETURN NULL;
END $$;
CREATE TRIGGER company_changed AFTER UPDATE ON tb_company
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION company_changed();

CREATE FUNCTION user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tv_user
    SET fk_company = v_user.fk_company, company_id = v_user.company_id,
        data = v_user.data, updated_at = now()
    FROM new_rows n
    JOIN old_rows o USING (pk_user)
    JOIN v_user USING (pk_user)
    WHERE tv_user.pk_user = n.pk_user
      AND (o.name, o.fk_company) IS DISTINCT FROM (n.name, n.fk_company);

    UPDATE tv_post
    SET data = jsonb_set(tv_post.data, '{author}', tv_user.data), updated_at = now()
    FROM new_rows n
    JOIN old_rows o USING (pk_user)
    JOIN tv_user USING (pk_user)
    WHERE tv_post.fk_user = n.pk_user
      AND (o.name, o.fk_company) IS DISTINCT FROM (n.name, n.fk_company);

    UPDATE tv_post
    SET data = tv_post.data || comments_of.part, updated_at = now()
    FROM (SELECT DISTINCT tb_comment.fk_post
          FROM new_rows n JOIN old_rows o USING (pk_user)
          JOIN tb_comment ON tb_comment.fk_user = n.pk_user
          WHERE o.name IS DISTINCT FROM n.name) c
    JOIN comments_of ON comments_of.pk_post = c.fk_post
    WHERE tv_post.pk_post = c.fk_post;
    RETURN NULL;
END $$;
CREATE TRIGGER user_changed AFTER UPDATE ON tb_user
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION user_changed();

CREATE FUNCTION post_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tv_post (pk_post, id, fk_user, user_id, data)
    SELECT n.pk_post, n.id, n.fk_user, tv_user.id,
           jsonb_build_object('id', n.id, 'title', n.title, 'content', n.content,
                              'author', tv_user.data, 'comment_count', 0,
                              'comments', '[]'::jsonb)
    FROM new_rows n
    JOIN tv_user ON tv_user.pk_user = n.fk_user;
    RETURN NULL;
END $$;
CREATE TRIGGER post_inserted AFTER INSERT ON tb_post
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION post_inserted();

CREATE FUNCTION post_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM tv_post USING old_rows WHERE tv_post.pk_post = old_rows.pk_post;
    RETURN NULL;
END $$;
CREATE TRIGGER post_deleted AFTER DELETE ON tb_post
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION post_deleted();

CREATE FUNCTION post_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- the author is joined only for posts that move to another one
    UPDATE tv_post
    SET fk_user = n.fk_user, user_id = COALESCE(tv_user.id, tv_post.user_id),
        data = CASE
            WHEN tv_user.id IS NULL AND n.content = o.content
                THEN jsonb_set(tv_post.data, '{title}', to_jsonb(n.title))
            WHEN tv_user.id IS NULL
                THEN tv_post.data || jsonb_build_object('title', n.title, 'content', n.content)
            ELSE tv_post.data || jsonb_build_object('title', n.title, 'content', n.content,
                                                    'author', tv_user.data)
            END,
        updated_at = now()
    FROM new_rows n
    JOIN old_rows o USING (pk_post)
    LEFT JOIN tv_user ON tv_user.pk_user = n.fk_user AND o.fk_user <> n.fk_user
    WHERE tv_post.pk_post = n.pk_post
      AND (o.title, o.content, o.fk_user) IS DISTINCT FROM (n.title, n.content, n.fk_user);
    RETURN NULL;
END $$;
CREATE TRIGGER post_changed AFTER UPDATE ON tb_post
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION post_changed();

CREATE FUNCTION comment_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tv_post
    SET data = tv_post.data || comments_of.part, updated_at = now()
    FROM comments_of
    WHERE comments_of.pk_post IN (SELECT fk_post FROM new_rows)
      AND tv_post.pk_post = comments_of.pk_post;
    RETURN NULL;
END $$;
CREATE TRIGGER comment_inserted AFTER INSERT ON tb_comment
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION comment_inserted();

CREATE FUNCTION comment_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tv_post
    SET data = tv_post.data || comments_of.part, updated_at = now()
    FROM comments_of
    WHERE comments_of.pk_post IN (SELECT fk_post FROM old_rows)
      AND tv_post.pk_post = comments_of.pk_post;
    RETURN NULL;
END $$;
CREATE TRIGGER comment_deleted AFTER DELETE ON tb_comment
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION comment_deleted();

CREATE FUNCTION comment_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tv_post
    SET data = tv_post.data || comments_of.part, updated_at = now()
    FROM comments_of
    WHERE comments_of.pk_post IN (
              SELECT k.fk_post
              FROM new_rows n JOIN old_rows o USING (pk_comment),
                   LATERAL (VALUES (o.fk_post), (n.fk_post)) k (fk_post)
              WHERE (o.fk_post, o.fk_user, o.body)
                    IS DISTINCT FROM (n.fk_post, n.fk_user, n.body))
      AND tv_post.pk_post = comments_of.pk_post;
    RETURN NULL;
END $$;
CREATE TRIGGER comment_changed AFTER UPDATE ON tb_comment
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION comment_changed();
