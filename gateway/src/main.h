/*
 * main.h
 *		What main.c calls besides the parts of the gateway: things that are
 *		done instead of serving.
 */
#ifndef GATEWAY_MAIN_H
#define GATEWAY_MAIN_H

#include <stdbool.h>

/* --ready: asks the gateway that runs with these settings; 0 if it is ready. */
extern int	ready_ask(void);

/* --print-settings-reference: docs/reference/gateway-settings.md. */
extern void config_print_reference(void);

/* --print-routes: the table of routes as JSON. */
extern bool routes_print(void);

/* Serve until a signal ends it; the exit status. */
extern int	serve(void);

#endif
