UNIT_TESTS += test-pci-address test-read-until-end test-root test-text

test_read_until_end_SOURCES = tests/unit/test-read-until-end.c tests/unit/suite.h
test_read_until_end_CFLAGS = $(UNIT_CFLAGS)
test_read_until_end_LDADD = $(UNIT_LIBS)

test_pci_address_SOURCES = tests/unit/test-pci-address.c tests/unit/suite.h
test_pci_address_CFLAGS = $(UNIT_CFLAGS)
test_pci_address_LDADD = $(UNIT_LIBS)

test_root_SOURCES = tests/unit/test-root.c tests/unit/suite.h
test_root_CFLAGS = $(UNIT_CFLAGS)
test_root_LDADD = $(UNIT_LIBS)

test_text_SOURCES = tests/unit/test-text.c tests/unit/suite.h
test_text_CFLAGS = $(UNIT_CFLAGS)
test_text_LDADD = $(UNIT_LIBS)
