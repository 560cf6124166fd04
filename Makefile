# pg_tviews
#
# all, install, uninstall, clean and the installcheck targets are those of the
# extensions; PG_CONFIG chooses the server.  The rest are scripts that bring
# their own throw-away server.

# folders with an extension, each with its own PGXS Makefile
SUBDIRS = pg_tviews

DELEGATED = all install uninstall clean installcheck prove-installcheck

.PHONY: $(DELEGATED) test upgrade-test demo bench bench-concurrency fmt check-style

all:

define delegate
.PHONY: $(1)/$(2)
$(2): $(1)/$(2)
$(1)/$(2):
	$$(MAKE) -C $(1) $(2)
endef
$(foreach dir,$(SUBDIRS),$(foreach target,$(DELEGATED),\
	$(eval $(call delegate,$(dir),$(target)))))

test:
	@tools/test

upgrade-test:
	@tools/upgrade

demo:
	@demo/run

bench:
	@bench/run

bench-concurrency:
	@bench/concurrency

fmt:
	@tools/fmt

check-style:
	@tools/checks
