# Unit tests of the layer model: UNIT_TESTS += test-NOUN, then SOURCES, CFLAGS and LDADD as in base.mk.
UNIT_TESTS += test-alignment-param test-resource test-topology

test_alignment_param_SOURCES = tests/unit/test-alignment-param.c tests/unit/suite.h
test_alignment_param_CFLAGS = $(UNIT_CFLAGS)
test_alignment_param_LDADD = $(UNIT_LIBS)

test_resource_SOURCES = tests/unit/test-resource.c tests/unit/suite.h
test_resource_CFLAGS = $(UNIT_CFLAGS)
test_resource_LDADD = $(UNIT_LIBS)

test_topology_SOURCES = tests/unit/test-topology.c tests/unit/suite.h tests/unit/tree.h
test_topology_CFLAGS = $(UNIT_CFLAGS)
test_topology_LDADD = $(UNIT_LIBS)
