-- Rows of one contender: pseudo-random by hash, so the same for all of them.
-- Sizes and seed come from the settings bench.*.

INSERT INTO tb_company (pk_company, id, name, city)
SELECT i, md5('company' || i)::uuid, 'Company ' || i, 'City ' || bench.pick(i, 1, 90)
FROM generate_series(1, current_setting('bench.companies')::int) i;

INSERT INTO tb_user (pk_user, id, fk_company, name, email)
SELECT i, md5('user' || i)::uuid,
       bench.pick(i, 2, current_setting('bench.companies')::int),
       'User ' || i, 'user' || i || '@example.org'
FROM generate_series(1, current_setting('bench.users')::int) i;

INSERT INTO tb_post (pk_post, id, fk_user, title, content)
SELECT i, md5('post' || i)::uuid,
       bench.pick(i, 3, current_setting('bench.users')::int),
       'Title of post ' || i, repeat(md5('content' || i) || ' ', 3)
FROM generate_series(1, current_setting('bench.posts')::int) i;

INSERT INTO tb_comment (pk_comment, id, fk_post, fk_user, body)
SELECT i, md5('comment' || i)::uuid,
       bench.pick(i, 4, current_setting('bench.posts')::int),
       bench.pick(i, 5, current_setting('bench.users')::int),
       'Comment ' || md5('body' || i)
FROM generate_series(1, current_setting('bench.comments')::int) i;

CREATE INDEX ON tb_user (fk_company);
CREATE INDEX ON tb_post (fk_user);
CREATE INDEX ON tb_comment (fk_post);
CREATE INDEX ON tb_comment (fk_user);

SELECT setval(pg_get_serial_sequence('tb_post', 'pk_post'), max(pk_post)) FROM tb_post;
SELECT setval(pg_get_serial_sequence('tb_comment', 'pk_comment'), max(pk_comment)) FROM tb_comment;
