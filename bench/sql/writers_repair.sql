-- Put right the rows of hand-maintained tables that differ from the views.

CREATE PROCEDURE repair() LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tv_user
    SET data = v_user.data
    FROM v_user
    WHERE v_user.pk_user = tv_user.pk_user AND tv_user.data <> v_user.data;

    DELETE FROM tv_post
    WHERE NOT EXISTS (SELECT FROM v_post
                      WHERE (v_post.pk_post, v_post.id, v_post.fk_user, v_post.user_id, v_post.data)
                            = (tv_post.pk_post, tv_post.id, tv_post.fk_user, tv_post.user_id,
                               tv_post.data));
    INSERT INTO tv_post
    SELECT * FROM v_post
    WHERE NOT EXISTS (SELECT FROM tv_post WHERE tv_post.pk_post = v_post.pk_post);
END $$;
