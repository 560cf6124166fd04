/*-------------------------------------------------------------------------
 *
 * types.h
 *	  What equality means for a type.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_TYPES_H
#define TVIEW_TYPES_H

extern bool tview_type_is_image_equal(Oid type, Oid collation);
extern Oid	tview_type_of_elements(Oid type);

#endif							/* TVIEW_TYPES_H */
