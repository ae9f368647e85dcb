#ifndef __RESOURCE_portal_resources_H__
#define __RESOURCE_portal_resources_H__

#include <gio/gio.h>

extern GResource *portal_resources_get_resource (void);
#endif
