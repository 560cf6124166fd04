/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  The one place that knows server versions.
 *
 * Everything else is written for the newest supported server; each shim
 * says which version stops needing it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TVIEW_COMPAT_H
#define TVIEW_COMPAT_H

#include "access/parallel.h"
#include "access/tupdesc.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_database.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "utils/guc.h"

/* PostgreSQL 16 moved the macros for varlena out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* PostgreSQL 16 moved permissions from range table entries to the query. */
#if PG_VERSION_NUM >= 160000
#define tview_clear_perminfo(rte)	((rte)->perminfoindex = 0)
#else
#define tview_clear_perminfo(rte)	((rte)->requiredPerms = 0)
#endif

/* Raise an error if the current user may not read what a query reads. */
#if PG_VERSION_NUM >= 160000
#define tview_check_permissions(query) \
	((void) ExecCheckPermissions((query)->rtable, (query)->rteperminfos, true))
#else
#define tview_check_permissions(query) \
	((void) ExecCheckRTPerms((query)->rtable, true))
#endif

/*
 * PostgreSQL 16 made Vars say which outer joins may null them.  Where Vars
 * are compared whatever level of a query they come from, that is in the way.
 */
#if PG_VERSION_NUM >= 160000
#define tview_clear_nullingrels(var)	((var)->varnullingrels = NULL)
#else
#define tview_clear_nullingrels(var)	((void) (var))
#endif

/* PostgreSQL 17 can change how a generated column is computed. */
#if PG_VERSION_NUM >= 170000
#define tview_sets_expression(cmd)	((cmd)->subtype == AT_SetExpression)
#else
#define tview_sets_expression(cmd)	((void) (cmd), false)
#endif

/* PostgreSQL 16 brought JSON_OBJECT and the like: what they make text of. */
#if PG_VERSION_NUM >= 160000
#define tview_json_args(node) \
	(IsA((node), JsonConstructorExpr) ? \
	 ((JsonConstructorExpr *) (node))->args : NIL)
#else
#define tview_json_args(node)		((void) (node), NIL)
#endif

/* PostgreSQL 17 brought JSON_VALUE and the like: what they make of text. */
#if PG_VERSION_NUM >= 170000
#define tview_json_returning(node) \
	(IsA((node), JsonExpr) ? ((JsonExpr *) (node))->returning->typid : \
	 InvalidOid)
#else
#define tview_json_returning(node)	((void) (node), InvalidOid)
#endif

/* PostgreSQL 18 replaced pg_attribute_noreturn(), which goes last. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn			_Noreturn
#endif

/* PostgreSQL 18 dropped the argument execute_once of ExecutorRun(). */
#if PG_VERSION_NUM >= 180000
#define TVIEW_RUN_ARGS		QueryDesc *desc, ScanDirection direction, \
							uint64 count
#define TVIEW_RUN_PASS		desc, direction, count
#define tview_executor_run(desc)	ExecutorRun((desc), ForwardScanDirection, 0)
#else
#define TVIEW_RUN_ARGS		QueryDesc *desc, ScanDirection direction, \
							uint64 count, bool execute_once
#define TVIEW_RUN_PASS		desc, direction, count, execute_once
#define tview_executor_run(desc) \
	ExecutorRun((desc), ForwardScanDirection, 0, true)
#endif

/* PostgreSQL 18 made grouping expressions range table entries. */
#if PG_VERSION_NUM >= 180000
#define tview_group_exprs(rte) \
	((rte)->rtekind == RTE_GROUP ? (rte)->groupexprs : NIL)
#else
#define tview_group_exprs(rte)		((void) (rte), NIL)
#endif

/* PostgreSQL 18 says with an enum of its own which way an operator orders. */
#if PG_VERSION_NUM >= 180000
typedef CompareType TviewOrdering;
#else
typedef int16 TviewOrdering;
#endif

/* PostgreSQL 18 knows generated columns that are not stored. */
#if PG_VERSION_NUM >= 180000
#define tview_is_virtual(att) \
	((att)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
#else
#define tview_is_virtual(att)		((void) (att), false)
#endif

/*
 * PostgreSQL 18 knows NOT NULL constraints that hold for new rows only, and
 * marks their columns like those of others.
 */
#if PG_VERSION_NUM >= 180000
#define tview_is_not_null(desc, i) \
	(TupleDescCompactAttr((desc), (i))->attnullability == ATTNULLABLE_VALID)
#else
#define tview_is_not_null(desc, i)	(TupleDescAttr((desc), (i))->attnotnull)
#endif

/* PostgreSQL 18 generalised comparison operators from btree to all indexes. */
#if PG_VERSION_NUM < 180000
#define get_op_index_interpretation(opno)	get_op_btree_interpretation(opno)
#endif

/* PostgreSQL 17 named the type of NOT NULL constraints, 18 has them on tables. */
#if PG_VERSION_NUM < 170000
#define CONSTRAINT_NOTNULL	'n'
#endif

/* PostgreSQL 17 gives shared memory to libraries that are not preloaded. */
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#define TVIEW_NAMED_SEGMENTS
#endif

/* PostgreSQL 17 lets hash tables in shared memory copy their keys. */
#if PG_VERSION_NUM >= 170000
#define TVIEW_DSHASH_COPY		.copy_function = dshash_memcpy,
#else
#define TVIEW_DSHASH_COPY
#endif

/* PostgreSQL 17 has the number of this process in a variable of its own. */
#if PG_VERSION_NUM >= 170000
#define tview_my_proc_number()	MyProcNumber
#else
#define tview_my_proc_number()	(MyProc->pgprocno)
#endif

/* PostgreSQL 16 checks owners and rights of all objects with one function. */
#if PG_VERSION_NUM >= 160000
#define tview_may_use_schema(schema, role) \
	(object_aclcheck(NamespaceRelationId, (schema), (role), \
					 ACL_USAGE) == ACLCHECK_OK)
#define tview_is_database_owner() \
	object_ownercheck(DatabaseRelationId, MyDatabaseId, GetUserId())
#else
#define tview_may_use_schema(schema, role) \
	(pg_namespace_aclcheck((schema), (role), ACL_USAGE) == ACLCHECK_OK)
#define tview_is_database_owner() \
	pg_database_ownercheck(MyDatabaseId, GetUserId())
#endif

#endif							/* TVIEW_COMPAT_H */
