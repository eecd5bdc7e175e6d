/*
 * words.c
 *		The one mapping of status, severity and risk words
 *		(docs/projection.md).
 */
#include "ledger.h"

typedef struct Word
{
	const char *word;
	const char *means;
} Word;

static const Word status_words[] = {
	{"affected", "affected"},
	{"new", "affected"},
	{"open", "affected"},
	{"reopened", "affected"},
	{"under_investigation", "affected"},
	{"triaged", "triaged"},
	{"acknowledged", "triaged"},
	{"in_progress", "in_progress"},
	{"target_fix", "in_progress"},
	{"accepted_risk", "accepted_risk"},
	{"accept_risk", "accepted_risk"},
	{"suppressed", "accepted_risk"},
	{"verified", "verified"},
	{"verify_fix", "verified"},
	{"resolved", "resolved"},
	{"closed", "resolved"},
	{"fixed", "resolved"},
	{"remediated", "resolved"},
	{"dismissed", "resolved"},
	{"false_positive", "resolved"},
	{"not_affected", "resolved"},
	{NULL, NULL}
};

/* A severity word stands for the lowest score of its CVSS v3 band. */
static const Word severity_words[] = {
	{"none", "0"},
	{"informational", "0"},
	{"low", "0.1"},
	{"medium", "4"},
	{"moderate", "4"},
	{"high", "7"},
	{"critical", "9"},
	{NULL, NULL}
};

static const Word risk_words[] = {
	{"critical", "critical"},
	{"high", "high"},
	{"medium", "medium"},
	{"low", "low"},
	{"informational", "informational"},
	{NULL, NULL}
};

/* ASCII lower case, with '-' and ' ' as '_', compared with one word. */
static bool
word_matches(const char *word, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		char		c = s[i];

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		else if (c == '-' || c == ' ')
			c = '_';
		if (word[i] == '\0' || word[i] != c)
			return false;
	}
	return word[n] == '\0';
}

static const char *
find_word(const Word *words, const char *s, size_t n)
{
	for (; words->word != NULL; words++)
		if (word_matches(words->word, s, n))
			return words->means;
	return NULL;
}

/* The status a word stands for; never NULL. */
const char *
ledger_status_word(const char *s, size_t n)
{
	const char *means = find_word(status_words, s, n);

	return means != NULL ? means : "unknown";
}

/* The score, as decimal text, that a severity word stands for, or NULL. */
const char *
ledger_severity_word(const char *s, size_t n)
{
	return find_word(severity_words, s, n);
}

/* The risk band that a word names, or NULL. */
const char *
ledger_risk_word(const char *s, size_t n)
{
	return find_word(risk_words, s, n);
}

/* The risk band of a score from 0 to 100. */
const char *
ledger_risk_band(double score)
{
	if (score >= 90)
		return "critical";
	if (score >= 70)
		return "high";
	if (score >= 40)
		return "medium";
	if (score >= 10)
		return "low";
	return "informational";
}
