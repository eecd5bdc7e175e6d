/*
 * anchor_file.h
 *		One anchor as it lies in a directory: a signed checkpoint and the signed
 *		statement of the same head, judged each by itself and against each
 *		other.
 */
#ifndef LEDGERCTL_ANCHOR_FILE_H
#define LEDGERCTL_ANCHOR_FILE_H

#include "lc_statement.h"
#include "trust.h"

/* Both names are borrowed from the text of the checkpoint or of the statement: copied here. */
typedef struct anchor_file
{
	char	   *path;			/* of the file that messages name */
	char	   *log;			/* the origin line up to the tenant; "" without checkpoint */
	char	   *tenant;
	uint8_t		chain_id[LC_UUID_LEN];
	uint64_t	size;
	uint8_t		root[LC_HASH_LEN];
	bool		has_statement;
	uint64_t	start;			/* the rest is the statement's */
	uint8_t		previous_root[LC_HASH_LEN];	/* zeros in a chain's first */
} anchor_file;

/* The checkpoint's text; fills in the head. */
extern cli_exit anchor_add_checkpoint(anchor_file *a, const char *where, lc_str note, const trust *t);

/*
 * The DSSE envelope's JSON.  If a has a head already, both must say the same;
 * else the head is the statement's.
 */
extern cli_exit anchor_add_statement(anchor_file *a, const char *where, lc_str json, const trust *t);
extern void anchor_file_free(anchor_file *a);

/* By log, tenant, chain and size. */
extern int	anchor_file_compare(const void *a, const void *b);
extern bool anchor_same_chain(const anchor_file *a, const anchor_file *b);

/* b follows a in the order above, in one chain: does it continue it? */
extern cli_exit anchor_check_succession(const anchor_file *a, const anchor_file *b);

#endif
