/* SPDX-License-Identifier: Apache-2.0
 *
 * How much of something each of many holds now, with a limit: connections of a network, opened
 * messages of an account. Thread-safe.
 */
#ifndef SEALPOST_PORTAL_CROWD_H
#define SEALPOST_PORTAL_CROWD_H

#include <glib.h>
#include <sys/socket.h>

typedef struct Crowd Crowd;

/* limit: how much each may hold; 0: nothing is counted. */
Crowd *crowd_new(guint limit);
void crowd_free(Crowd *crowd);

/* Takes one more for the key: FALSE at the limit. */
gboolean crowd_enter(Crowd *crowd, const char *key);
/* For each that entered, once. */
void crowd_leave(Crowd *crowd, const char *key);
/* Would crowd_enter() let one in? */
gboolean crowd_has_room(Crowd *crowd, const char *key);

/* Room for the text of a network: INET6_ADDRSTRLEN. */
#define CROWD_NETWORK_SIZE 46
/* The key of a client: the address; of IPv6 the /64 that one customer has. "" for others. */
void crowd_network(const struct sockaddr *address, char text[static CROWD_NETWORK_SIZE]);

#endif
