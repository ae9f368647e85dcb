/* SPDX-License-Identifier: Apache-2.0
 *
 * See crowd.h.
 */
#include "portal/crowd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

struct Crowd {
	GMutex lock;
	GHashTable *held; /* key -> how many; what holds none is not in it */
	guint each;
	guint all;
	guint total; /* held by all of them */
};

Crowd *crowd_new(guint each, guint all)
{
	Crowd *crowd = g_new0(Crowd, 1);

	g_mutex_init(&crowd->lock);
	crowd->held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	crowd->each = each;
	crowd->all = all;
	return crowd;
}

void crowd_free(Crowd *crowd)
{
	if (crowd == NULL)
		return;
	g_hash_table_unref(crowd->held);
	g_mutex_clear(&crowd->lock);
	g_free(crowd);
}

static guint held_by(const Crowd *crowd, const char *key)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(crowd->held, key));
}

static gboolean is_full(const Crowd *crowd, const char *key)
{
	return (crowd->each > 0 && held_by(crowd, key) >= crowd->each) ||
	       (crowd->all > 0 && crowd->total >= crowd->all);
}

gboolean crowd_enter(Crowd *crowd, const char *key)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crowd->lock);

	if (is_full(crowd, key))
		return FALSE;
	g_hash_table_replace(crowd->held, g_strdup(key), GUINT_TO_POINTER(held_by(crowd, key) + 1));
	crowd->total++;
	return TRUE;
}

void crowd_leave(Crowd *crowd, const char *key)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crowd->lock);
	guint held = held_by(crowd, key);

	if (held > 1)
		g_hash_table_replace(crowd->held, g_strdup(key), GUINT_TO_POINTER(held - 1));
	else
		g_hash_table_remove(crowd->held, key);
	if (held > 0)
		crowd->total--;
}

gboolean crowd_has_room(Crowd *crowd, const char *key)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&crowd->lock);

	return !is_full(crowd, key);
}

#define IPV6_SIZE 16

/* Only the first bytes of the address count. */
static void print_prefix(struct in6_addr address, gsize bytes, char text[static CROWD_NETWORK_SIZE])
{
	memset(address.s6_addr + bytes, 0, IPV6_SIZE - bytes);
	inet_ntop(AF_INET6, &address, text, CROWD_NETWORK_SIZE);
}

void crowd_network(const struct sockaddr *address, char text[static CROWD_NETWORK_SIZE])
{
	*text = '\0';
	if (address != NULL && address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text,
			  CROWD_NETWORK_SIZE);
	} else if (address != NULL && address->sa_family == AF_INET6) {
		struct in6_addr whole = ((const struct sockaddr_in6 *)address)->sin6_addr;

		print_prefix(whole, IN6_IS_ADDR_V4MAPPED(&whole) ? IPV6_SIZE : 8, text);
	}
}

void crowd_large_network(const char *network, char text[static CROWD_NETWORK_SIZE])
{
	struct in6_addr whole;

	*text = '\0';
	if (inet_pton(AF_INET6, network, &whole) == 1 && !IN6_IS_ADDR_V4MAPPED(&whole))
		print_prefix(whole, 6, text);
}
