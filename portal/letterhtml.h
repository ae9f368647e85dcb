/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes the elements out of HTML that must not even be asked for: browsers connect to the target
 * of a nested frame before they look whether the policy allows it. Everything else is stopped by
 * the policy and the sandbox that the frame is served with. Links open in a window of their own:
 * in the frame they would put the browser's error page in the place of the message. Pure.
 */
#ifndef SEALPOST_PORTAL_LETTERHTML_H
#define SEALPOST_PORTAL_LETTERHTML_H

/* The same HTML, with the names of such elements made unknown ones, and targets for links. New
 * string. */
char *letterhtml_defang(const char *html);

#endif
