/*
 * notify.h
 *		What systemd is told (sd_notify(3)), if it asks: NOTIFY_SOCKET is set.
 */
#ifndef GATEWAY_NOTIFY_H
#define GATEWAY_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1" …; several are separated by newlines. */
extern void notify(const char *state);

/* RELOADING=1 with the time that Type=notify-reload wants. */
extern void notify_reloading(void);

/* How often WATCHDOG=1 is expected, in milliseconds; 0: not at all. */
extern int64_t notify_watchdog(void);

#endif
