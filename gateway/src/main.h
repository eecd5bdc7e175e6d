/*
 * main.h
 *		What main.c calls besides the parts of the gateway: things that are
 *		done instead of serving.
 */
#ifndef GATEWAY_MAIN_H
#define GATEWAY_MAIN_H

/* --ready: asks the gateway that runs with these settings; 0 if it is ready. */
extern int	ready_ask(void);

/* --print-settings-reference: docs/reference/gateway-settings.md. */
extern void config_print_reference(void);

/* Serve until a signal ends it; the exit status. */
extern int	serve(void);

#endif
