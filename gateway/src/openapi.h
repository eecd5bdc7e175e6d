/*
 * openapi.h
 *		gateway/openapi.yaml, in the program: the Makefile makes openapi.c of it.
 */
#ifndef GATEWAY_OPENAPI_H
#define GATEWAY_OPENAPI_H

#include <stddef.h>

extern const unsigned char openapi_document[];
extern const size_t openapi_document_size;

#endif
