/* SPDX-License-Identifier: Apache-2.0
 *
 * What the words of X-Sealpost-Incoming mean, for people. See explain_words.h; the same stands in
 * sealpost-gateway(8).
 */
#include <string.h>

#include "gateway/explain_words.h"

typedef struct {
	const char *word;
	const char *text;
} Meaning;

static const Meaning layers[] = {
	{"tnef", "a winmail.dat (Outlook's rich text) with S/MIME in it"},
	{"(no-key)", "it was encrypted to none of the private keys that this recipient has here"},
	{"(damaged)",
	 "it is not whole, not what it is called, or made in a way that is not known here"},
	{"(no-integrity)", "no change to it would show, though its kind demands that: not opened"},
	{"(foreign-part)",
	 "it stands beside what was not encrypted: only a whole message is opened"},
	{"(too-deep)", "it has more layers in each other than are opened"},
	{"(too-large)", "it, or what is inside, is larger or more work than is allowed"},
};

static const Meaning signatures[] = {
	{"untrusted", "it holds, but nobody whom we trust says whose key it is"},
	{"expired", "it holds, but the signer's key or certificate is not valid now"},
	{"revoked", "it holds, but the signer's key or certificate was called back"},
	{"wrong-usage", "it holds, but the certificate is not for signing mail"},
	{"weak", "it holds, but could be forged: the digest or the key is too weak"},
	{"bad", "it does not hold: text or signature were changed"},
	{"no-key", "nothing is known: we have no key for it"},
	{"unsupported", "nothing is known: made in a way that is not known here"},
	{"not-from", "the signer is not the one address in From"},
	{"over-ciphertext", "it was made over the ciphertext: its signer need not know the text"},
};

static const Meaning warnings[] = {
	{"several-from", "From names more than one sender: no signature is the sender's"},
	{"group-from", "From names a group: no signature is the sender's"},
	{"no-from", "From names nobody: no signature is the sender's"},
	{"forged-display-name",
	 "a name in From looks like an address, but another one than the sender's"},
	{"partial-signature",
	 "only a part of what the reader sees is signed; the rest may be anybody's"},
	{"partial-encryption", "only a part was encrypted; the rest may be anybody's"},
	{"signature-destroyed", "it was a signed message until somebody on the way took it apart"},
	{"signed-ciphertext", "signed after encryption: the signer need not know the text"},
	{"not-protected-against-change",
	 "the cipher does not show changes, and no signature inside does"},
	{"misplaced-cipher",
	 "the sender's program has put a cipher where its kind must not stand: its fault"},
	{"weak-cipher", "3DES: secret enough no more"},
	{"tnef", "a part is a winmail.dat that cannot be read: it may hold S/MIME"},
	{"changed-key", "signed with another key than the one that we know of the sender"},
	{"too-large", "more bytes, parts or fields than are looked into"},
	{"too-deep", "more parts in each other than are looked into"},
	{"protected-from-differs", "the header inside names another sender than the one outside"},
	{"header-changed", "a field outside is not what the sender put there"},
};

static void tell(GString *text, const char *word, const Meaning *table, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (g_str_equal(table[i].word, word))
			g_string_append_printf(text, "      %s\n", table[i].text);
}

void explain_words(GString *text, const char *item)
{
	g_auto(GStrv) words = g_strsplit(item, " ", -1);
	const char *first = words[0] ? words[0] : "";

	for (char **word = words; *word; word++) {
		if (g_str_equal(first, "signature"))
			tell(text, *word, signatures, G_N_ELEMENTS(signatures));
		else if (g_str_equal(first, "warning"))
			tell(text, *word, warnings, G_N_ELEMENTS(warnings));
		else
			tell(text, *word, layers, G_N_ELEMENTS(layers));
	}
}
