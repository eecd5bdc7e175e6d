/*
 * egress.h
 *		Where attachments may be pushed to.
 */
#ifndef GATEWAY_EGRESS_H
#define GATEWAY_EGRESS_H

#include "fault.h"

/*
 * allow and list as LEDGER__ATTACHMENTS__ALLOWEGRESS and …EGRESSALLOWLIST: hosts,
 * each with a port if it is not 443, separated by ";".  A host is matched exactly,
 * without resolving anything.  False: f says why not.
 */
extern bool egress_allowed(const char *url, bool allow, const char *list, fault *f);

#endif
