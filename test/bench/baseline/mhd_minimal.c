/*
 * mhd_minimal.c
 *		What libmicrohttpd does when nothing is asked of it: one thread of its
 *		own, one short answer, the same bytes for everybody.
 *
 * Prints the port that the system chose, and serves until it is ended.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum MHD_Result
answer(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
	   const char *upload_data, size_t *upload_data_size, void **request_cls)
{
	static char body[] = "{\"status\":\"live\"}";
	static int	seen;
	struct MHD_Response *response;
	enum MHD_Result result;

	(void) cls;
	(void) url;
	(void) method;
	(void) version;
	(void) upload_data;
	(void) upload_data_size;
	if (*request_cls == NULL)
	{
		*request_cls = &seen;
		return MHD_YES;
	}
	*request_cls = NULL;
	response = MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(response, "Content-Type", "application/json");
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

int
main(void)
{
	struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL,
												 answer, NULL, MHD_OPTION_END);

	if (daemon == NULL)
		return 1;
	printf("%d\n", (int) MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	for (;;)
		pause();
}
