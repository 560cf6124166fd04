"""A process that terminates clients' sessions, now and then."""

import random

from client import NAME
from member import Member

PAUSE = (0.5, 2.5)              # seconds from one to the next, from, to

# Noted before it is done: the client looks it up afterwards.
VICTIM = f"""INSERT INTO terminated
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name = '{NAME}'
ORDER BY random() LIMIT 1 RETURNING pid"""


class Terminator(Member):
    def work(self):
        rng = random.Random(f"{self.setup.seed}/terminator")
        connection = self.setup.connect()
        cursor = connection.cursor()
        while not self.stop.wait(rng.uniform(*PAUSE)):
            cursor.execute(VICTIM)
            for (pid,) in cursor.fetchall():
                cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))
        connection.close()
