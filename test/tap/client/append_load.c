/*
 * append_load.c
 *		Appends from many connections at once, and writes down each event the
 *		server acknowledged, after it did: the witness of the crash tests.
 *
 * usage: append_load CONNINFO FILE CLIENTS CHAINS PREFIX [EVENTS]
 *
 * Client c appends to policy version "PREFIX-<c mod CHAINS>" of tenant acme,
 * until the server is gone or it has appended EVENTS events.  FILE gets one line
 * for each acknowledged event, by one write():
 *
 *		event_id policy_version sequence_no xid nanoseconds
 *
 * xid is the transaction's, nanoseconds the CLOCK_MONOTONIC of the moment when
 * the acknowledgement was in hand.  That is the answer to COMMIT for every third
 * event, which runs in a transaction block, and ReadyForQuery for the others; a
 * row returned before is no acknowledgement.  Every other client chooses the
 * event ids, the rest leave them to the ledger.
 *
 * A lost connection ends a client; any other error ends the program with status 1.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct client
{
	pthread_t	thread;
	int			number;
	PGconn	   *conn;
};

static const char *conninfo;
static int	out;
static int	chains;
static const char *prefix;
static long events;

static void
fail(const char *what, const char *why)
{
	fprintf(stderr, "append_load: %s: %s\n", what, why);
	exit(1);
}

/* NULL if the connection is lost; the test kills the server under us. */
static PGresult *
check(PGconn *conn, PGresult *result, ExecStatusType wanted)
{
	if (PQresultStatus(result) == wanted)
		return result;
	if (PQstatus(conn) != CONNECTION_BAD)
		fail("statement failed", PQresultErrorMessage(result));
	PQclear(result);
	return NULL;
}

static int
command(PGconn *conn, const char *sql)
{
	PGresult   *result = check(conn, PQexec(conn, sql), PGRES_COMMAND_OK);

	PQclear(result);
	return result != NULL;
}

static PGresult *
append(struct client *client, const char *policy, long n)
{
	static const char sql[] =
		"SELECT event_id, sequence_no, pg_catalog.pg_current_xact_id()::xid"
		" FROM ledger.ledger_append('acme', 'finding.created', $1, $2, 'pkg:deb/debian/zlib@1.2.13',"
		" payload => '{\"severity\": 5}', event_id => $3::uuid)";
	char		finding[64];
	char		id[64];
	const char *values[3] = {finding, policy, NULL};

	snprintf(finding, sizeof(finding), "%s-%d-%ld", prefix, client->number, n);
	if (client->number % 2 == 0)
	{
		unsigned int hash = 5381;

		for (const char *p = prefix; *p; p++)
			hash = hash * 33 + (unsigned char) *p;
		snprintf(id, sizeof(id), "%08x-%04x-7000-8000-%012lx", hash, client->number, n);
		values[2] = id;
	}
	return check(client->conn,
				 PQexecParams(client->conn, sql, 3, NULL, values, NULL, NULL, 0), PGRES_TUPLES_OK);
}

static void
witness(PGresult *row, const char *policy)
{
	struct timespec now;
	char		line[256];
	int			n;

	clock_gettime(CLOCK_MONOTONIC, &now);
	n = snprintf(line, sizeof(line), "%s %s %s %s %lld\n", PQgetvalue(row, 0, 0), policy,
				 PQgetvalue(row, 0, 1), PQgetvalue(row, 0, 2),
				 (long long) now.tv_sec * 1000000000LL + now.tv_nsec);
	if (write(out, line, n) != n)
		fail("write", "the witness's file is full");
}

static int
one_event(struct client *client, const char *policy, long n)
{
	int			block = n % 3 == 0;
	PGresult   *row;

	if (block && !command(client->conn, "BEGIN"))
		return 0;
	row = append(client, policy, n);
	if (row == NULL)
		return 0;
	if (!block || command(client->conn, "COMMIT"))
		witness(row, policy);
	PQclear(row);
	return PQstatus(client->conn) != CONNECTION_BAD;
}

static void *
run_client(void *arg)
{
	struct client *client = arg;
	char		policy[64];

	snprintf(policy, sizeof(policy), "%s-%d", prefix, client->number % chains);
	for (long n = 1; events == 0 || n <= events; n++)
		if (!one_event(client, policy, n))
			break;
	return NULL;
}

int
main(int argc, char **argv)
{
	int			n;
	struct client *clients;

	if (argc < 6)
		fail("usage", "append_load CONNINFO FILE CLIENTS CHAINS PREFIX [EVENTS]");
	conninfo = argv[1];
	out = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0644);
	n = atoi(argv[3]);
	chains = atoi(argv[4]);
	prefix = argv[5];
	events = argc > 6 ? atol(argv[6]) : 0;
	if (out < 0 || n < 1 || chains < 1)
		fail("arguments", "a file, and numbers above zero");
	clients = calloc(n, sizeof(struct client));
	/* All are connected before the first appends: a kill meets them all. */
	for (int i = 0; i < n; i++)
	{
		clients[i].number = i;
		clients[i].conn = PQconnectdb(conninfo);
		if (PQstatus(clients[i].conn) != CONNECTION_OK)
			fail("connect", PQerrorMessage(clients[i].conn));
	}
	for (int i = 0; i < n; i++)
		if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) != 0)
			fail("thread", "could not start");
	for (int i = 0; i < n; i++)
		pthread_join(clients[i].thread, NULL);
	for (int i = 0; i < n; i++)
		PQfinish(clients[i].conn);
	free(clients);
	return 0;
}
