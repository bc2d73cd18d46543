# Unit tests of the layer programs: UNIT_TESTS += test-NOUN, then SOURCES, CFLAGS and LDADD as in base.mk.
dist_check_SCRIPTS = tests/unit/test-client.sh tests/unit/test-service.sh
TESTS += $(dist_check_SCRIPTS)
