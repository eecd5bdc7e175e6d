/*
 * work.h
 *		Slow routes that need more than one SQL function: exports are
 *		streamed, attachments encrypted.
 */
#ifndef GATEWAY_WORK_H
#define GATEWAY_WORK_H

#include "dbslow.h"

extern void export_findings(job *j, dbslow_conn *c);	/* GET /ledger/export/findings */

extern void attachment_store(job *j, dbslow_conn *c);	/* POST …/attachments */
extern void attachment_read(job *j, dbslow_conn *c);	/* GET …/attachments/{attachmentId} */
extern void attachment_link(job *j, dbslow_conn *c);	/* POST …/attachments/{attachmentId}/link */
extern void attachment_push(job *j, dbslow_conn *c);	/* POST …/attachments/{attachmentId}/push */

#endif
