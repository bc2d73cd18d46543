# Unit tests of the layer judge: UNIT_TESTS += test-NOUN, then SOURCES, CFLAGS and LDADD as in base.mk.
UNIT_TESTS += test-plan-refusals
test_plan_refusals_SOURCES = tests/unit/test-plan-refusals.c tests/unit/suite.h \
        tests/unit/plan-cases.h tests/unit/topology-builder.h
test_plan_refusals_CFLAGS = $(UNIT_CFLAGS)
test_plan_refusals_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-plan-document
test_plan_document_SOURCES = tests/unit/test-plan-document.c tests/unit/suite.h tests/unit/topology-builder.h
test_plan_document_CFLAGS = $(UNIT_CFLAGS)
test_plan_document_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-plan-random
test_plan_random_SOURCES = tests/unit/test-plan-random.c tests/unit/suite.h tests/unit/topology-builder.h
test_plan_random_CFLAGS = $(UNIT_CFLAGS)
test_plan_random_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-plan-proof
test_plan_proof_SOURCES = tests/unit/test-plan-proof.c tests/unit/suite.h tests/unit/topology-builder.h
test_plan_proof_CFLAGS = $(UNIT_CFLAGS)
test_plan_proof_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-plan
test_plan_SOURCES = tests/unit/test-plan.c tests/unit/plan-cases.h tests/unit/suite.h \
        tests/unit/topology-builder.h
test_plan_CFLAGS = $(UNIT_CFLAGS)
test_plan_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-usage
test_usage_SOURCES = tests/unit/test-usage.c tests/unit/suite.h
test_usage_CFLAGS = $(UNIT_CFLAGS)
test_usage_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-verdict
test_verdict_SOURCES = tests/unit/test-verdict.c tests/unit/layout.h tests/unit/reference.h tests/unit/suite.h
test_verdict_CFLAGS = $(UNIT_CFLAGS)
test_verdict_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-window-fit
test_window_fit_SOURCES = tests/unit/test-window-fit.c tests/unit/layout.h tests/unit/suite.h
test_window_fit_CFLAGS = $(UNIT_CFLAGS)
test_window_fit_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-recorded
test_recorded_SOURCES = tests/unit/test-recorded.c tests/unit/reference.h tests/unit/suite.h tests/unit/tree.h
test_recorded_CFLAGS = $(UNIT_CFLAGS)
test_recorded_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-host-use
test_host_use_SOURCES = tests/unit/test-host-use.c tests/unit/host-tree.h tests/unit/suite.h
test_host_use_CFLAGS = $(UNIT_CFLAGS)
test_host_use_LDADD = $(UNIT_LIBS)
test_host_use_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=root_read_attribute

UNIT_TESTS += test-shared-page
test_shared_page_SOURCES = tests/unit/test-shared-page.c tests/unit/suite.h tests/unit/topology-builder.h
test_shared_page_CFLAGS = $(UNIT_CFLAGS)
test_shared_page_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-host-random
test_host_random_SOURCES = tests/unit/test-host-random.c tests/unit/host-tree.h tests/unit/suite.h
test_host_random_CFLAGS = $(UNIT_CFLAGS)
test_host_random_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-rebind
test_rebind_SOURCES = tests/unit/test-rebind.c tests/unit/suite.h tests/unit/topology-builder.h
test_rebind_CFLAGS = $(UNIT_CFLAGS)
test_rebind_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-prepare
test_prepare_SOURCES = tests/unit/test-prepare.c tests/unit/plan-cases.h tests/unit/suite.h \
        tests/unit/topology-builder.h
test_prepare_CFLAGS = $(UNIT_CFLAGS)
test_prepare_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-page-view
test_page_view_SOURCES = tests/unit/test-page-view.c tests/unit/suite.h tests/unit/topology-builder.h
test_page_view_CFLAGS = $(UNIT_CFLAGS)
test_page_view_LDADD = $(UNIT_LIBS)
