/*-------------------------------------------------------------------------
 *
 * convert.h
 *	  Making a TVIEW of a table that there is.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_CONVERT_H
#define TVIEW_CONVERT_H

#include "ddl/record.h"

extern TviewConverted tview_convert(Oid table, const char *schema,
									const char *entity,
									const char *key_column,
									const char *definition, Jsonb *options,
									const char *command);

#endif							/* TVIEW_CONVERT_H */
