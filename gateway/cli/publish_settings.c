/*
 * publish_settings.c
 *		Which external anchors there are: LEDGER__EXTERNALANCHORING__….
 *
 * Nothing is enabled by default, and with ENABLED=false nothing else is even
 * looked at: no directory is opened and nobody is called.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"
#include "publish.h"

#define SECTION "EXTERNALANCHORING__"

static cli_exit
wrong(const char *name, const char *value, const char *wanted)
{
	return cli_error(CLI_USAGE, "LEDGER__" SECTION "%s must be %s, not \"%s\"", name, wanted, value);
}

static const char *
section(const char *name)
{
	char		key[96];

	snprintf(key, sizeof(key), SECTION "%s", name);
	return setting(key);
}

static cli_exit
read_enabled(bool *out)
{
	const char *value = section("ENABLED");

	*out = value != NULL && strcasecmp(value, "true") == 0;
	if (value == NULL || *out || strcasecmp(value, "false") == 0)
		return CLI_GOOD;
	return wrong("ENABLED", value, "true or false");
}

static cli_exit
read_policy(const char *name, anchor_policy *out)
{
	static const char *const words[] = {"off", "best-effort", "required"};
	const char *value = section(name);

	*out = ANCHOR_OFF;
	if (value == NULL)
		return CLI_GOOD;
	for (size_t i = 0; i < 3; i++)
		if (strcasecmp(value, words[i]) == 0)
		{
			*out = (anchor_policy) i;
			return CLI_GOOD;
		}
	return wrong(name, value, "off, best-effort or required");
}

/* What a kind cannot do without. */
static cli_exit
need(const char *kind, const char *name, const char **out)
{
	*out = section(name);
	if (*out != NULL)
		return CLI_GOOD;
	return cli_error(CLI_USAGE, "LEDGER__" SECTION "%s is on and needs LEDGER__" SECTION "%s", kind, name);
}

static cli_exit
opened(const char *kind, bool good, const fault *f)
{
	return good ? CLI_GOOD : cli_error(CLI_USAGE, "LEDGER__" SECTION "%s: %s", kind, f->text);
}

static cli_exit
open_worm(external_anchor *a)
{
	const char *dir;
	fault		f;
	cli_exit	code = need("WORM", "WORMDIR", &dir);

	return code != CLI_GOOD ? code : opened("WORM", anchor_worm_open(a, dir, &f), &f);
}

static cli_exit
open_tsa(external_anchor *a)
{
	const char *url,
			   *ca_file;
	fault		f;
	cli_exit	code = need("TSA", "TSAURL", &url);

	if (code == CLI_GOOD)
		code = need("TSA", "TSACAFILE", &ca_file);
	if (code != CLI_GOOD)
		return code;
	return opened("TSA", anchor_tsa_open(a, url, ca_file, section("TSAPOLICY"), &f), &f);
}

static cli_exit
open_witness(external_anchor *a)
{
	const char *url,
			   *text;
	lc_verifier key;
	fault		f;
	cli_exit	code = need("WITNESS", "WITNESSURL", &url);

	if (code == CLI_GOOD)
		code = need("WITNESS", "WITNESSKEY", &text);
	if (code == CLI_GOOD)
		code = cli_key(text, &key);
	return code != CLI_GOOD ? code : opened("WITNESS", anchor_witness_open(a, url, &key, &f), &f);
}

static cli_exit
open_airgap(external_anchor *a)
{
	const char *dir,
			   *bundle;
	fault		f;
	cli_exit	code = need("AIRGAP", "AIRGAPDIR", &dir);

	if (code == CLI_GOOD)
		code = need("AIRGAP", "AIRGAPBUNDLE", &bundle);
	return code != CLI_GOOD ? code : opened("AIRGAP", anchor_airgap_open(a, dir, bundle, &f), &f);
}

static cli_exit
read_http(void)
{
	const char *value = section("TIMEOUT");
	char	   *end;

	http_settings.ca_file = section("HTTPSCAFILE");
	if (value == NULL)
		return CLI_GOOD;
	http_settings.timeout = strtol(value, &end, 10);
	if (*end != '\0' || http_settings.timeout < 1 || http_settings.timeout > 600)
		return wrong("TIMEOUT", value, "a number of seconds from 1 to 600");
	return CLI_GOOD;
}

/* What stays in place (a directory) before what has to be asked. */
static const struct
{
	const char *name;
	cli_exit	(*open) (external_anchor *a);
}			kinds[PUBLISH_MAX] = {
	{"WORM", open_worm}, {"AIRGAP", open_airgap}, {"TSA", open_tsa}, {"WITNESS", open_witness}
};

cli_exit
publishers_open(publishers *p)
{
	bool		enabled;
	cli_exit	code = read_enabled(&enabled);

	p->count = 0;
	if (code != CLI_GOOD || !enabled)
		return code;
	code = read_http();
	for (size_t i = 0; i < PUBLISH_MAX && code == CLI_GOOD; i++)
	{
		external_anchor *a = &p->anchors[p->count];

		code = read_policy(kinds[i].name, &a->policy);
		if (code == CLI_GOOD && a->policy != ANCHOR_OFF)
		{
			code = kinds[i].open(a);
			p->count += code == CLI_GOOD;
		}
	}
	if (code != CLI_GOOD)
		publishers_close(p);
	return code;
}

void
publishers_close(publishers *p)
{
	for (size_t i = 0; i < p->count; i++)
		p->anchors[i].close(&p->anchors[i]);
	p->count = 0;
}
