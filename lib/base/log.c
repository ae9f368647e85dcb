/* SPDX-License-Identifier: Apache-2.0
 *
 * One line per event, written with one write(2) so that threads do not mix. The state here is the
 * one exception to "no globals": a log that has to be handed through every call is worse.
 */
#include "lib/base/log.h"

#include <sodium.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"

/* Longest line; the rest is cut. */
#define LINE_MAX_BYTES 4096

static const char *const levels[] = {"error", "warning", "info", "debug"};

static struct {
	GMutex lock;
	char *program;
	LogLevel level;
	gboolean hash;
	gboolean journal; /* the service manager reads priorities and adds the time */
	guint8 key[crypto_shorthash_KEYBYTES];
} state = {.level = LOG_LEVEL_INFO};

void log_open(const char *program, LogLevel level, gboolean hash_addresses, const char *salt)
{
	g_free(state.program);
	state.program = g_strdup(program);
	state.journal = g_getenv("JOURNAL_STREAM") != NULL;
	if (salt)
		crypto_generichash(state.key, sizeof(state.key), (const guint8 *)salt, strlen(salt),
				   NULL, 0);
	else
		randombytes_buf(state.key, sizeof(state.key));
	log_configure(level, hash_addresses);
}

gboolean log_read_level(const Conf *conf, LogLevel *level, GError **error)
{
	const char *wanted = conf_string(conf, "sealpost", "log_level");

	for (guint i = 0; i < G_N_ELEMENTS(levels); i++) {
		if (g_str_equal(wanted, levels[i])) {
			*level = (LogLevel)i;
			return TRUE;
		}
	}
	g_set_error(error, SEALPOST_ERROR, ERROR_CONFIG,
		    "[sealpost] log_level: \"%s\" is none of error, warning, info, debug", wanted);
	return FALSE;
}

void log_configure(LogLevel level, gboolean hash_addresses)
{
	g_mutex_lock(&state.lock);
	state.level = level;
	state.hash = hash_addresses;
	g_mutex_unlock(&state.lock);
}

static gboolean wanted(LogLevel level)
{
	g_mutex_lock(&state.lock);
	gboolean yes = level <= state.level;
	g_mutex_unlock(&state.lock);
	return yes;
}

static GString *line_begin(LogLevel level)
{
	static const char priorities[] = {'3', '4', '6', '7'};
	GString *line = g_string_new(NULL);

	if (state.journal) {
		g_string_printf(line, "<%c>", priorities[level]);
	} else {
		struct timespec now;
		struct tm local;
		char stamp[32] = "";
		/* A GDateTime would look for the time zone's file at each line. */
		clock_gettime(CLOCK_REALTIME, &now);
		if (localtime_r(&now.tv_sec, &local))
			strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &local);
		g_string_printf(line, "%s.%03ld %s[%d] ", stamp, now.tv_nsec / 1000000,
				state.program ? state.program : "sealpost", (int)getpid());
	}
	g_string_append_printf(line, "%s: ", levels[level]);
	return line;
}

static gboolean hashes(void)
{
	g_mutex_lock(&state.lock);
	gboolean yes = state.hash;
	g_mutex_unlock(&state.lock);
	return yes;
}

static char *hashed(const char *address)
{
	guint8 hash[crypto_shorthash_BYTES];
	g_autofree char *lower = g_utf8_strdown(address, -1);
	GString *text = g_string_new("h:");

	crypto_shorthash(hash, (const guint8 *)lower, strlen(lower), state.key);
	hex_append(text, hash, sizeof(hash));
	return g_string_free(text, FALSE);
}

static gboolean ends_address(char c)
{
	return g_ascii_isspace(c) || strchr("<>()\"',:;=/@", c);
}

/* "o'brien@x", "list=max=y@x": these are one word. */
static gboolean begins_behind(char c)
{
	return ends_address(c) && !strchr("'=/", c);
}

/* Where the local part that ends here begins: a word, or all that is quoted. */
static const char *local_part(const char *rest, const char *at)
{
	const char *start = at;

	if (at > rest + 1 && at[-1] == '"') {
		for (start = at - 2; start > rest && (*start != '"' || start[-1] == '\\');)
			start--;
		return *start == '"' ? start : at;
	}
	while (start > rest && !begins_behind(start[-1]))
		start--;
	return start;
}

/* A reason that came from below may name an address: nobody there asks log_address(). */
static char *without_addresses(const char *text)
{
	GString *clean = g_string_new(NULL);
	const char *rest = text;

	for (const char *at = strchr(text, '@'); at; at = strchr(MAX(rest, at + 1), '@')) {
		const char *start = local_part(rest, at), *end = at + 1;

		while (*end && !ends_address(*end))
			end++;
		if (start == at || end == at + 1)
			continue;
		g_autofree char *address = g_strndup(start, (gsize)(end - start));
		g_autofree char *hash = hashed(address);
		g_string_append_len(clean, rest, start - rest);
		g_string_append(clean, hash);
		rest = end;
	}
	g_string_append(clean, rest);
	return g_string_free(clean, FALSE);
}

static void emit(LogLevel level, const char *format, va_list args)
{
	if (!wanted(level))
		return;
	g_autofree char *given = g_strdup_vprintf(format, args);
	g_autofree char *text = hashes() ? without_addresses(given) : g_strdup(given);
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	for (char *p = valid; *p; p++)
		if ((guchar)*p < 0x20 || *p == 0x7f)
			*p = '?';
	GString *line = line_begin(level);
	g_string_append(line, valid);
	if (line->len > LINE_MAX_BYTES)
		g_string_truncate(line, LINE_MAX_BYTES);
	g_string_append_c(line, '\n');
	if (write(STDERR_FILENO, line->str, line->len) < 0) {
		/* nowhere left to say it */
	}
	g_string_free(line, TRUE);
}

#define EMIT(level)                                                                                \
	do {                                                                                       \
		va_list args;                                                                      \
		va_start(args, format);                                                            \
		emit(level, format, args);                                                         \
		va_end(args);                                                                      \
	} while (0)

void log_error(const char *format, ...)
{
	EMIT(LOG_LEVEL_ERROR);
}

void log_warning(const char *format, ...)
{
	EMIT(LOG_LEVEL_WARNING);
}

void log_info(const char *format, ...)
{
	EMIT(LOG_LEVEL_INFO);
}

void log_debug(const char *format, ...)
{
	EMIT(LOG_LEVEL_DEBUG);
}

char *log_address(const char *address)
{
	return hashes() && *address ? hashed(address) : g_strdup(address);
}
