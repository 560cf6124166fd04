/*-------------------------------------------------------------------------
 *
 * execute.h
 *	  Running DDL of our own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_EXECUTE_H
#define TVIEW_EXECUTE_H

extern void tview_execute(const char *format,...) pg_attribute_printf(1, 2);

#endif							/* TVIEW_EXECUTE_H */
