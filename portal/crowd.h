/* SPDX-License-Identifier: Apache-2.0
 *
 * How much of something each of many holds now, with a limit for each and one for all together:
 * connections of a network, opened messages of an account. Thread-safe.
 */
#ifndef SEALPOST_PORTAL_CROWD_H
#define SEALPOST_PORTAL_CROWD_H

#include <glib.h>
#include <sys/socket.h>

typedef struct Crowd Crowd;

/* each: how much one key may hold; all: how much all of them together. 0: as much as they like. */
Crowd *crowd_new(guint each, guint all);
void crowd_free(Crowd *crowd);

/* Takes one more for the key: FALSE at a limit. */
gboolean crowd_enter(Crowd *crowd, const char *key);
/* For each that entered, once. */
void crowd_leave(Crowd *crowd, const char *key);
/* Would crowd_enter() let one in? */
gboolean crowd_has_room(Crowd *crowd, const char *key);

/* Room for the text of a network: INET6_ADDRSTRLEN. */
#define CROWD_NETWORK_SIZE 46
/* The key of a client: the address; of IPv6 the /64 that one customer has. "" for others. */
void crowd_network(const struct sockaddr *address, char text[static CROWD_NETWORK_SIZE]);
/* The larger one that crowd_network()'s is part of: of IPv6 the /48, which is easily had; "" for
 * others. */
void crowd_large_network(const char *network, char text[static CROWD_NETWORK_SIZE]);

#endif
