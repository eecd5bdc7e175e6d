/*
 * listen.h
 *		Addresses to listen on, as LEDGER__HTTP__LISTEN and ASPNETCORE_URLS
 *		write them: http://127.0.0.1:8080, https://[::1]:8443, http://+:8080.
 */
#ifndef GATEWAY_LISTEN_H
#define GATEWAY_LISTEN_H

#include "fault.h"
#include "lc_buf.h"

typedef struct listen_address
{
	bool		https;
	bool		v6;
	char		host[46];		/* an IP address, without brackets */
	uint16_t	port;			/* 0: any free one */
} listen_address;

/*
 * Cuts the first off the list, which is separated by ";".  False with *f empty
 * at its end, else with what is wrong.  "*" and "+" become 0.0.0.0, localhost 127.0.0.1.
 */
extern bool listen_next(const char **list, listen_address *out, fault *f);

/* http://host:port */
extern void listen_format(lc_buf *out, const listen_address *a);

#endif
