/*
 * commit.c
 *		Pipelined commit: the chain's lock is not held through the WAL flush.
 *
 * An appending transaction commits asynchronously, gives its locks back, and
 * then flushes up to its own commit record before the client is answered.  So
 * the next appender of a hot chain computes while this one waits for the disk,
 * and their flushes merge.  What is acknowledged is durable all the same.
 *
 * How, and why so:
 * - The link trigger only sets a flag.  At PRE_COMMIT the C variable
 *   synchronous_commit is saved and set to off; COMMIT, ABORT and PREPARE
 *   restore it.  Setting the GUC in the trigger would be undone by ROLLBACK TO.
 * - The flush happens in a resource-release callback in the phase after locks,
 *   only when top-level, committing and armed by this very commit.  It
 *   allocates nothing and raises nothing: after commit an error is a PANIC.
 *   XactLastCommitEnd is the end of our own commit record.
 * - With synchronous standbys the mode steps aside: the wait for them is inside
 *   the server's own commit path.  Standbys that were named after PRE_COMMIT
 *   looked (this backend has not re-read its configuration) are waited for here.
 * - Whoever answers with another transaction's event first waits until that
 *   one is durable (ledger_wait_durable): visible is not yet flushed.  Who is to
 *   testify to it also waits until the standbys have it (ledger_wait_replicated).
 */
#include "ledger.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "replication/message.h"
#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "utils/resowner.h"
#include "utils/wait_event.h"

static bool appended = false;	/* this transaction linked a row */
static bool swapped = false;	/* synchronous_commit is ours until the end */
static bool flush_armed = false;	/* this commit owes a flush */
static int	saved_synchronous_commit;

/* Called by the link trigger for each row; stays set if the row is rolled back, which costs a flush and no more. */
void
ledger_commit_arm(void)
{
	appended = true;
}

static bool
standbys_configured(void)
{
	return SyncRepStandbyNames != NULL && SyncRepStandbyNames[0] != '\0';
}

static void
set_level(int level)
{
	saved_synchronous_commit = synchronous_commit;
	synchronous_commit = level;
	swapped = true;
}

static void
before_commit(void)
{
	bool		wants_async = synchronous_commit == SYNCHRONOUS_COMMIT_OFF;

	if (wants_async && ledger_allow_lossy_append)
		return;
	if (standbys_configured() || !ledger_pipelined_commit)
	{
		/*
		 * A session that asked for no flush still gets its appends flushed.  Not
		 * SYNCHRONOUS_COMMIT_ON: the queue in which the server waits for standbys
		 * was chosen when the setting was assigned, and for off there is none.
		 */
		if (wants_async)
			set_level(SYNCHRONOUS_COMMIT_LOCAL_FLUSH);
		return;
	}
	set_level(SYNCHRONOUS_COMMIT_OFF);
	flush_armed = true;
}

static void
restore_level(void)
{
	if (swapped)
		synchronous_commit = saved_synchronous_commit;
	swapped = false;
}

static void
commit_xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			if (appended)
				before_commit();
			break;
		case XACT_EVENT_COMMIT:
			restore_level();
			appended = false;
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			restore_level();
			appended = false;
			flush_armed = false;
			break;
		default:
			break;
	}
}

/* After the locks are gone, before the client hears of the commit. */
static void
commit_release_callback(ResourceReleasePhase phase, bool is_commit, bool is_top_level, void *arg)
{
	if (!flush_armed || phase != RESOURCE_RELEASE_AFTER_LOCKS || !is_commit || !is_top_level)
		return;
	flush_armed = false;
	XLogFlush(XactLastCommitEnd);

	/*
	 * Returns at once unless standbys appeared meanwhile and the session's own
	 * level asks for them.  Then it waits as the server's own commit would: after
	 * the commit record, with interrupts held.
	 */
	SyncRepWaitForLSN(XactLastCommitEnd, true);
}

void
ledger_commit_init(void)
{
	RegisterXactCallback(commit_xact_callback, NULL);
	RegisterResourceReleaseCallback(commit_release_callback, NULL);
}

/*
 * Wait until the transaction that wrote a row is durable.  Its commit record's
 * position is known as long as it may matter; invalid means flushed long ago.
 * Not the insert position: at a page boundary XLogFlush would raise an error.
 *
 * Frozen does not mean durable: VACUUM may freeze a row as soon as its
 * transaction is visible, which here is before the flush.  The log record of the
 * freezing follows the commit record, and the page carries its position.
 */
void
ledger_wait_durable(const RowOrigin *origin)
{
	XLogRecPtr	lsn = origin->frozen_lsn;

	if (TransactionIdIsNormal(origin->xmin))
	{
		if (TransactionIdIsCurrentTransactionId(origin->xmin))
			return;
		lsn = TransactionIdGetCommitLSN(origin->xmin);
	}
	if (!XLogRecPtrIsInvalid(lsn))
		XLogFlush(lsn);
}

/*
 * Wait until everything visible now is durable, where it is not known which
 * transaction was met.  Its commit record lies before whatever is logged now, so
 * an empty message, which every reader of the log skips, marks the place.  A
 * standby sees nothing that its primary has not flushed.
 */
void
ledger_wait_durable_all(void)
{
	if (!RecoveryInProgress())
		XLogFlush(ledger_log_message("findings_ledger", "", 0));
}

/* Have the synchronous standbys flushed the log up to here, or are there none? */
static bool
replicated(XLogRecPtr lsn)
{
	bool		done;

	LWLockAcquire(SyncRepLock, LW_SHARED);

	/*
	 * What the checkpointer has made of synchronous_standby_names, because a
	 * backend that waits cannot read its configuration again.  Older minor
	 * releases keep it as a boolean.
	 */
#ifdef SYNC_STANDBY_DEFINED
	done = (WalSndCtl->sync_standbys_status & SYNC_STANDBY_INIT) != 0 ?
		(WalSndCtl->sync_standbys_status & SYNC_STANDBY_DEFINED) == 0 : !standbys_configured();
#else
	done = !WalSndCtl->sync_standbys_defined;
#endif
	done = done || WalSndCtl->lsn[SYNC_REP_WAIT_FLUSH] >= lsn;
	LWLockRelease(SyncRepLock);
	return done;
}

/*
 * Wait until the synchronous standbys, if any are configured, have everything
 * that is durable here.  What a session with synchronous_commit = local wrote, or
 * one that cancelled its wait, is visible before they have it, and a fail-over
 * would take it back.  The waiter's own synchronous_commit does not matter.
 *
 * Not SyncRepWaitForLSN(): a cancelled wait there is a warning, as after a
 * commit, and here it must be an error.  Nobody wakes those who stand outside its
 * queue, so this one looks again, at most every tenth of a second.
 */
void
ledger_wait_replicated(void)
{
	XLogRecPtr	target;
	long		delay = 1;

	if (max_wal_senders == 0 || RecoveryInProgress())
		return;
	target = ledger_flush_position();
	while (!replicated(target))
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, delay,
						 WAIT_EVENT_SYNC_REP);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		delay = Min(delay * 2, 100);
	}
}
