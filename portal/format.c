/* SPDX-License-Identifier: Apache-2.0
 *
 * Dates, sizes and names as people read them (see format.h). Nothing here asks the locale: each
 * page has a language of its own.
 */
#include "portal/format.h"

#include "lib/mail/address.h"

static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* The catalogue has the form of a date and the names of the months. */
static char *format_time(const Values *values, gint64 time, const char *form)
{
	g_autoptr(GDateTime) local = g_date_time_new_from_unix_local(time);
	g_autoptr(Values) parts = values_new_like(values);
	g_autofree char *key = NULL;

	if (local == NULL)
		return g_strdup("");
	key = g_strdup_printf("month.%d", g_date_time_get_month(local));
	values_take(parts, "day", g_strdup_printf("%d", g_date_time_get_day_of_month(local)));
	values_take(parts, "month", template_text(values, key));
	values_take(parts, "year", g_strdup_printf("%d", g_date_time_get_year(local)));
	values_take(parts, "clock",
		    g_strdup_printf("%02d:%02d", g_date_time_get_hour(local),
				    g_date_time_get_minute(local)));
	return template_text(parts, form);
}

char *format_date(const Values *values, gint64 time)
{
	return format_time(values, time, "format.date");
}

char *format_date_time(const Values *values, gint64 time)
{
	return format_time(values, time, "format.date-time");
}

char *format_size(const Values *values, gint64 size)
{
	g_autofree char *comma = NULL;
	g_autofree char *bytes = template_text(values, "format.bytes");
	gint64 tenths;

	if (size < 1000)
		return g_strdup_printf("%" G_GINT64_FORMAT " %s", size, bytes);
	if (size < 1000 * 1000)
		return g_strdup_printf("%" G_GINT64_FORMAT " KB", (size + 500) / 1000);
	comma = template_text(values, "format.comma");
	tenths = (size + 50 * 1000) / (100 * 1000);
	return g_strdup_printf("%" G_GINT64_FORMAT "%s%" G_GINT64_FORMAT " MB", tenths / 10, comma,
			       tenths % 10);
}

char *format_rfc5322_date(GDateTime *time)
{
	return g_strdup_printf(
		"%s, %d %s %d %02d:%02d:%02d +0000", days[g_date_time_get_day_of_week(time) - 1],
		g_date_time_get_day_of_month(time), months[g_date_time_get_month(time) - 1],
		g_date_time_get_year(time), g_date_time_get_hour(time),
		g_date_time_get_minute(time), g_date_time_get_second(time));
}

char *format_organisation(const Conf *conf)
{
	const char *name = conf_string(conf, "portal", "organisation");
	const char *domain = address_domain(conf_string(conf, "portal", "sender"));

	if (name != NULL && *name != '\0')
		return g_strdup(name);
	return g_strdup(domain != NULL ? domain : "Sealpost");
}
