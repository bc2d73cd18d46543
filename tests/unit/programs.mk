# Unit tests of the layer programs: UNIT_TESTS += test-NOUN, then SOURCES, CFLAGS and LDADD as in base.mk.
dist_check_SCRIPTS = tests/unit/test-catalog.sh tests/unit/test-client.sh tests/unit/test-completion.sh tests/unit/test-service.sh tests/unit/test-man.sh \
        tests/unit/test-readme.sh tests/unit/test-reasons.sh
TESTS += $(dist_check_SCRIPTS)

DAEMON_TEST_CFLAGS = $(UNIT_CFLAGS) $(SYSTEMD_CFLAGS)
DAEMON_TEST_LIBS = librealignd.a $(UNIT_LIBS)
UNIT_TESTS += test-assessment test-attempts test-bus-key test-bus-queue test-daemon \
        test-line-reader test-result-files test-worker-job test-worker-report

# Plays against the programs themselves.
test_daemon_SOURCES = tests/unit/test-daemon.c tests/unit/daemon-stage.h tests/unit/suite.h tests/unit/tree.h
test_daemon_CFLAGS = $(DAEMON_TEST_CFLAGS)
test_daemon_LDADD = $(DAEMON_TEST_LIBS)

UNIT_TESTS += test-log
test_log_SOURCES = tests/unit/test-log.c tests/unit/suite.h tests/unit/topology-builder.h
test_log_CFLAGS = $(DAEMON_TEST_CFLAGS)
test_log_LDADD = $(DAEMON_TEST_LIBS)
test_log_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sd_journal_sendv_with_location

UNIT_TESTS += test-lock-watch
test_lock_watch_SOURCES = tests/unit/test-lock-watch.c tests/unit/suite.h
test_lock_watch_CFLAGS = $(DAEMON_TEST_CFLAGS)
test_lock_watch_LDADD = $(DAEMON_TEST_LIBS)

# The same over D-Bus, with a bus of their own.
DBUS_TESTS = test-hook test-dbus test-dbus-errand test-dbus-request test-dbus-polkit
UNIT_TESTS += $(DBUS_TESTS)
DBUS_TEST_CFLAGS = $(DAEMON_TEST_CFLAGS) -DDBUS_POLICY_TOP=\"$(abs_top_srcdir)\"
DBUS_STAGE = tests/unit/dbus-stage.h tests/unit/daemon-stage.h tests/unit/suite.h tests/unit/tree.h
test_dbus_SOURCES = tests/unit/test-dbus.c $(DBUS_STAGE)
test_dbus_CFLAGS = $(DBUS_TEST_CFLAGS)
test_dbus_LDADD = $(DAEMON_TEST_LIBS)
test_hook_SOURCES = tests/unit/test-hook.c $(DBUS_STAGE) tests/unit/topology-builder.h
test_hook_CFLAGS = $(DBUS_TEST_CFLAGS)
test_hook_LDADD = $(DAEMON_TEST_LIBS)
test_dbus_errand_SOURCES = tests/unit/test-dbus-errand.c $(DBUS_STAGE)
test_dbus_errand_CFLAGS = $(DBUS_TEST_CFLAGS)
test_dbus_errand_LDADD = $(DAEMON_TEST_LIBS)
test_dbus_request_SOURCES = tests/unit/test-dbus-request.c $(DBUS_STAGE)
test_dbus_request_CFLAGS = $(DBUS_TEST_CFLAGS)
test_dbus_request_LDADD = $(DAEMON_TEST_LIBS)
test_dbus_polkit_SOURCES = tests/unit/test-dbus-polkit.c $(DBUS_STAGE)
test_dbus_polkit_CFLAGS = $(DBUS_TEST_CFLAGS)
test_dbus_polkit_LDADD = $(DAEMON_TEST_LIBS)

test_attempts_SOURCES = tests/unit/test-attempts.c tests/unit/suite.h
test_attempts_CFLAGS = $(DAEMON_TEST_CFLAGS)
test_attempts_LDADD = $(DAEMON_TEST_LIBS)

test_bus_key_SOURCES = tests/unit/test-bus-key.c tests/unit/suite.h
test_bus_key_CFLAGS = $(DAEMON_TEST_CFLAGS)
test_bus_key_LDADD = $(DAEMON_TEST_LIBS)

test_bus_queue_SOURCES = tests/unit/test-bus-queue.c tests/unit/suite.h
test_bus_queue_CFLAGS = $(DAEMON_TEST_CFLAGS)
test_bus_queue_LDADD = $(DAEMON_TEST_LIBS)

test_line_reader_SOURCES = tests/unit/test-line-reader.c tests/unit/suite.h
test_line_reader_CFLAGS = $(DAEMON_TEST_CFLAGS)
test_line_reader_LDADD = $(DAEMON_TEST_LIBS)

test_result_files_SOURCES = tests/unit/test-result-files.c tests/unit/suite.h
test_result_files_CFLAGS = $(DAEMON_TEST_CFLAGS)
test_result_files_LDADD = $(DAEMON_TEST_LIBS)

test_worker_report_SOURCES = tests/unit/test-worker-report.c tests/unit/suite.h
test_worker_report_CFLAGS = $(DAEMON_TEST_CFLAGS)
test_worker_report_LDADD = $(DAEMON_TEST_LIBS)

UNIT_TESTS += test-verbs
test_verbs_SOURCES = tests/unit/test-verbs.c tests/unit/suite.h tests/unit/verb-trees.h
test_verbs_CFLAGS = $(UNIT_CFLAGS)
test_verbs_LDADD = $(UNIT_LIBS)
EXTRA_DIST += tests/data/expected

UNIT_TESTS += test-worker-process
test_worker_process_SOURCES = tests/unit/test-worker-process.c tests/unit/suite.h \
        src/client/client.c src/client/worker-process.c
test_worker_process_CFLAGS = $(UNIT_CFLAGS)
test_worker_process_LDADD = $(UNIT_LIBS)

test_assessment_SOURCES = tests/unit/test-assessment.c tests/unit/suite.h tests/unit/tree.h
test_assessment_CFLAGS = $(DAEMON_TEST_CFLAGS)
test_assessment_LDADD = $(DAEMON_TEST_LIBS)

test_worker_job_SOURCES = tests/unit/test-worker-job.c tests/unit/suite.h
test_worker_job_CFLAGS = $(DAEMON_TEST_CFLAGS)
test_worker_job_LDADD = $(DAEMON_TEST_LIBS)

UNIT_TESTS += test-page-picture
test_page_picture_SOURCES = tests/unit/test-page-picture.c tests/unit/suite.h \
        src/client/page-picture.c src/client/style.c
test_page_picture_CFLAGS = $(UNIT_CFLAGS)
test_page_picture_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-worker-verbs
test_worker_verbs_SOURCES = tests/unit/test-worker-verbs.c tests/unit/suite.h
test_worker_verbs_CFLAGS = $(UNIT_CFLAGS)
test_worker_verbs_LDADD = $(UNIT_LIBS)

UNIT_TESTS += test-restored
test_restored_SOURCES = tests/unit/test-restored.c tests/unit/suite.h
test_restored_CFLAGS = $(DAEMON_TEST_CFLAGS)
test_restored_LDADD = $(DAEMON_TEST_LIBS)

UNIT_TESTS += test-plan-text
test_plan_text_SOURCES = tests/unit/test-plan-text.c tests/unit/suite.h src/client/plan-text.c
test_plan_text_CFLAGS = $(UNIT_CFLAGS) $(SMARTCOLS_CFLAGS)
test_plan_text_LDADD = $(UNIT_LIBS) $(SMARTCOLS_LIBS)

# The command line against the daemon, on a bus of their own.
UNIT_TESTS += test-bus-verbs
test_bus_verbs_SOURCES = tests/unit/test-bus-verbs.c $(DBUS_STAGE)
test_bus_verbs_CFLAGS = $(DBUS_TEST_CFLAGS)
test_bus_verbs_LDADD = $(DAEMON_TEST_LIBS)

UNIT_TESTS += test-inhibition
test_inhibition_SOURCES = tests/unit/test-inhibition.c tests/unit/suite.h
test_inhibition_CFLAGS = $(DAEMON_TEST_CFLAGS)
test_inhibition_LDADD = $(DAEMON_TEST_LIBS)
