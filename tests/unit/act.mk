# Unit tests of the layer act: UNIT_TESTS += test-NOUN, then SOURCES, CFLAGS and LDADD as in base.mk.
UNIT_TESTS += test-journal
test_journal_SOURCES = tests/unit/test-journal.c tests/unit/suite.h tests/unit/topology-builder.h
test_journal_CFLAGS = $(UNIT_CFLAGS)
test_journal_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-verify
test_verify_SOURCES = tests/unit/test-verify.c tests/unit/suite.h tests/unit/topology-builder.h
test_verify_CFLAGS = $(UNIT_CFLAGS)
test_verify_LDADD = $(UNIT_LIBS)
