/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/keystoremaker.h"

#include "lib/base/masterkey.h"

void place_reopen(Place *place, const char *settings)
{
	g_autofree char *text =
		g_strconcat("[keystore]\nsystem_roots = false\n[learn]\n", settings, NULL);

	keystore_close(place->keystore);
	conf_unref(place->conf);
	g_assert(g_file_set_contents(place->conf_path, text, -1, NULL));
	place->conf = conf_load(place->conf_path, NULL);
	g_assert(place->conf);
	const char *master = conf_path(place->conf, "keystore", "master_key");
	if (!g_file_test(master, G_FILE_TEST_EXISTS))
		g_assert(master_key_create(master, NULL) && keystore_create(place->conf, NULL));
	place->keystore = keystore_open(place->conf, NULL);
	g_assert(place->keystore);
}

int place_make(void **state)
{
	Place *place = g_new0(Place, 1);
	StoreChange change;

	place->maker = pgp_maker_new();
	place->conf_path = g_build_filename(place->maker->folder, "sealpost.conf", NULL);
	place_reopen(place, "");
	place->root = x509_maker_make(&(MakerOrder){.name = "Root", .ca = TRUE});
	g_assert(store_put_cert(place->keystore->store, place->root->cert, TRUE, &change, NULL));
	*state = place;
	return 0;
}

int place_remove(void **state)
{
	Place *place = *state;

	keystore_close(place->keystore);
	conf_unref(place->conf);
	made_free(place->root);
	pgp_maker_free(place->maker);
	g_free(place->conf_path);
	g_free(place);
	return 0;
}

Made *place_issue(Place *place, MakerOrder order)
{
	if (!order.issuer)
		order.issuer = place->root;
	return x509_maker_make(&order);
}

KeyAnswer *place_look_up(Place *place, const char *address)
{
	g_autoptr(KeyLookup) lookup = keystore_lookup(place->keystore, address);

	return key_lookup_wait(lookup, G_MAXINT64);
}
