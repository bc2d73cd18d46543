# Unit tests of the layer model: UNIT_TESTS += test-NOUN, then SOURCES, CFLAGS and LDADD as in base.mk.
UNIT_TESTS += test-alignment-param

test_alignment_param_SOURCES = tests/unit/test-alignment-param.c tests/unit/suite.h
test_alignment_param_CFLAGS = $(UNIT_CFLAGS)
test_alignment_param_LDADD = $(UNIT_LIBS)
