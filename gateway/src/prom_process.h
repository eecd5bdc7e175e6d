/*
 * prom_process.h
 *		The process_… metrics, as every Prometheus client has them, from /proc.
 */
#ifndef GATEWAY_PROM_PROCESS_H
#define GATEWAY_PROM_PROCESS_H

#include "prom_set.h"

extern void prom_add_process(prom_set *s);

#endif
