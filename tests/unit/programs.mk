# Unit tests of the layer programs: UNIT_TESTS += test-NOUN, then SOURCES, CFLAGS and LDADD as in base.mk.
