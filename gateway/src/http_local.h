/*
 * http_local.h
 *		Handlers of the routes that need no database: the index, the OpenAPI
 *		document, the page of a problem.  (Health: probe.h, metrics: prom.h.)
 */
#ifndef GATEWAY_HTTP_LOCAL_H
#define GATEWAY_HTTP_LOCAL_H

struct request;

extern void local_index(struct request *r);		/* GET / */
extern void local_openapi(struct request *r);	/* GET /openapi.yaml */
extern void local_problem(struct request *r);	/* GET /problems/{code} */

#endif
