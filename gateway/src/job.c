/*
 * job.c
 *		Work for the database: made from a request, given to an executor, and
 *		brought back to the request, if that still waits.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "dbappend.h"
#include "dbpipe.h"
#include "dbslow.h"
#include "job.h"
#include "problem.h"
#include "request.h"

job *
job_new(struct request *r)
{
	job		   *j = malloc(sizeof(*j));

	if (j == NULL)
		return NULL;
	memset(j, 0, offsetof(job, path));
	j->route = r->match.route;
	j->loop = r->loop;
	j->request = r;
	j->who = r->who;
	j->head = strcmp(r->method, "HEAD") == 0;
	j->queued_us = clock_us(CLOCK_MONOTONIC);
	strcpy(j->path, r->target.path);
	strcpy(j->trace_id, r->trace_id);
	strcpy(j->request_id, r->id);
	lc_buf_init(&j->context, &lc_alloc_malloc);
	lc_buf_init(&j->filters, &lc_alloc_malloc);
	lc_buf_init(&j->body, &lc_alloc_malloc);
	reply_init(&j->reply);
	return j;
}

void
job_free(job *j)
{
	lc_buf_free(&j->context);
	lc_buf_free(&j->filters);
	lc_buf_free(&j->body);
	reply_clear(&j->reply);
	free(j);
}

void
job_submit(job *j)
{
	if (j->route->class == ROUTE_SLOW)
		dbslow_submit(j);
	else if (j->route->class == ROUTE_APPEND && loop_append(j->loop) != NULL)
		dbappend_submit(loop_append(j->loop), j);
	else if (j->route->class == ROUTE_QUICK && loop_pipe(j->loop) != NULL)
		dbpipe_submit(loop_pipe(j->loop), j);
	else
		job_refuse(j, "internal", NULL);
}

/* In the loop's thread. */
static void
over(void *arg)
{
	job		   *j = arg;
	request    *r = j->request;

	if (r != NULL)
	{
		r->job = NULL;
		if (!j->streaming)
		{
			reply_clear(&r->reply);
			r->reply = j->reply;
			reply_init(&j->reply);
			request_ready(r);
		}
	}
	job_free(j);
}

void
job_done(job *j)
{
	if (loop_current() == j->loop)
		over(j);
	else
	{
		j->call = (loop_call) {over, j, NULL};
		loop_post(j->loop, &j->call);
	}
}

void
job_refuse(job *j, const char *code, const char *format, ...)
{
	problem		p;

	problem_set(&p, code, NULL);
	if (format != NULL)
	{
		va_list		args;

		va_start(args, format);
		vsnprintf(p.detail, sizeof(p.detail), format, args);
		va_end(args);
	}
	problem_reply(&j->reply, &p, j->path, j->trace_id);
	job_done(j);
}

bool
job_abandoned(const job *j)
{
	return atomic_load_explicit(&j->abandoned, memory_order_relaxed);
}
