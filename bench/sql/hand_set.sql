-- Hand-written triggers, one call for each statement, with transition
-- tables: whole documents of the affected keys, recomputed from the views by
-- join.  An update of columns that no document uses finds no affected key.

CREATE FUNCTION company_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tv_company
    SET data = v_company.data, updated_at = now()
    FROM new_rows n
    JOIN old_rows o USING (pk_company)
    JOIN v_company USING (pk_company)
    WHERE tv_company.pk_company = n.pk_company
      AND (o.name, o.city) IS DISTINCT FROM (n.name, n.city);

    UPDATE tv_user
    SET data = v_user.data, updated_at = now()
    FROM new_rows n
    JOIN old_rows o USING (pk_company)
    JOIN v_user ON v_user.fk_company = n.pk_company
    WHERE tv_user.pk_user = v_user.pk_user
      AND (o.name, o.city) IS DISTINCT FROM (n.name, n.city);

    UPDATE tv_post
    SET data = v_post.data, updated_at = now()
    FROM new_rows n
    JOIN old_rows o USING (pk_company)
    JOIN tb_user ON tb_user.fk_company = n.pk_company
    JOIN v_post ON v_post.fk_user = tb_user.pk_user
    WHERE tv_post.pk_post = v_post.pk_post
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
    SET data = v_post.data, updated_at = now()
    FROM (SELECT tb_post.pk_post
          FROM new_rows n JOIN old_rows o USING (pk_user)
          JOIN tb_post ON tb_post.fk_user = n.pk_user
          WHERE (o.name, o.fk_company) IS DISTINCT FROM (n.name, n.fk_company)
          UNION
          SELECT tb_comment.fk_post
          FROM new_rows n JOIN old_rows o USING (pk_user)
          JOIN tb_comment ON tb_comment.fk_user = n.pk_user
          WHERE o.name IS DISTINCT FROM n.name) k
    JOIN v_post USING (pk_post)
    WHERE tv_post.pk_post = k.pk_post;
    RETURN NULL;
END $$;
CREATE TRIGGER user_changed AFTER UPDATE ON tb_user
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION user_changed();

CREATE FUNCTION post_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tv_post SELECT v_post.* FROM v_post JOIN new_rows USING (pk_post);
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
    UPDATE tv_post
    SET fk_user = v_post.fk_user, user_id = v_post.user_id,
        data = v_post.data, updated_at = now()
    FROM new_rows n
    JOIN old_rows o USING (pk_post)
    JOIN v_post USING (pk_post)
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
    SET data = v_post.data, updated_at = now()
    FROM v_post
    WHERE v_post.pk_post IN (SELECT fk_post FROM new_rows)
      AND tv_post.pk_post = v_post.pk_post;
    RETURN NULL;
END $$;
CREATE TRIGGER comment_inserted AFTER INSERT ON tb_comment
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION comment_inserted();

CREATE FUNCTION comment_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tv_post
    SET data = v_post.data, updated_at = now()
    FROM v_post
    WHERE v_post.pk_post IN (SELECT fk_post FROM old_rows)
      AND tv_post.pk_post = v_post.pk_post;
    RETURN NULL;
END $$;
CREATE TRIGGER comment_deleted AFTER DELETE ON tb_comment
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION comment_deleted();

CREATE FUNCTION comment_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tv_post
    SET data = v_post.data, updated_at = now()
    FROM v_post
    WHERE v_post.pk_post IN (
              SELECT k.fk_post
              FROM new_rows n JOIN old_rows o USING (pk_comment),
                   LATERAL (VALUES (o.fk_post), (n.fk_post)) k (fk_post)
              WHERE (o.fk_post, o.fk_user, o.body)
                    IS DISTINCT FROM (n.fk_post, n.fk_user, n.body))
      AND tv_post.pk_post = v_post.pk_post;
    RETURN NULL;
END $$;
CREATE TRIGGER comment_changed AFTER UPDATE ON tb_comment
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION comment_changed();
