/*
 * fault.h
 *		Why something failed, as one English sentence for a message.
 *
 * Who finds the failure writes the sentence and returns false; who called
 * either passes both on or says where it happened with fault_at().
 */
#ifndef GATEWAY_FAULT_H
#define GATEWAY_FAULT_H

#include <stdbool.h>

typedef struct fault
{
	char		text[1024];
} fault;

/* Both return false, so that a failure is one statement. */
extern bool fault_set(fault *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern bool fault_at(fault *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
