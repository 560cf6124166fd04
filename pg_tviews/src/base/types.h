/*-------------------------------------------------------------------------
 *
 * types.h
 *	  What equality means for a type.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_TYPES_H
#define TVIEW_TYPES_H

#include "fmgr.h"

extern bool tview_type_is_image_equal(Oid type, Oid collation);
extern Oid	tview_type_of_elements(Oid type);
extern bool tview_type_hash_functions(Oid opno, Oid left, Oid right,
									  Oid *functions);
extern uint32 tview_hash_value(uint32 hash, FmgrInfo *function, Oid collation,
							   Datum value);

#endif							/* TVIEW_TYPES_H */
