/*
 * checklist_http.c
 *		The points of the checklist that another server answers.
 */
#include <stdio.h>
#include <string.h>

#include "checklist.h"
#include "http.h"
#include "lc_jsontree.h"

#define SECONDS 10
#define WANTED_METRIC "ledger_write_latency_seconds"
#define ANSWER_MAX (16 * 1024 * 1024)
#define MAX_DEPTH 32

static bool
get(const char *base, const char *path, const char *authorization, http_answer *out, fault *f)
{
	char		url[2048];
	size_t		n = strlen(base);
	http_request request = {
		.method = "GET", .url = url, .authorization = authorization, .max_answer = ANSWER_MAX,
		.limits = {SECONDS, setting("EXTERNALANCHORING__HTTPSCAFILE")}
	};

	while (n > 0 && base[n - 1] == '/')
		n--;
	if (snprintf(url, sizeof(url), "%.*s%s", (int) n, base, path) >= (int) sizeof(url))
		return fault_set(f, "the URL is too long");
	return http_send(&request, out, f);
}

static void
check_ready(const char *url)
{
	http_answer answer;
	fault		f;

	if (!get(url, "/health/ready", NULL, &answer, &f))
		check_tell("health", CHECK_FAIL, "Is the gateway running, and is this its address?", "%s", f.text);
	else
		check_tell("health", answer.status == 200 ? CHECK_OK : CHECK_FAIL, "The answer's body says which part is not.",
				   "/health/ready answers %ld: %.*s", answer.status,
				   answer.body.len < 200 ? (int) answer.body.len : 200,
				   answer.body.data != NULL ? answer.body.data : "");
	lc_buf_free(&answer.body);
}

static size_t
count_lines(const char *text)
{
	size_t		n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

static void
check_metrics(const char *url)
{
	http_answer answer;
	fault		f;
	const char *text;
	bool		good;

	if (!get(url, "/metrics", NULL, &answer, &f))
		check_tell("metrics", CHECK_FAIL, "Is the gateway running, and is this its address?", "%s", f.text);
	else
	{
		text = answer.body.data != NULL ? answer.body.data : "";
		good = answer.status == 200 && strstr(text, "\n# TYPE " WANTED_METRIC " ") != NULL;
		check_tell("metrics", good ? CHECK_OK : CHECK_FAIL,
				   "Is this the gateway, or an address of its own for metrics?",
				   "/metrics answers %ld with %zu lines, %s " WANTED_METRIC, answer.status, count_lines(text),
				   good ? "among them" : "but not with");
	}
	lc_buf_free(&answer.body);
}

void
check_gateway(const char *url)
{
	if (url == NULL)
	{
		check_tell("health", CHECK_NONE, NULL, "not looked at: name the gateway with --gateway or --admin");
		check_tell("metrics", CHECK_NONE, NULL, "not looked at: name the gateway with --gateway or --admin");
		return;
	}
	check_ready(url);
	check_metrics(url);
}

/* ---- Grafana ---- */

static size_t
count_in_folder(const char *text, size_t n)
{
	lc_jsontree *tree = NULL;
	size_t		count = 0;

	if (lc_jsontree_parse(text, n, MAX_DEPTH, &cli_alloc, &tree, NULL) == LC_OK &&
		lc_jsontree_root(tree)->type == LC_JSON_ARRAY)
		for (const lc_json *hit = lc_jsontree_root(tree)->child; hit != NULL; hit = hit->next)
		{
			lc_str		folder = hit->type == LC_JSON_OBJECT ? lc_json_string(hit, "folderTitle") : (lc_str) {0};

			count += folder.s != NULL && folder.n == strlen(FOLDER) && memcmp(folder.s, FOLDER, folder.n) == 0;
		}
	lc_jsontree_free(tree);
	return count;
}

/* A token in LEDGER__GRAFANA__TOKEN, never on the command line. */
static void
check_grafana_server(const char *url)
{
	const char *token = setting("GRAFANA__TOKEN");
	char		authorization[1024];
	http_answer answer;
	fault		f;

	snprintf(authorization, sizeof(authorization), "Bearer %s", token != NULL ? token : "");
	if (!get(url, "/api/search?type=dash-db&limit=5000", token != NULL ? authorization : NULL, &answer, &f))
		check_tell("dashboards", CHECK_FAIL, "Is this Grafana's address?", "%s", f.text);
	else if (answer.status != 200)
		check_tell("dashboards", CHECK_FAIL, "Give a token that may read dashboards in LEDGER__GRAFANA__TOKEN.",
				   "Grafana answers %ld", answer.status);
	else
	{
		size_t		n = count_in_folder(answer.body.data != NULL ? answer.body.data : "", answer.body.len);

		check_tell("dashboards", n > 0 ? CHECK_OK : CHECK_FAIL, "Import the dashboards into a folder \"" FOLDER "\".",
				   "%zu in folder \"" FOLDER "\"", n);
	}
	lc_buf_free(&answer.body);
}

void
check_grafana(const char *where)
{
	if (where == NULL)
		check_tell("dashboards", CHECK_NONE, NULL, "not looked at: name Grafana or its provisioning with --grafana");
	else if (strstr(where, "://") != NULL)
		check_grafana_server(where);
	else
		check_grafana_dir(where);
}
