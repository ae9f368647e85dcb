/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said to gpg-agent (lib/crypt/pgpassuan.h), against one that says what it likes, as slowly as
 * it likes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "lib/crypt/pgpassuan.h"

#define GREETING "OK pleased\nOK\n"
#define ROOM 64

/* Says its text, then the last byte of it again and again, until the other side has gone. */
typedef struct {
	char *folder;
	int listener;
	const char *text;
	gboolean dribbles;
	GString *heard;
	GThread *thread;
} Agent;

static gpointer run(gpointer data)
{
	Agent *agent = data;
	int fd = accept(agent->listener, NULL, NULL);
	const char *last = agent->text + strlen(agent->text) - 1;
	char bytes[1024];
	gssize got;

	if (fd < 0 || send(fd, agent->text, strlen(agent->text), MSG_NOSIGNAL) < 0)
		return NULL;
	while (agent->dribbles && send(fd, last, 1, MSG_NOSIGNAL) == 1)
		g_usleep(G_USEC_PER_SEC / 50);
	while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		g_string_append_len(agent->heard, bytes, got);
	close(fd);
	return NULL;
}

static void begin(Agent *agent, const char *text, gboolean dribbles)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	agent->folder = g_dir_make_tmp("sealpost-agent-XXXXXX", NULL);
	agent->text = text;
	agent->dribbles = dribbles;
	agent->heard = g_string_new(NULL);
	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/S.gpg-agent", agent->folder);
	agent->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(agent->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(agent->listener, 1), 0);
	agent->thread = g_thread_new("agent", run, agent);
}

/* What it heard; new string. */
static char *end(Agent *agent)
{
	g_autofree char *path = g_build_filename(agent->folder, "S.gpg-agent", NULL);

	g_thread_join(agent->thread);
	close(agent->listener);
	g_unlink(path);
	g_rmdir(agent->folder);
	g_free(agent->folder);
	return g_string_free(agent->heard, FALSE);
}

static gint64 in_seconds(gint64 seconds)
{
	return g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
}

/* One command to an agent that says this; its data in *data (ROOM bytes). */
static gpgme_error_t ask(const char *text, PgpTalk *talk)
{
	Agent agent;
	gpgme_error_t failure;

	begin(&agent, text, FALSE);
	PgpAgent *connection = pgp_agent_open(agent.folder, in_seconds(60), &failure);
	if (connection)
		failure = pgp_agent_command(connection, "TASK\n", talk);
	pgp_agent_free(connection);
	g_free(end(&agent));
	return failure;
}

static void test_answers(void **state)
{
	static const struct {
		const char *text;
		gpgme_error_t failure;
		const char *data;
	} cases[] = {
		{GREETING "OK\n", 0, ""},
		{GREETING "OK done\n", 0, ""},
		{GREETING "S PADDING 0\n# words\nD a%0Ab%\nD %2\nOK\n", 0, "a\nb%%2"},
		{GREETING "ERR 67108881 No secret key\n", 67108881, ""},
		/* No error's number is no success. */
		{GREETING "ERR \nOK\n", GPG_ERR_EOF, ""},
		{GREETING "ERR\nOK\n", GPG_ERR_EOF, ""},
		{GREETING "ERR 0 none\nOK\n", GPG_ERR_EOF, ""},
		{GREETING "ERR words\nOK\n", GPG_ERR_EOF, ""},
		{GREETING "ERR 99999999999999999999\n", GPG_ERR_EOF, ""},
		/* More than was asked for. */
		{GREETING "D "
			  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			  "aaaaaaa\nOK\n",
		 GPG_ERR_EOF, NULL},
		{"OK pleased\nERR 1 not you\n", 1, NULL},
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint8 data[ROOM];
		PgpTalk talk = {.data = data, .room = ROOM};

		assert_int_equal(ask(cases[i].text, &talk), cases[i].failure);
		if (!cases[i].data)
			continue;
		assert_int_equal(talk.used, strlen(cases[i].data));
		assert_memory_equal(data, cases[i].data, talk.used);
	}
}

#define SESSION "session%20key "
/* The test's own copy must not be found. */
#define MASK 0x55

/* How often SESSION is in what this process can write to. Sanitizers' shadows are larger than that. */
static guint copies_in_memory(const guint8 *masked, gsize size)
{
	g_autofree char *maps = NULL;
	FILE *memory = fopen("/proc/self/mem", "rb");
	guint found = 0;

	assert_true(memory && g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
	for (char *at = maps; at; at = strchr(at, '\n')) {
		guint64 from = g_ascii_strtoull(*at == '\n' ? at + 1 : at, &at, 16);
		guint64 to = *at == '-' ? g_ascii_strtoull(at + 1, &at, 16) : 0;
		gsize length = to > from ? (gsize)(to - from) : 0;

		if (!g_str_has_prefix(at, " rw") || length > 256 * 1024 * 1024)
			continue;
		g_autofree guint8 *bytes = g_malloc(length);
		gssize got = pread(fileno(memory), bytes, length, (off_t)from);

		for (gssize i = 0; i + (gssize)size <= got; i++) {
			gsize same = 0;
			while (same < size && (bytes[i + (gssize)same] ^ MASK) == masked[same])
				same++;
			found += same == size;
		}
		explicit_bzero(bytes, length);
	}
	fclose(memory);
	return found;
}

/* Between two commands the connection does not hold what the agent has told: before the answer was
 * done, it did. */
static void test_keeps_nothing(void **state)
{
	static const char *const texts[] = {GREETING "D very secret " SESSION "\nOK\n",
					    GREETING "D very secret " SESSION "\nERR 1 no\n"};
	guint8 masked[sizeof(SESSION) - 1], data[ROOM];

	(void)state;
	for (gsize i = 0; i < sizeof(masked); i++)
		masked[i] = (guint8)(SESSION[i] ^ MASK);
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		PgpTalk talk = {.data = data, .room = ROOM};
		gpgme_error_t failure;
		Agent agent;

		begin(&agent, texts[i], FALSE);
		PgpAgent *connection = pgp_agent_open(agent.folder, in_seconds(60), &failure);

		assert_int_equal(pgp_agent_command(connection, "TASK\n", &talk), i);
		assert_int_equal(talk.used, strlen("very secret session key "));
		assert_int_equal(copies_in_memory(masked, sizeof(masked)), 0);
		pgp_agent_free(connection);
		g_free(end(&agent));
	}
}

/* Each byte comes in good time, and the line never ends. */
static void test_dribble(void **state)
{
	static const char *const texts[] = {"OK ", GREETING "S ", GREETING "S\n"};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		Agent agent;
		PgpTalk talk = {.room = 0};
		gpgme_error_t failure;

		begin(&agent, texts[i], TRUE);
		PgpAgent *connection =
			pgp_agent_open(agent.folder, in_seconds(i > 0 ? 60 : 1), &failure);
		assert_int_equal(connection != NULL, i > 0);
		if (connection) {
			pgp_agent_limit(connection, in_seconds(1));
			failure = pgp_agent_command(connection, "TASK\n", &talk);
		}
		/* Or the line got longer than any. */
		assert_true(failure == GPG_ERR_TIMEOUT || (failure == GPG_ERR_EOF && i < 2));
		pgp_agent_free(connection);
		g_free(end(&agent));
	}
}

/* A question's answer of several lines, with all that has to be escaped. */
static void test_long_answer(void **state)
{
	g_autoptr(GString) bytes = g_string_new(NULL);
	g_autoptr(GString) told = g_string_new(NULL);
	Agent agent;
	gpgme_error_t failure;

	(void)state;
	for (guint i = 0; i < 4000; i++)
		g_string_append_c(bytes, (char)(1 + i * 7 % 255));
	g_autoptr(GBytes) ciphertext = g_bytes_new(bytes->str, bytes->len);
	PgpTalk talk = {.ciphertext = ciphertext};

	begin(&agent, GREETING "INQUIRE CIPHERTEXT\nOK\n", FALSE);
	PgpAgent *connection = pgp_agent_open(agent.folder, in_seconds(60), &failure);
	assert_non_null(connection);
	assert_int_equal(pgp_agent_command(connection, "TASK\n", &talk), 0);
	pgp_agent_free(connection);
	g_autofree char *heard = end(&agent);
	g_auto(GStrv) lines = g_strsplit(heard, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_autoptr(GBytes) part = g_uri_unescape_bytes(*line, -1, NULL, NULL);

		assert_true(strlen(*line) <= 1000);
		if (g_str_has_prefix(*line, "D "))
			g_string_append_len(told, (const char *)g_bytes_get_data(part, NULL) + 2,
					    (gssize)g_bytes_get_size(part) - 2);
	}
	assert_true(g_string_equal(told, bytes));
	assert_non_null(strstr(heard, "\nEND\n"));
}

static void test_nobody(void **state)
{
	gpgme_error_t failure = 0;

	(void)state;
	assert_null(pgp_agent_open("/nowhere", in_seconds(60), &failure));
	assert_int_equal(failure, GPG_ERR_EOF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers), cmocka_unit_test(test_keeps_nothing),
		cmocka_unit_test(test_dribble), cmocka_unit_test(test_long_answer),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests_name("crypt/pgpagent", tests, NULL, NULL);
}
