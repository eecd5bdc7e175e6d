/*
 * dboutage.c
 *		Counts failed attempts to connect instead of logging each: a few
 *		connections that try every few seconds would hide whatever else the log
 *		has to say, for as long as the database is away.
 */
#include <inttypes.h>
#include <pthread.h>

#include "dboutage.h"
#include "log.h"

#define REMIND_MS (60 * 1000)

static struct
{
	pthread_mutex_t mutex;
	uint64_t	failures;		/* since the last success; 0: it can be reached */
	int64_t		since,
				told_at;
}			outage = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void
dboutage_failed(int64_t now, const char *purpose, const char *why)
{
	pthread_mutex_lock(&outage.mutex);
	if (outage.failures++ == 0)
	{
		outage.since = outage.told_at = now;
		log_line(LOG_WARN, "db.unreachable", "%s connection: %s", purpose, why);
	}
	else if (now - outage.told_at >= REMIND_MS)
	{
		outage.told_at = now;
		log_line(LOG_WARN, "db.unreachable", "still, after %" PRId64 " s and %" PRIu64 " attempts; %s connection: %s",
				 (now - outage.since) / 1000, outage.failures, purpose, why);
	}
	pthread_mutex_unlock(&outage.mutex);
}

void
dboutage_connected(int64_t now)
{
	pthread_mutex_lock(&outage.mutex);
	if (outage.failures > 0)
		log_line(LOG_INFO, "db.reachable", "again, after %" PRId64 " s and %" PRIu64 " attempts",
				 (now - outage.since) / 1000, outage.failures);
	outage.failures = 0;
	pthread_mutex_unlock(&outage.mutex);
}
