/*-------------------------------------------------------------------------
 *
 * builtin.h
 *	  What is known of the server's own functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_BUILTIN_H
#define TVIEW_BUILTIN_H

#include "nodes/primnodes.h"

extern bool tview_builtin_is_fixed(Oid funcid);
extern bool tview_builtin_format_uses_locale(const char *format,
											 bool numeric);
extern const char *tview_builtin_value_name(SQLValueFunctionOp op);

#endif							/* TVIEW_BUILTIN_H */
