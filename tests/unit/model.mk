# Unit tests of the layer model: UNIT_TESTS += test-NOUN, then SOURCES, CFLAGS and LDADD as in base.mk.
