-- What all contenders share: the source of pseudo-random numbers.

CREATE SCHEMA bench;

CREATE FUNCTION bench.pick(i int, salt int, size int) RETURNS int
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN 1 + (hashint8extended(i, salt + current_setting('bench.seed')::int)
                & 9223372036854775807) % size;
