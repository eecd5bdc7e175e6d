/*
 * connstring.c
 *		The .NET form: keyword=value pairs separated by ";", as .NET's
 *		DbConnectionStringBuilder reads them, with the keywords of Npgsql.
 *
 * Keywords are of any case, with or without blanks in them.  A value may stand
 * in quotes, single or double, in which that quote is doubled; otherwise blanks
 * around it do not count.  Of a keyword that is given twice the last holds.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "connstring.h"

#define MAX_KEYWORD 48

typedef enum kind
{
	PLAIN,						/* the value as it is */
	LOWER,						/* in lower case: Require -> require */
	SSL_MODE,
	SEARCH_PATH,				/* into "options" */
	IGNORED						/* about pooling or the client library */
} kind;

static const struct keyword
{
	const char *name;			/* lower case, without blanks */
	const char *libpq;
	kind		kind;
}			keywords[] = {
	{"host", "host", PLAIN}, {"server", "host", PLAIN},
	{"port", "port", PLAIN},
	{"database", "dbname", PLAIN}, {"db", "dbname", PLAIN},
	{"username", "user", PLAIN}, {"userid", "user", PLAIN}, {"uid", "user", PLAIN}, {"user", "user", PLAIN},
	{"password", "password", PLAIN}, {"pwd", "password", PLAIN}, {"psw", "password", PLAIN},
	{"passfile", "passfile", PLAIN},
	{"sslmode", "sslmode", SSL_MODE},
	{"rootcertificate", "sslrootcert", PLAIN},
	{"sslcertificate", "sslcert", PLAIN}, {"sslkey", "sslkey", PLAIN}, {"sslpassword", "sslpassword", PLAIN},
	{"channelbinding", "channel_binding", LOWER},
	{"kerberosservicename", "krbsrvname", PLAIN},
	{"targetsessionattributes", "target_session_attrs", LOWER},
	{"timeout", "connect_timeout", PLAIN},
	{"applicationname", "application_name", PLAIN},
	{"searchpath", "options", SEARCH_PATH},
	{"pooling", NULL, IGNORED}, {"minpoolsize", NULL, IGNORED}, {"minimumpoolsize", NULL, IGNORED},
	{"maxpoolsize", NULL, IGNORED}, {"maximumpoolsize", NULL, IGNORED},
	{"connectionlifetime", NULL, IGNORED}, {"connectionidlelifetime", NULL, IGNORED},
	{"connectionpruninginterval", NULL, IGNORED}, {"loadbalancehosts", NULL, IGNORED},
	{"hostrecheckseconds", NULL, IGNORED}, {"enlist", NULL, IGNORED}, {"noresetonclose", NULL, IGNORED},
	{"multiplexing", NULL, IGNORED}, {"writecoalescingbufferthresholdbytes", NULL, IGNORED},
	{"maxautoprepare", NULL, IGNORED}, {"autoprepareminusages", NULL, IGNORED},
	{"readbuffersize", NULL, IGNORED}, {"writebuffersize", NULL, IGNORED},
	{"socketreceivebuffersize", NULL, IGNORED}, {"socketsendbuffersize", NULL, IGNORED},
	{"persistsecurityinfo", NULL, IGNORED}, {"includeerrordetail", NULL, IGNORED},
	{"includeerrordetails", NULL, IGNORED}, {"logparameters", NULL, IGNORED},
	{"loadtablecomposites", NULL, IGNORED}, {"servercompatibilitymode", NULL, IGNORED},
	{"arraynullabilitymode", NULL, IGNORED}, {"trustservercertificate", NULL, IGNORED},
	{"checkcertificaterevocation", NULL, IGNORED},
	{"commandtimeout", NULL, IGNORED}, {"internalcommandtimeout", NULL, IGNORED},
	{"cancellationtimeout", NULL, IGNORED}, {"keepalive", NULL, IGNORED}, {"tcpkeepalive", NULL, IGNORED},
	{"tcpkeepalivetime", NULL, IGNORED}, {"tcpkeepaliveinterval", NULL, IGNORED},
	{"encoding", NULL, IGNORED}, {"clientencoding", NULL, IGNORED}, {"timezone", NULL, IGNORED},
};

#define KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

/* A pair of the text; the value is still quoted if it was. */
typedef struct pair
{
	lc_str		name;
	lc_str		value;
	const struct keyword *keyword;	/* NULL: not known */
} pair;

static const struct keyword *
find(lc_str name)
{
	char		squeezed[MAX_KEYWORD];
	size_t		n = 0;

	for (size_t i = 0; i < name.n; i++)
	{
		if (name.s[i] == ' ')
			continue;
		if (n == sizeof(squeezed) - 1)
			return NULL;
		squeezed[n++] = (char) tolower((unsigned char) name.s[i]);
	}
	squeezed[n] = '\0';
	for (size_t i = 0; i < KEYWORDS; i++)
		if (strcmp(keywords[i].name, squeezed) == 0)
			return &keywords[i];
	return NULL;
}

static lc_str
trim(const char *s, const char *end)
{
	while (s < end && isspace((unsigned char) *s))
		s++;
	while (end > s && isspace((unsigned char) end[-1]))
		end--;
	return (lc_str) {s, (size_t) (end - s)};
}

/* Behind a value in quotes, or NULL if they do not end. */
static const char *
skip_quoted(const char *p)
{
	char		quote = *p++;

	for (;; p++)
	{
		if (*p == '\0')
			return NULL;
		if (*p == quote && p[1] == quote)
			p++;
		else if (*p == quote)
			return p + 1;
	}
}

/* The next pair; false at the end, or with a fault. */
static bool
next_pair(const char **text, pair *out, fault *f)
{
	const char *p = *text,
			   *start;

	f->text[0] = '\0';
	while (*p == ';' || isspace((unsigned char) *p))
		p++;
	if (*p == '\0')
		return false;
	start = p;
	while (*p != '\0' && *p != '=' && *p != ';')
		p++;
	if (*p != '=')
		return fault_set(f, "there is a part without \"=\"");
	out->name = trim(start, p);
	out->keyword = find(out->name);
	for (p++; *p == ' ' || *p == '\t'; p++)
		;
	start = p;
	if (*p == '"' || *p == '\'')
	{
		p = skip_quoted(p);
		if (p == NULL)
			return fault_set(f, "the value of %.*s has no closing quote", (int) (out->name.n < 40 ? out->name.n : 40),
							 out->name.s);
		out->value = (lc_str) {start, (size_t) (p - start)};
		p += strspn(p, " \t\r\n");
		if (*p != '\0' && *p != ';')
			return fault_set(f, "there is text behind the quoted value of %.*s",
							 (int) (out->name.n < 40 ? out->name.n : 40), out->name.s);
	}
	else
	{
		p += strcspn(p, ";");
		out->value = trim(start, p);
	}
	*text = p;
	return true;
}

/* ---- which form is it ---- */

static bool
is_uri(const char *text)
{
	return strncmp(text, "postgresql://", 13) == 0 || strncmp(text, "postgres://", 11) == 0;
}

/*
 * libpq's keywords are lower case and separated by blanks; what they are set to
 * may contain ";".  So it is the other form if some part behind a ";" begins
 * like a pair of it, or if the first keyword is none of libpq's but one of it.
 */
static bool
is_dotnet(const char *text)
{
	const char *rest = text;
	pair		p;
	fault		f;
	bool		first = true;

	while (next_pair(&rest, &p, &f))
	{
		/* A libpq keyword that is spelt alike in both: host, port, user, password … */
		bool		same = p.keyword != NULL && p.keyword->libpq != NULL &&
			strlen(p.keyword->libpq) == p.name.n && memcmp(p.keyword->libpq, p.name.s, p.name.n) == 0;

		if (p.keyword != NULL && (!first || !same))
			return true;
		first = false;
	}
	return false;
}

/* ---- the values ---- */

/* One character of a value without its quotes; *at moves. */
static bool
value_char(lc_str value, size_t *at, char *c)
{
	bool		quoted = value.n > 0 && (value.s[0] == '"' || value.s[0] == '\'');
	size_t		end = quoted ? value.n - 1 : value.n;

	if (quoted && *at == 0)
		*at = 1;
	if (*at >= end)
		return false;
	*c = value.s[*at];
	*at += quoted && *c == value.s[0] ? 2 : 1;
	return true;
}

/* For libpq: in single quotes, in which \ and ' get a \ before them. */
static void
put_char(lc_buf *out, char c)
{
	if (c == '\'' || c == '\\')
		lc_buf_putc(out, '\\');
	lc_buf_putc(out, c);
}

static bool
put_ssl_mode(lc_buf *out, lc_str value, fault *f)
{
	static const char *const modes[][2] = {
		{"disable", "disable"}, {"allow", "allow"}, {"prefer", "prefer"}, {"require", "require"},
		{"verifyca", "verify-ca"}, {"verify-ca", "verify-ca"}, {"verifyfull", "verify-full"},
		{"verify-full", "verify-full"}
	};
	char		text[16],
				c;
	size_t		n = 0;

	for (size_t at = 0; value_char(value, &at, &c) && n < sizeof(text) - 1;)
		text[n++] = c;
	text[n] = '\0';
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcasecmp(text, modes[i][0]) == 0)
		{
			lc_buf_puts(out, modes[i][1]);
			return true;
		}
	return fault_set(f, "SSL Mode must be Disable, Allow, Prefer, Require, VerifyCA or VerifyFull");
}

static bool
put_value(lc_buf *out, const struct keyword *k, lc_str value, fault *f)
{
	char		c;

	if (k->kind == SSL_MODE)
		return put_ssl_mode(out, value, f);
	if (k->kind == SEARCH_PATH)
		lc_buf_puts(out, "-c search_path=");
	for (size_t at = 0; value_char(value, &at, &c);)
	{
		/* In "options" a blank ends an argument unless a \ is before it. */
		if (k->kind == SEARCH_PATH && (c == ' ' || c == '\\'))
			put_char(out, '\\');
		put_char(out, k->kind == LOWER ? (char) tolower((unsigned char) c) : c);
	}
	return true;
}

static bool
convert(const char *text, lc_buf *out, lc_buf *ignored, fault *f)
{
	lc_str		values[KEYWORDS] = {{NULL, 0}};
	pair		p;

	while (next_pair(&text, &p, f))
	{
		if (p.keyword == NULL)
			return fault_set(f, "there is no keyword \"%.*s\"", (int) (p.name.n < 40 ? p.name.n : 40), p.name.s);
		if (p.keyword->kind != IGNORED)
		{
			/* Synonyms are one keyword: the last of them holds. */
			for (size_t i = 0; i < KEYWORDS; i++)
				if (keywords[i].libpq != NULL && strcmp(keywords[i].libpq, p.keyword->libpq) == 0)
					values[i] = (lc_str) {NULL, 0};
			values[p.keyword - keywords] = p.value;
		}
		else if (ignored != NULL)
		{
			lc_buf_puts(ignored, ignored->len > 0 ? ", " : "");
			lc_buf_append(ignored, p.name.s, p.name.n);
		}
	}
	if (f->text[0] != '\0')
		return false;
	for (size_t i = 0; i < KEYWORDS; i++)
	{
		/* An empty value is the same as none, in .NET. */
		if (values[i].n == 0)
			continue;
		lc_buf_puts(out, out->len > 0 ? " " : "");
		lc_buf_puts(out, keywords[i].libpq);
		lc_buf_puts(out, "='");
		if (!put_value(out, &keywords[i], values[i], f))
			return false;
		lc_buf_putc(out, '\'');
	}
	return true;
}

bool
connstring_libpq(const char *text, lc_buf *out, lc_buf *ignored, fault *f)
{
	f->text[0] = '\0';
	text += strspn(text, " \t\r\n");
	if (is_uri(text) || !is_dotnet(text))
		lc_buf_puts(out, text);
	else if (!convert(text, out, ignored, f))
		return false;
	return out->status == LC_OK || fault_set(f, "out of memory");
}
