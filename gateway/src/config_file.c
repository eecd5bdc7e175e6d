/*
 * config_file.c
 *		Settings from a file of JSON, in the layout of .NET's appsettings.json:
 *
 *		{"Ledger": {"Db": {"ConnectionString": "…"}, "Http": {"Loops": 2}}}
 *
 * Names are of any case, ":" in a name nests as well.  Members beside "Ledger"
 * are other programs'.  A list may be an array of strings instead of one
 * string with ";" in it.
 *
 * The file may hold secrets, so what was read of it is wiped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config_internal.h"
#include "lc_jsontree.h"
#include "wipe.h"

#define MAX_FILE (1024 * 1024)
#define MAX_PATH 200

typedef struct walk
{
	config_texts *texts;
	const char *file;
} walk;

/* "/app/appsettings.json: Ledger:Db:ConnectionString" */
static void
take(walk *w, const char *path, const char *value, size_t n)
{
	char		source[MAX_PATH + 300],
				name[MAX_PATH * 2];
	size_t		used = 0;

	snprintf(source, sizeof(source), "%.200s: %s", w->file, path);
	if (strlen(value) != n)
	{
		config_error(w->texts, "%s: a NUL character", source);
		return;
	}
	for (const char *p = path + strlen("Ledger:"); *p != '\0'; p++)
	{
		name[used++] = *p == ':' ? '_' : *p;
		if (*p == ':')
			name[used++] = '_';
	}
	name[used] = '\0';
	config_take(w->texts, name, value, CONFIG_RANK_FILE, source);
}

static void
take_list(walk *w, const char *path, const lc_json *array)
{
	lc_buf		list;

	lc_buf_init(&list, &wiping_alloc);
	for (const lc_json *item = array->child; item != NULL; item = item->next)
	{
		if (item->type != LC_JSON_STRING || memchr(item->text.s, ';', item->text.n) != NULL)
			config_error(w->texts, "%.200s: %s must be strings without \";\"", w->file, path);
		lc_buf_append(&list, item->text.s, item->text.n);
		lc_buf_puts(&list, item->next != NULL ? ";" : "");
	}
	if (list.status != LC_OK)
		config_error(w->texts, "%.200s: out of memory", w->file);
	else
		take(w, path, list.data != NULL ? list.data : "", list.len);
	lc_buf_free(&list);
}

static void
visit(walk *w, const char *path, const lc_json *value)
{
	lc_buf		text;

	switch (value->type)
	{
		case LC_JSON_NULL:
			return;
		case LC_JSON_BOOLEAN:
			take(w, path, value->boolean ? "true" : "false", value->boolean ? 4 : 5);
			return;
		case LC_JSON_ARRAY:
			take_list(w, path, value);
			return;
		case LC_JSON_STRING:
		case LC_JSON_NUMBER:
			lc_buf_init(&text, &wiping_alloc);
			lc_buf_append(&text, value->text.s, value->text.n);
			lc_buf_putc(&text, '\0');
			if (text.status == LC_OK)
				take(w, path, text.data, value->text.n);
			else
				config_error(w->texts, "%.200s: out of memory", w->file);
			lc_buf_free(&text);
			return;
		case LC_JSON_OBJECT:
			for (const lc_json *member = value->child; member != NULL; member = member->next)
			{
				char		inner[MAX_PATH];

				/* No setting has so long a name: cut, it is unknown. */
				snprintf(inner, sizeof(inner), "%s:%.*s", path, (int) member->key.n, member->key.s);
				visit(w, inner, member);
			}
			return;
	}
}

void
config_read_file(config_texts *t, const char *path)
{
	walk		w = {t, path};
	size_t		n;
	char	   *text = config_slurp(t, path, "the settings file", MAX_FILE, &n);
	lc_jsontree *tree;
	lc_json_error err;

	if (text == NULL)
		return;
	if (lc_jsontree_parse(text, n, 16, &wiping_alloc, &tree, &err) != LC_OK)
		config_error(t, "%.200s: line %zu, column %zu: %s", path, err.line, err.column, lc_status_text(err.status));
	else
	{
		const lc_json *root = lc_jsontree_root(tree);

		if (root->type != LC_JSON_OBJECT)
			config_error(t, "%.200s: not an object like {\"Ledger\": {…}}", path);
		for (const lc_json *m = root->child; m != NULL && root->type == LC_JSON_OBJECT; m = m->next)
		{
			char		name[MAX_PATH];

			snprintf(name, sizeof(name), "%.*s", (int) m->key.n, m->key.s);
			if (strcasecmp(name, "Ledger") == 0 && m->type != LC_JSON_OBJECT)
				config_error(t, "%.200s: %s must be an object", path, name);
			else if (strcasecmp(name, "Ledger") == 0 || strncasecmp(name, "Ledger:", 7) == 0)
				visit(&w, name, m);
		}
		if (t->file_has_secret)
			config_check_private(t, path, "the settings file");
		lc_jsontree_free(tree);
	}
	wipe_free(text);
}
