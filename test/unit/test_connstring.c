/*
 * test_connstring.c
 *		Connection strings in the form of .NET, and how they are told from libpq's.
 */
#include "connstring.h"
#include "harness.h"

static void
gives(const char *text, const char *expected)
{
	lc_buf		out;
	fault		f;
	bool		good;

	lc_buf_init(&out, &lc_alloc_malloc);
	good = connstring_libpq(text, &out, NULL, &f);
	ok(good && strcmp(out.data != NULL ? out.data : "", expected) == 0, "%s", text);
	if (!good || strcmp(out.data != NULL ? out.data : "", expected) != 0)
		printf("# %s %s\n", f.text, out.data != NULL ? out.data : "");
	lc_buf_free(&out);
}

static void
fails(const char *text, const char *reason)
{
	lc_buf		out;
	fault		f;

	lc_buf_init(&out, &lc_alloc_malloc);
	ok(!connstring_libpq(text, &out, NULL, &f) && strstr(f.text, reason) != NULL, "refused: %s", text);
	if (strstr(f.text, reason) == NULL)
		printf("# %s\n", f.text);
	ok(strstr(f.text, "hunter2") == NULL, "without a word of the password: %s", text);
	lc_buf_free(&out);
}

static void
test_forms(void)
{
	gives("postgresql://u:p@h:5432/d?sslmode=require", "postgresql://u:p@h:5432/d?sslmode=require");
	gives("postgres://h/d;x", "postgres://h/d;x");
	gives("host=h port=5432 dbname=d", "host=h port=5432 dbname=d");
	gives("host=h password=a;b dbname=d", "host=h password=a;b dbname=d");
	gives("user=u", "user=u");
	gives("", "");
	gives("service=ledger", "service=ledger");
	gives("Host=h", "host='h'");
	gives("Server=h", "host='h'");
	gives("host=h;port=5432", "host='h' port='5432'");
	gives("dbname=d host=h", "dbname=d host=h");
	gives("  Host=h", "host='h'");
}

static void
test_keywords(void)
{
	gives("Host=h;Port=6432;Database=d;Username=u;Password=p", "host='h' port='6432' dbname='d' user='u' password='p'");
	gives("Server=h;User Id=u;Pwd=p;DB=d", "host='h' dbname='d' user='u' password='p'");
	gives("SERVER=h;USER ID=u", "host='h' user='u'");
	gives("Host=h;UserId=u;", "host='h' user='u'");
	gives(";;Host = h ; Port = 1 ;;", "host='h' port='1'");
	gives("Host=a;Server=b", "host='b'");
	gives("Server=b;Host=a", "host='a'");
	gives("Host=h;Username=", "host='h'");
	gives("Host=h;Ssl Mode=VerifyFull;Root Certificate=/ca.pem",
		  "host='h' sslmode='verify-full' sslrootcert='/ca.pem'");
	gives("Host=h;SslMode=VerifyCA", "host='h' sslmode='verify-ca'");
	gives("Host=h;SSL Mode=Disable", "host='h' sslmode='disable'");
	gives("Host=h;SSL Mode=prefer", "host='h' sslmode='prefer'");
	gives("Host=h;Timeout=7;Application Name=my app", "host='h' connect_timeout='7' application_name='my app'");
	gives("Host=h;Search Path=a, b", "host='h' options='-c search_path=a,\\\\ b'");
	gives("Host=h;Target Session Attributes=Read-Write", "host='h' target_session_attrs='read-write'");
}

static void
test_quotes(void)
{
	gives("Host=h;Password=\"a;b\"", "host='h' password='a;b'");
	gives("Host=h;Password='a;b'", "host='h' password='a;b'");
	gives("Host=h;Password=\"a\"\"b'c\"", "host='h' password='a\"b\\'c'");
	gives("Host=h;Password='it''s'", "host='h' password='it\\'s'");
	gives("Host=h;Password=a=b", "host='h' password='a=b'");
	gives("Host=h;Password=a'b\\c", "host='h' password='a\\'b\\\\c'");
	gives("Host=h;Password=\"  x \" ; Port=1", "host='h' port='1' password='  x '");
	gives("Host=h;Password=\"\"", "host='h' password=''");
}

static void
test_refusals(void)
{
	fails("Host=h;Passwrd=hunter2", "Passwrd");
	fails("Host=h;Password=\"hunter2", "no closing quote");
	fails("Host=h;Password=\"hunter2\"x", "behind the quoted value");
	fails("Host=h;Port=1;hunter2", "without \"=\"");
	fails("Host=h;SSL Mode=hunter2", "SSL Mode must be");
	fails("Host=h;Integrated Security=true;Password=hunter2", "Integrated Security");
}

static void
test_ignored(void)
{
	lc_buf		out,
				ignored;
	fault		f;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_init(&ignored, &lc_alloc_malloc);
	ok(connstring_libpq("Host=h;Pooling=true;Maximum Pool Size=20;Password=p", &out, &ignored, &f),
	   "pooling is allowed");
	ok(strcmp(out.data, "host='h' password='p'") == 0, "and left out");
	ok(strcmp(ignored.data, "Pooling, Maximum Pool Size") == 0, "and named");
	lc_buf_free(&out);
	lc_buf_free(&ignored);
}

/* Every beginning of a string, and every failure of the allocator. */
static void
test_hostile(void)
{
	static const char text[] = "Host='h''x';Password=\"a\"\"b\" ;SSL Mode=VerifyFull;Search Path='a b';Pooling=x";
	char		cut[sizeof(text)];
	lc_buf		out;
	fault		f;

	for (size_t n = 0; n < sizeof(text); n++)
	{
		memcpy(cut, text, n);
		cut[n] = '\0';
		lc_buf_init(&out, &lc_alloc_malloc);
		connstring_libpq(cut, &out, NULL, &f);
		lc_buf_free(&out);
	}
	ok(true, "any beginning of one is read or refused");
}

int
main(void)
{
	test_forms();
	test_keywords();
	test_quotes();
	test_refusals();
	test_ignored();
	test_hostile();
	return done();
}
