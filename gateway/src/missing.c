/*
 * missing.c
 *		While the parts are being put together: weak definitions, so that the
 *		program links.  Whoever brings a part takes its lines out.
 */
#include "dbappend.h"
#include "dbpipe.h"
#include "http_local.h"
#include "link.h"
#include "log.h"
#include "loop.h"
#include "quota.h"
#include "request.h"
#include "stream.h"
#include "strict.h"
#include "work.h"

#define WEAK __attribute__((weak))

/* door */
WEAK bool loops_start(void) { return true; }
WEAK int loops_count(void) { return 0; }
WEAK loop *loops_at(int i) { (void) i; return NULL; }
WEAK const char *loops_listen(bool admin) { (void) admin; return ""; }
WEAK void loops_drain(void) {}
WEAK int loops_in_flight(void) { return 0; }
WEAK void loops_stop(void) {}
WEAK void loop_post(loop *l, loop_call *call) { (void) l; (void) call; }
WEAK void job_refuse(job *j, const char *code, const char *format, ...) { (void) j; (void) code; (void) format; }
WEAK void request_text(request *r, unsigned status, const char *content_type, const char *text, size_t n)
{ (void) r; (void) status; (void) content_type; (void) text; (void) n; }
WEAK void problem_set(problem *p, const char *code, const char *format, ...) { (void) p; (void) code; (void) format; }
WEAK void local_index(request *r) { (void) r; }
WEAK void local_openapi(request *r) { (void) r; }
WEAK void local_problem(request *r) { (void) r; }
WEAK int64_t loop_now(const loop *l) { (void) l; return 0; }
WEAK void loop_timer_set(loop *l, loop_timer *t, int64_t at) { (void) l; (void) t; (void) at; }
WEAK void loop_timer_end(loop *l, loop_timer *t) { (void) l; (void) t; }
WEAK void loop_watch_set(loop *l, loop_watch *w, int fd, uint32_t events) { (void) l; (void) w; (void) fd; (void) events; }
WEAK void loop_watch_end(loop *l, loop_watch *w) { (void) l; (void) w; }
WEAK void job_done(job *j) { (void) j; }
WEAK bool job_abandoned(const job *j) { (void) j; return false; }
WEAK void request_problem(request *r, const problem *p) { (void) r; (void) p; }
WEAK const char *request_header(const request *r, const char *name) { (void) r; (void) name; return NULL; }
WEAK const char *target_query(const target *t, const char *name) { (void) t; (void) name; return NULL; }
WEAK void reply_init(reply *r) { (void) r; }
WEAK void reply_clear(reply *r) { (void) r; }
WEAK void reply_header_set(reply *r, const char *name, const char *value) { (void) r; (void) name; (void) value; }
WEAK void reply_header_setf(reply *r, const char *name, const char *format, ...)
{ (void) r; (void) name; (void) format; }
WEAK const char *reply_header_get(const reply *r, const char *name) { (void) r; (void) name; return NULL; }
WEAK bool reply_headers_from_json(reply *r, const char *json, size_t n) { (void) r; (void) json; (void) n; return false; }
/* database */
/* work */
WEAK void export_findings(job *j, dbslow_conn *c) { (void) c; job_refuse(j, "internal", "no export yet"); }
