/* SPDX-License-Identifier: Apache-2.0
 *
 * Text files of people: see textfile.h.
 */
#include "policies/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Where in the text this byte stands; what comes before it is valid UTF-8. */
static Span span_at(const char *text, const char *at)
{
	const char *line = text;
	Span span = {1, 1, 1, 1};

	for (const char *p = text; p < at; p++)
		if (*p == '\n') {
			span.first_line++;
			line = p + 1;
		}
	span.first_column = (int)g_utf8_strlen(line, at - line) + 1;
	return span;
}

/* The first byte that text does not have; NULL if there is none. */
static const char *find_control(const char *text, gsize length)
{
	for (const char *p = text; p < text + length; p++) {
		if (*p == '\r' && p + 1 < text + length && p[1] == '\n')
			continue;
		if (g_ascii_iscntrl(*p) && *p != '\n' && *p != '\t')
			return p;
	}
	return NULL;
}

static const char *describe_control(char c)
{
	if (c == '\0')
		return "a NUL byte: this is no text file";
	if (c == '\r')
		return "a CR without LF: save the file with line ends of Unix or Windows";
	return "a control character: this is no text file";
}

/* FALSE with a problem if these bytes are no text. */
static gboolean check(const char *path, const char *text, gsize length, Problems *problems)
{
	const char *end = NULL;
	const char *control = find_control(text, length);
	gboolean valid = g_utf8_validate_len(text, length, &end);
	Span span;

	if (g_str_has_prefix(text, BYTE_ORDER_MARK)) {
		span = (Span){1, 1, 1, 1};
		problems_add(problems, path, &span,
			     "found a byte order mark: save the file as UTF-8 without it");
		return FALSE;
	}
	if (control && control <= end) {
		span = span_at(text, control);
		problems_add(problems, path, &span, "found %s", describe_control(*control));
		return FALSE;
	}
	if (!valid) {
		span = span_at(text, end);
		problems_add(problems, path, &span,
			     "found bytes that are not UTF-8: save the file as UTF-8");
		return FALSE;
	}
	return TRUE;
}

/* The bytes of a regular file of at most `limit`; NULL with errno (EFBIG: larger). */
static GByteArray *read_file(const char *path, gsize limit)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint8 buffer[65536];
	struct stat status;
	ssize_t got = -1;
	int saved;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
		if (S_ISREG(status.st_mode))
			while ((got = read(fd, buffer, sizeof(buffer))) > 0 && bytes->len <= limit)
				g_byte_array_append(bytes, buffer, (guint)got);
	}
	saved = bytes->len > limit ? EFBIG : errno;
	close(fd);
	errno = saved;
	return got < 0 || bytes->len > limit ? NULL : g_steal_pointer(&bytes);
}

char *textfile_read(const char *path, gsize limit, Problems *problems)
{
	g_autoptr(GByteArray) bytes = read_file(path, limit);
	char *text;
	gsize kept = 0;

	if (!bytes && errno == EFBIG)
		problems_add(problems, path, NULL, "larger than %" G_GSIZE_FORMAT " KiB",
			     limit / 1024);
	else if (!bytes)
		problems_add(problems, path, NULL, "cannot be read: %s", g_strerror(errno));
	if (!bytes)
		return NULL;
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	text = (char *)bytes->data;
	if (!check(path, text, bytes->len - 1, problems))
		return NULL;
	for (const char *p = text; *p; p++)
		if (*p != '\r')
			text[kept++] = *p;
	text[kept] = '\0';
	return (char *)g_byte_array_free(g_steal_pointer(&bytes), FALSE);
}
