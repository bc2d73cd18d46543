# Unit tests of the layer act: UNIT_TESTS += test-NOUN, then SOURCES, CFLAGS and LDADD as in base.mk.
UNIT_TESTS += test-step
test_step_SOURCES = tests/unit/test-step.c tests/unit/suite.h tests/unit/topology-builder.h \
        tests/unit/tree.h
test_step_CFLAGS = $(UNIT_CFLAGS)
test_step_LDADD = $(UNIT_LIBS)
test_step_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=root_write_attribute,--wrap=hold_start

UNIT_TESTS += test-kernel-log
test_kernel_log_SOURCES = tests/unit/test-kernel-log.c tests/unit/suite.h
test_kernel_log_CFLAGS = $(UNIT_CFLAGS) $(SYSTEMD_CFLAGS)
test_kernel_log_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-result
test_result_SOURCES = tests/unit/test-result.c tests/unit/suite.h tests/unit/topology-builder.h
test_result_CFLAGS = $(UNIT_CFLAGS)
test_result_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-saved-state
test_saved_state_SOURCES = tests/unit/test-saved-state.c tests/unit/suite.h tests/unit/topology-builder.h
test_saved_state_CFLAGS = $(UNIT_CFLAGS)
test_saved_state_LDADD = $(UNIT_LIBS)
test_saved_state_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=root_write_attribute

UNIT_TESTS += test-entries
test_entries_SOURCES = tests/unit/test-entries.c tests/unit/suite.h tests/unit/topology-builder.h
test_entries_CFLAGS = $(UNIT_CFLAGS)
test_entries_LDADD = $(UNIT_LIBS)
test_entries_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=root_write_attribute

UNIT_TESTS += test-deadline
test_deadline_SOURCES = tests/unit/test-deadline.c tests/unit/suite.h
test_deadline_CFLAGS = $(UNIT_CFLAGS)
test_deadline_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-uevent
test_uevent_SOURCES = tests/unit/test-uevent.c tests/unit/suite.h
test_uevent_CFLAGS = $(UNIT_CFLAGS)
test_uevent_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-journal
test_journal_SOURCES = tests/unit/test-journal.c tests/unit/suite.h tests/unit/topology-builder.h
test_journal_CFLAGS = $(UNIT_CFLAGS)
test_journal_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-verify
test_verify_SOURCES = tests/unit/test-verify.c tests/unit/suite.h tests/unit/topology-builder.h
test_verify_CFLAGS = $(UNIT_CFLAGS)
test_verify_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-take-off
test_take_off_SOURCES = tests/unit/test-take-off.c tests/unit/host-tree.h tests/unit/suite.h \
        tests/unit/topology-builder.h tests/unit/tree.h
test_take_off_CFLAGS = $(UNIT_CFLAGS)
test_take_off_LDADD = $(UNIT_LIBS)
test_take_off_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=root_write_attribute

UNIT_TESTS += test-blocker
test_blocker_SOURCES = tests/unit/test-blocker.c tests/unit/suite.h tests/unit/tree.h
test_blocker_CFLAGS = $(UNIT_CFLAGS)
test_blocker_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-aftermath
test_aftermath_SOURCES = tests/unit/test-aftermath.c tests/unit/suite.h tests/unit/topology-builder.h \
        tests/unit/tree.h
test_aftermath_CFLAGS = $(UNIT_CFLAGS)
test_aftermath_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-restore
test_restore_SOURCES = tests/unit/test-restore.c tests/unit/suite.h tests/unit/topology-builder.h
test_restore_CFLAGS = $(UNIT_CFLAGS)
test_restore_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-group-guard
test_group_guard_SOURCES = tests/unit/test-group-guard.c tests/unit/suite.h tests/unit/topology-builder.h
test_group_guard_CFLAGS = $(UNIT_CFLAGS)
test_group_guard_LDADD = $(UNIT_LIBS)
test_group_guard_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=root_open_file
