"""Finishing prepared transactions.

"Left" ones are finished by another session than the one that has prepared
them, the others by their client.
"""

import psycopg2

PREPARED = "concurrency"        # start of their names
LEFT = PREPARED + "_left"
OWN = PREPARED + "_own"
IN_USE = "55000"                # its session has not quite let go of it


def finish(cursor, rng, start=PREPARED):
    """Finish what there is; returns whether nothing was in use."""
    done = True
    cursor.execute("SELECT gid FROM pg_prepared_xacts"
                   " WHERE database = current_database()"
                   f" AND starts_with(gid, '{start}')")
    for (gid,) in cursor.fetchall():
        how = rng.choice(["COMMIT", "COMMIT", "ROLLBACK"])
        try:
            cursor.execute(f"{how} PREPARED '{gid}'")
        except psycopg2.Error as error:
            if error.pgcode != IN_USE:
                raise
            done = False
    return done
