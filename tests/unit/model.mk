# Unit tests of the layer model: UNIT_TESTS += test-NOUN, then SOURCES, CFLAGS and LDADD as in base.mk.
UNIT_TESTS += test-msix-table
test_msix_table_SOURCES = tests/unit/test-msix-table.c tests/unit/suite.h
test_msix_table_CFLAGS = $(UNIT_CFLAGS)
test_msix_table_LDADD = $(UNIT_LIBS)

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
UNIT_TESTS += test-policy test-policy-reader

test_policy_SOURCES = tests/unit/test-policy.c tests/unit/suite.h
test_policy_CFLAGS = $(UNIT_CFLAGS) -DDEFAULTS_FILE=\"$(abs_srcdir)/conf/vfio-realign.conf\"
test_policy_LDADD = $(UNIT_LIBS)

test_policy_reader_SOURCES = tests/unit/test-policy-reader.c tests/unit/suite.h
test_policy_reader_CFLAGS = $(UNIT_CFLAGS)
test_policy_reader_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-iomem
test_iomem_SOURCES = tests/unit/test-iomem.c tests/unit/suite.h
test_iomem_CFLAGS = $(UNIT_CFLAGS)
test_iomem_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-boot-option
test_boot_option_SOURCES = tests/unit/test-boot-option.c tests/unit/suite.h
test_boot_option_CFLAGS = $(UNIT_CFLAGS)
test_boot_option_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-grown
test_grown_SOURCES = tests/unit/test-grown.c tests/unit/suite.h tests/unit/topology-builder.h
test_grown_CFLAGS = $(UNIT_CFLAGS)
test_grown_LDADD = $(UNIT_LIBS)
