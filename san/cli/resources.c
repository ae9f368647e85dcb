#include <gio/gio.h>

#if defined (__ELF__) && ( __GNUC__ > 2 || (__GNUC__ == 2 && __GNUC_MINOR__ >= 6))
# define SECTION __attribute__ ((section (".gresource.sealpost"), aligned (8)))
#else
# define SECTION
#endif

static const SECTION union { const guint8 data[2177]; const double alignment; void * const ptr;}  sealpost_resource_data = {
  "\107\126\141\162\151\141\156\164\000\000\000\000\000\000\000\000"
  "\030\000\000\000\164\000\000\000\000\000\000\050\003\000\000\000"
  "\000\000\000\000\000\000\000\000\001\000\000\000\330\141\331\134"
  "\001\000\000\000\164\000\000\000\016\000\166\000\210\000\000\000"
  "\151\010\000\000\156\374\145\254\002\000\000\000\151\010\000\000"
  "\011\000\114\000\164\010\000\000\170\010\000\000\324\265\002\000"
  "\377\377\377\377\170\010\000\000\001\000\114\000\174\010\000\000"
  "\200\010\000\000\145\170\141\155\160\154\145\056\160\157\154\151"
  "\143\171\000\000\000\000\000\000\321\007\000\000\000\000\000\000"
  "\043\040\123\120\104\130\055\114\151\143\145\156\163\145\055\111"
  "\144\145\156\164\151\146\151\145\162\072\040\101\160\141\143\150"
  "\145\055\062\056\060\012\043\040\124\150\145\040\162\165\154\145"
  "\163\040\146\157\162\040\155\141\151\154\040\157\146\040\100\104"
  "\117\115\101\111\116\100\056\040\124\150\145\171\040\143\141\156"
  "\040\142\145\040\162\145\141\144\040\141\154\157\165\144\073\040"
  "\163\145\141\154\160\157\163\164\056\160\157\154\151\143\171\050"
  "\065\051\040\145\170\160\154\141\151\156\163\040\145\141\143\150"
  "\040\167\157\162\144\056\012\043\012\043\040\106\157\162\040\145"
  "\141\143\150\040\162\145\143\151\160\151\145\156\164\040\164\150"
  "\145\040\146\151\162\163\164\040\162\165\154\145\040\164\150\141"
  "\164\040\155\141\164\143\150\145\163\040\144\145\143\151\144\145"
  "\163\054\040\146\162\157\155\040\164\157\160\040\164\157\040\142"
  "\157\164\164\157\155\056\012\043\040\040\040\162\145\161\165\151"
  "\162\145\040\101\054\040\102\054\040\103\040\040\040\164\150\145"
  "\040\146\151\162\163\164\040\157\146\040\164\150\145\163\145\040"
  "\167\141\171\163\040\164\150\141\164\040\151\163\040\160\157\163"
  "\163\151\142\154\145\073\040\151\146\040\156\157\156\145\040\151"
  "\163\054\040\164\150\145\040\155\145\163\163\141\147\145\040\151"
  "\163\040\162\145\146\165\163\145\144\012\043\040\040\040\040\040"
  "\040\040\040\040\040\040\040\040\040\040\040\040\040\040\040\040"
  "\141\156\144\040\151\164\163\040\167\162\151\164\145\162\040\151"
  "\163\040\164\157\154\144\040\163\157\012\043\040\040\040\160\162"
  "\145\146\145\162\040\101\054\040\102\054\040\103\040\040\040\040"
  "\164\150\145\040\146\151\162\163\164\040\164\150\141\164\040\151"
  "\163\040\160\157\163\163\151\142\154\145\073\040\151\146\040\156"
  "\157\156\145\040\151\163\054\040\164\150\145\040\155\145\163\163"
  "\141\147\145\040\147\157\145\163\040\157\165\164\040\141\163\040"
  "\151\164\040\151\163\012\043\040\117\165\164\147\157\151\156\147"
  "\040\155\141\151\154\040\164\150\141\164\040\156\157\040\162\165"
  "\154\145\040\155\141\164\143\150\145\163\040\151\163\040\162\145"
  "\146\165\163\145\144\072\040\156\157\164\150\151\156\147\040\154"
  "\145\141\166\145\163\040\165\156\160\162\157\164\145\143\164\145"
  "\144\040\142\145\143\141\165\163\145\040\156\157\142\157\144\171"
  "\040\164\150\157\165\147\150\164\012\043\040\157\146\040\151\164"
  "\056\012\043\012\043\040\101\146\164\145\162\040\141\040\143\150"
  "\141\156\147\145\072\040\163\145\141\154\160\157\163\164\040\160"
  "\157\154\151\143\171\040\143\150\145\143\153\073\040\164\150\145"
  "\156\040\162\145\154\157\141\144\040\164\150\145\040\147\141\164"
  "\145\167\141\171\040\050\123\111\107\110\125\120\051\056\012\012"
  "\043\040\127\150\157\145\166\145\162\040\167\162\151\164\145\163"
  "\040\164\157\040\164\150\145\163\145\040\144\157\155\141\151\156"
  "\163\040\163\164\141\171\163\040\151\156\040\164\150\145\040\150"
  "\157\165\163\145\056\012\151\156\164\145\162\156\141\154\040\144"
  "\157\155\141\151\156\163\040\042\100\104\117\115\101\111\116\100"
  "\042\012\012\043\040\122\145\143\151\160\151\145\156\164\163\040"
  "\164\150\141\164\040\163\145\166\145\162\141\154\040\162\165\154"
  "\145\163\040\163\160\145\141\153\040\157\146\040\147\145\164\040"
  "\141\040\156\141\155\145\056\040\042\160\162\141\170\151\163\056"
  "\145\170\141\155\160\154\145\042\040\151\163\040\164\150\141\164"
  "\040\144\157\155\141\151\156\040\141\154\157\156\145\054\012\043"
  "\040\042\052\056\153\154\151\156\151\153\056\145\170\141\155\160"
  "\154\145\042\040\151\163\040\145\166\145\162\171\040\144\157\155"
  "\141\151\156\040\142\145\154\157\167\040\153\154\151\156\151\153"
  "\056\145\170\141\155\160\154\145\056\040\101\040\154\157\156\147"
  "\040\154\151\163\164\040\155\141\171\040\163\164\141\156\144\040"
  "\151\156\040\141\040\146\151\154\145\040\157\146\040\151\164\163"
  "\012\043\040\157\167\156\054\040\157\156\145\040\145\156\164\162"
  "\171\040\141\040\154\151\156\145\072\040\154\151\163\164\040\144"
  "\157\143\164\157\162\163\040\146\162\157\155\040\042\144\157\143"
  "\164\157\162\163\056\164\170\164\042\012\154\151\163\164\040\144"
  "\157\143\164\157\162\163\040\075\040\042\160\162\141\170\151\163"
  "\056\145\170\141\155\160\154\145\042\054\040\042\052\056\153\154"
  "\151\156\151\153\056\145\170\141\155\160\154\145\042\054\040\042"
  "\153\154\151\156\151\153\056\145\170\141\155\160\154\145\042\012"
  "\012\043\040\110\145\141\154\164\150\040\144\141\164\141\072\040"
  "\145\156\143\162\171\160\164\145\144\040\146\162\157\155\040\145"
  "\156\144\040\164\157\040\145\156\144\040\157\162\040\142\171\040"
  "\164\150\145\040\160\157\162\164\141\154\054\040\141\156\144\040"
  "\164\150\145\040\167\141\171\040\164\150\145\162\145\040\157\166"
  "\145\162\040\124\114\123\040\141\163\040\167\145\154\154\056\012"
  "\157\165\164\147\157\151\156\147\040\164\157\040\144\157\143\164"
  "\157\162\163\012\011\162\145\161\165\151\162\145\040\163\155\151"
  "\155\145\040\157\166\145\162\040\164\154\163\054\040\160\147\160"
  "\040\157\166\145\162\040\164\154\163\054\040\160\157\162\164\141"
  "\154\040\157\166\145\162\040\164\154\163\012\012\043\040\127\150"
  "\157\145\166\145\162\040\167\162\151\164\145\163\040\133\166\145"
  "\162\164\162\141\165\154\151\143\150\135\040\157\162\040\133\143"
  "\157\156\146\151\144\145\156\164\151\141\154\135\040\151\156\040"
  "\164\150\145\040\163\165\142\152\145\143\164\040\155\145\141\156"
  "\163\040\151\164\073\040\164\150\145\040\164\141\147\040\144\157"
  "\145\163\040\156\157\164\040\154\145\141\166\145\056\012\157\165"
  "\164\147\157\151\156\147\040\163\165\142\152\145\143\164\040\150"
  "\141\163\040\042\133\166\145\162\164\162\141\165\154\151\143\150"
  "\135\042\054\040\042\133\143\157\156\146\151\144\145\156\164\151"
  "\141\154\135\042\012\011\162\145\161\165\151\162\145\040\163\155"
  "\151\155\145\054\040\160\147\160\054\040\160\157\162\164\141\154"
  "\012\011\162\145\155\157\166\145\040\164\141\147\012\012\043\040"
  "\127\150\141\164\040\164\150\145\040\155\141\151\154\040\160\162"
  "\157\147\162\141\155\040\155\141\162\153\163\040\141\163\040\143"
  "\157\156\146\151\144\145\156\164\151\141\154\056\012\157\165\164"
  "\147\157\151\156\147\040\150\145\141\144\145\162\040\042\123\145"
  "\156\163\151\164\151\166\151\164\171\042\040\151\163\040\042\103"
  "\157\155\160\141\156\171\055\103\157\156\146\151\144\145\156\164"
  "\151\141\154\042\054\040\042\120\162\151\166\141\164\145\042\012"
  "\011\162\145\161\165\151\162\145\040\163\155\151\155\145\054\040"
  "\160\147\160\054\040\160\157\162\164\141\154\012\012\043\040\101"
  "\040\160\141\162\164\156\145\162\040\167\150\157\163\145\040\155"
  "\141\151\154\040\163\145\162\166\145\162\040\151\163\040\157\165"
  "\162\163\040\164\157\040\164\162\165\163\164\072\040\164\162\141"
  "\156\163\160\157\162\164\040\145\156\143\162\171\160\164\151\157"
  "\156\040\167\151\164\150\040\141\040\143\150\145\143\153\145\144"
  "\040\143\145\162\164\151\146\151\143\141\164\145\056\012\157\165"
  "\164\147\157\151\156\147\040\164\157\040\042\160\141\162\164\156"
  "\145\162\056\145\170\141\155\160\154\145\042\012\011\162\145\161"
  "\165\151\162\145\040\166\145\162\151\146\151\145\144\040\164\154"
  "\163\012\012\043\040\105\166\145\162\171\142\157\144\171\040\145"
  "\154\163\145\072\040\167\151\164\150\040\164\150\145\040\162\145"
  "\143\151\160\151\145\156\164\047\163\040\153\145\171\054\040\145"
  "\154\163\145\040\142\171\040\164\150\145\040\167\145\142\040\160"
  "\157\162\164\141\154\056\040\127\150\157\040\146\151\156\144\163"
  "\040\124\114\123\040\142\145\164\167\145\145\156\040\155\141\151"
  "\154\012\043\040\163\145\162\166\145\162\163\040\145\156\157\165"
  "\147\150\040\167\162\151\164\145\163\072\040\162\145\161\165\151"
  "\162\145\040\163\155\151\155\145\054\040\160\147\160\054\040\166"
  "\145\162\151\146\151\145\144\040\164\154\163\054\040\160\157\162"
  "\164\141\154\012\157\165\164\147\157\151\156\147\012\011\162\145"
  "\161\165\151\162\145\040\163\155\151\155\145\054\040\160\147\160"
  "\054\040\160\157\162\164\141\154\012\012\043\040\103\157\160\151"
  "\145\163\040\146\157\162\040\164\150\145\040\141\162\143\150\151"
  "\166\145\040\050\164\141\153\145\040\164\150\145\040\043\040\141"
  "\167\141\171\040\141\156\144\040\156\141\155\145\040\151\164\163"
  "\040\155\141\151\154\142\157\170\051\072\012\043\040\143\157\160"
  "\171\040\157\165\164\147\157\151\156\147\040\164\157\040\042\141"
  "\162\143\150\151\166\145\100\100\104\117\115\101\111\116\100\042"
  "\012\000\000\050\165\165\141\171\051\163\145\141\154\160\157\163"
  "\164\057\000\000\000\000\000\000\057\000\000\000\001\000\000\000"
  "" };

static GStaticResource static_resource = { sealpost_resource_data.data, sizeof (sealpost_resource_data.data) - 1 /* nul terminator */, NULL, NULL, NULL };

G_MODULE_EXPORT
GResource *sealpost_get_resource (void);
GResource *sealpost_get_resource (void)
{
  return g_static_resource_get_resource (&static_resource);
}
/* GLIB - Library of useful routines for C programming
 * Copyright (C) 1995-1997  Peter Mattis, Spencer Kimball and Josh MacDonald
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * This library is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * This library is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.	 See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with this library; if not, see <http://www.gnu.org/licenses/>.
 */

/*
 * Modified by the GLib Team and others 1997-2000.  See the AUTHORS
 * file for a list of people on the GLib Team.  See the ChangeLog
 * files for a list of changes.  These files are distributed with
 * GLib at ftp://ftp.gtk.org/pub/gtk/.
 */

#ifndef __G_CONSTRUCTOR_H__
#define __G_CONSTRUCTOR_H__

/*
  If G_HAS_CONSTRUCTORS is true then the compiler support *both* constructors and
  destructors, in a usable way, including e.g. on library unload. If not you're on
  your own.

  Some compilers need #pragma to handle this, which does not work with macros,
  so the way you need to use this is (for constructors):

  #ifdef G_DEFINE_CONSTRUCTOR_NEEDS_PRAGMA
  #pragma G_DEFINE_CONSTRUCTOR_PRAGMA_ARGS(my_constructor)
  #endif
  G_DEFINE_CONSTRUCTOR(my_constructor)
  static void my_constructor(void) {
   ...
  }

*/

#ifndef __GTK_DOC_IGNORE__

#if  __GNUC__ > 2 || (__GNUC__ == 2 && __GNUC_MINOR__ >= 7)

#define G_HAS_CONSTRUCTORS 1

#define G_DEFINE_CONSTRUCTOR(_func) static void __attribute__((constructor)) _func (void);
#define G_DEFINE_DESTRUCTOR(_func) static void __attribute__((destructor)) _func (void);

#elif defined (_MSC_VER) && (_MSC_VER >= 1500)
/* Visual studio 2008 and later has _Pragma */

/*
 * Only try to include gslist.h if not already included via glib.h,
 * so that items using gconstructor.h outside of GLib (such as
 * GResources) continue to build properly.
 */
#ifndef __G_LIB_H__
#include "gslist.h"
#endif

#include <stdlib.h>

#define G_HAS_CONSTRUCTORS 1

/* We do some weird things to avoid the constructors being optimized
 * away on VS2015 if WholeProgramOptimization is enabled. First we
 * make a reference to the array from the wrapper to make sure its
 * references. Then we use a pragma to make sure the wrapper function
 * symbol is always included at the link stage. Also, the symbols
 * need to be extern (but not dllexport), even though they are not
 * really used from another object file.
 */

/* We need to account for differences between the mangling of symbols
 * for x86 and x64/ARM/ARM64 programs, as symbols on x86 are prefixed
 * with an underscore but symbols on x64/ARM/ARM64 are not.
 */
#ifdef _M_IX86
#define G_MSVC_SYMBOL_PREFIX "_"
#else
#define G_MSVC_SYMBOL_PREFIX ""
#endif

#define G_DEFINE_CONSTRUCTOR(_func) G_MSVC_CTOR (_func, G_MSVC_SYMBOL_PREFIX)
#define G_DEFINE_DESTRUCTOR(_func) G_MSVC_DTOR (_func, G_MSVC_SYMBOL_PREFIX)

#define G_MSVC_CTOR(_func,_sym_prefix) \
  static void _func(void); \
  extern int (* _array ## _func)(void);              \
  int _func ## _wrapper(void) { _func(); g_slist_find (NULL,  _array ## _func); return 0; } \
  __pragma(comment(linker,"/include:" _sym_prefix # _func "_wrapper")) \
  __pragma(section(".CRT$XCU",read)) \
  __declspec(allocate(".CRT$XCU")) int (* _array ## _func)(void) = _func ## _wrapper;

#define G_MSVC_DTOR(_func,_sym_prefix) \
  static void _func(void); \
  extern int (* _array ## _func)(void);              \
  int _func ## _constructor(void) { atexit (_func); g_slist_find (NULL,  _array ## _func); return 0; } \
   __pragma(comment(linker,"/include:" _sym_prefix # _func "_constructor")) \
  __pragma(section(".CRT$XCU",read)) \
  __declspec(allocate(".CRT$XCU")) int (* _array ## _func)(void) = _func ## _constructor;

#elif defined (_MSC_VER)

#define G_HAS_CONSTRUCTORS 1

/* Pre Visual studio 2008 must use #pragma section */
#define G_DEFINE_CONSTRUCTOR_NEEDS_PRAGMA 1
#define G_DEFINE_DESTRUCTOR_NEEDS_PRAGMA 1

#define G_DEFINE_CONSTRUCTOR_PRAGMA_ARGS(_func) \
  section(".CRT$XCU",read)
#define G_DEFINE_CONSTRUCTOR(_func) \
  static void _func(void); \
  static int _func ## _wrapper(void) { _func(); return 0; } \
  __declspec(allocate(".CRT$XCU")) static int (*p)(void) = _func ## _wrapper;

#define G_DEFINE_DESTRUCTOR_PRAGMA_ARGS(_func) \
  section(".CRT$XCU",read)
#define G_DEFINE_DESTRUCTOR(_func) \
  static void _func(void); \
  static int _func ## _constructor(void) { atexit (_func); return 0; } \
  __declspec(allocate(".CRT$XCU")) static int (* _array ## _func)(void) = _func ## _constructor;

#elif defined(__SUNPRO_C)

/* This is not tested, but i believe it should work, based on:
 * http://opensource.apple.com/source/OpenSSL098/OpenSSL098-35/src/fips/fips_premain.c
 */

#define G_HAS_CONSTRUCTORS 1

#define G_DEFINE_CONSTRUCTOR_NEEDS_PRAGMA 1
#define G_DEFINE_DESTRUCTOR_NEEDS_PRAGMA 1

#define G_DEFINE_CONSTRUCTOR_PRAGMA_ARGS(_func) \
  init(_func)
#define G_DEFINE_CONSTRUCTOR(_func) \
  static void _func(void);

#define G_DEFINE_DESTRUCTOR_PRAGMA_ARGS(_func) \
  fini(_func)
#define G_DEFINE_DESTRUCTOR(_func) \
  static void _func(void);

#else

/* constructors not supported for this compiler */

#endif

#endif /* __GTK_DOC_IGNORE__ */
#endif /* __G_CONSTRUCTOR_H__ */

#ifdef G_HAS_CONSTRUCTORS

#ifdef G_DEFINE_CONSTRUCTOR_NEEDS_PRAGMA
#pragma G_DEFINE_CONSTRUCTOR_PRAGMA_ARGS(sealpostresource_constructor)
#endif
G_DEFINE_CONSTRUCTOR(sealpostresource_constructor)
#ifdef G_DEFINE_DESTRUCTOR_NEEDS_PRAGMA
#pragma G_DEFINE_DESTRUCTOR_PRAGMA_ARGS(sealpostresource_destructor)
#endif
G_DEFINE_DESTRUCTOR(sealpostresource_destructor)

#else
#warning "Constructor not supported on this compiler, linking in resources will not work"
#endif

static void sealpostresource_constructor (void)
{
  g_static_resource_init (&static_resource);
}

static void sealpostresource_destructor (void)
{
  g_static_resource_fini (&static_resource);
}
