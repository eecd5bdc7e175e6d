/*
 * serve.c
 *		From the start to the end of a serving gateway: the order in which the
 *		parts start and stop, and signals.
 *
 * All signals are blocked in every thread, and the main thread waits for them
 * here; so nothing is interrupted, and it works as PID 1, for which signals
 * without a handler are not even delivered.  Who starts a child must give it
 * an empty mask again (tick.c).
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "auth.h"
#include "body.h"
#include "config.h"
#include "cursor.h"
#include "dbopen.h"
#include "dbslow.h"
#include "log.h"
#include "loop.h"
#include "main.h"
#include "notify.h"
#include "probe.h"
#include "tick.h"
#include "tls.h"

#define POLL_MS 20
#define MAX_LOOPS 64

static sigset_t signals;

static void
nothing(int signal)
{
	(void) signal;
}

static void
take_signals(void)
{
	static const int ours[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = nothing};

	sigemptyset(&signals);
	for (size_t i = 0; i < 3; i++)
	{
		sigaddset(&signals, ours[i]);
		sigaction(ours[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* A peer that went away is an error of a write, not the end of the program. */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

/* The signal that came within so long, 0 if none did.  Negative: wait for ever. */
static int
wait_signal(int64_t ms)
{
	struct timespec limit = {ms / 1000, ms % 1000 * 1000000};
	int			signal = ms < 0 ? sigwaitinfo(&signals, NULL) : sigtimedwait(&signals, NULL, &limit);

	return signal > 0 ? signal : 0;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- start ---- */

/*
 * Keys and tokens are in memory: no core file, and nobody of the same user
 * looks into it.  Children get the limit only: what they execute may be looked
 * into again, as the system has it.
 */
static void
keep_memory_private(void)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
		log_line(LOG_WARN, "start.memory", "core files cannot be switched off: %s", strerror(errno));
}

static const struct
{
	const char *name;
	bool		(*start) (void);
}			parts[] = {
	{"page tokens", cursor_start}, {"keys", auth_start}, {"the probe", probe_start},
	{"slow connections", dbslow_start}, {"listening", loops_start}, {"ticks", tick_start}
};

static bool
start_parts(void)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!parts[i].start())
		{
			log_line(LOG_ERROR, "start.failed", "%s could not be started", parts[i].name);
			log_flush();
			fprintf(stderr, "ledger-gateway: %s could not be started; the log says why\n", parts[i].name);
			return false;
		}
	return true;
}

static void
tell_started(void)
{
	lc_buf		members;

	lc_buf_init(&members, &lc_alloc_malloc);
	log_member(&members, "version", LEDGER_VERSION);
	log_member(&members, "listen", loops_listen(false));
	log_member(&members, "admin", loops_listen(true));
	log_number(&members, "pid", getpid());
	log_members(LOG_INFO, "start", "Ledger started", &members);
	lc_buf_free(&members);
	notify("READY=1");
}

/* Each on a line of its own. */
static void
tell_notes(void)
{
	for (const char *line = config_notes(); *line != '\0';)
	{
		size_t		n = strcspn(line, "\n");

		log_line(LOG_WARN, "config.note", "%.*s", (int) n, line);
		line += n + (line[n] == '\n' ? 1 : 0);
	}
}

/* ---- the watchdog ---- */

/* A loop that still goes round answers; one that hangs does not, and systemd ends us. */
static struct ping
{
	loop_call	call;
	atomic_bool out;
}			pings[MAX_LOOPS];

static void
answer_ping(void *arg)
{
	atomic_store(&((struct ping *) arg)->out, false);
}

static void
watch(void)
{
	for (int i = 0; i < loops_count() && i < MAX_LOOPS; i++)
		if (atomic_load(&pings[i].out))
			return;
	notify("WATCHDOG=1");
	for (int i = 0; i < loops_count() && i < MAX_LOOPS; i++)
	{
		atomic_store(&pings[i].out, true);
		pings[i].call = (loop_call) {answer_ping, &pings[i], NULL};
		loop_post(loops_at(i), &pings[i].call);
	}
}

/* ---- the end ---- */

static void
reload(void)
{
	notify_reloading();
	if (config_reload())
	{
		log_start(config_now()->log_level);
		auth_reload();
		tls_reload();
		tell_notes();
		log_line(LOG_INFO, "config.reloaded", "settings were read anew");
	}
	else
		log_line(LOG_ERROR, "config.not_reloaded", "the settings are wrong; those from before hold");
	notify("READY=1");
}

/* Waits until done says so or the time is over.  A second signal to end ends at once. */
static bool
wait_until(bool (*done) (void), int64_t ms)
{
	int64_t		end = now_ms() + ms;

	while (done == NULL || !done())
	{
		int64_t		left = end - now_ms();
		int			signal;

		if (left <= 0)
			return false;
		signal = wait_signal(done == NULL || left < POLL_MS ? left : POLL_MS);
		if (signal == SIGTERM || signal == SIGINT)
		{
			log_line(LOG_WARN, "stop.forced", "a second signal: not waiting any longer");
			log_flush();
			_exit(EXIT_FAILURE);
		}
	}
	return true;
}

static bool
all_answered(void)
{
	return loops_in_flight() == 0;
}

static void
drain(int signal)
{
	const config *c = config_now();

	log_line(LOG_INFO, "stop.begin", "%s: draining", signal == SIGTERM ? "SIGTERM" : "SIGINT");
	notify("STOPPING=1");
	probe_draining();
	wait_until(NULL, c->drain_delay_ms);
	loops_drain();
	if (!wait_until(all_answered, c->drain_timeout_ms))
		log_line(LOG_WARN, "stop.unanswered", "%d requests were not finished in time", loops_in_flight());
	tick_stop();
	body_stop();
	loops_stop();
	dbslow_stop();
	auth_stop();
	probe_stop();
	dbopen_stop();
	log_line(LOG_INFO, "stop", "Ledger stopped");
	log_flush();
}

int
serve(void)
{
	int64_t		watchdog = notify_watchdog();
	int			signal;

	keep_memory_private();
	take_signals();
	log_start(config_now()->log_level);
	/* Parts that have started have threads, which must not see the program's memory being taken down. */
	if (!start_parts())
		_exit(EXIT_FAILURE);
	tell_notes();
	tell_started();
	for (;;)
	{
		signal = wait_signal(watchdog > 0 ? watchdog / 3 : -1);
		if (signal == SIGHUP)
			reload();
		else if (signal != 0)
			break;
		else if (watchdog > 0)
			watch();
	}
	drain(signal);
	return EXIT_SUCCESS;
}
