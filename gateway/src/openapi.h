/*
 * openapi.h
 *		gateway/openapi.yaml, in the program: the Makefile makes openapi.c of it.
 */
#ifndef GATEWAY_OPENAPI_H
#define GATEWAY_OPENAPI_H

#include <stddef.h>

extern const unsigned char openapi_document[];
extern const size_t openapi_document_size;
extern const char openapi_tag[];	/* as ETag has it: from its digest, for two builds may be of one release */

#endif
