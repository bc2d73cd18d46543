/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/bus-queue.h"
#include "suite.h"

#define BUS "0000:00:1c.0"
#define BELOW BUS "/00.0"
#define OTHER "0000:00:1d.0"
#define MS UINT64_C(1000)
#define DELAY (3000 * MS)

static BusQueue *queue;

static void setup(void)
{
        ck_assert_int_eq(bus_queue_new(&queue), 0);
}

static void teardown(void)
{
        bus_queue_free(queue);
}

static Bus *touch(const char *key, uint64_t now)
{
        ck_assert_int_eq(bus_queue_touch(queue, key, now), 0);
        return bus_queue_find(queue, key);
}

static EnableWatch *some_watch(void)
{
        EnableWatch *watch;
        ck_assert_int_eq(enable_watch_new(&watch), 0);
        return watch;
}

START_TEST(an_event_is_looked_at_after_a_glance)
{
        ck_assert_uint_eq(bus_queue_next(queue), BUS_NEVER);
        const Bus *bus = touch(BUS, 1000 * MS);
        ck_assert_int_eq(bus->state, BUS_SETTLING);
        ck_assert_ptr_null(bus_queue_due(queue, 1000 * MS + BUS_GLANCE_USEC - 1));
        ck_assert_ptr_eq(bus_queue_due(queue, 1000 * MS + BUS_GLANCE_USEC), bus);
        ck_assert_uint_eq(bus_queue_next(queue), 1000 * MS + BUS_GLANCE_USEC);
}
END_TEST

/* Functions bound 20 ms apart: one look, and quiet only when the last one is DELAY ago. */
START_TEST(binds_of_one_bus_are_one)
{
        Bus *bus = NULL;
        for (unsigned i = 0; i < 8; i++)
                bus = touch(BUS, i * 20 * MS);
        uint64_t last = 7 * 20 * MS;
        ck_assert_uint_eq(queue->n_buses, 1);
        ck_assert_ptr_null(bus_queue_due(queue, last + BUS_GLANCE_USEC - 1));

        uint64_t look = last + BUS_GLANCE_USEC;
        ck_assert_ptr_eq(bus_queue_due(queue, look), bus);
        ck_assert(!bus_is_quiet(bus, DELAY, look));
        ck_assert_ptr_null(bus_queue_due(queue, last + DELAY - 1));
        ck_assert_ptr_eq(bus_queue_due(queue, last + DELAY), bus);
        ck_assert(bus_is_quiet(bus, DELAY, last + DELAY));
        ck_assert_uint_eq(bus->delay, DELAY);
}
END_TEST

START_TEST(an_event_while_settling_begins_anew)
{
        Bus *bus = touch(BUS, 0);
        ck_assert(!bus_is_quiet(bus, DELAY, BUS_GLANCE_USEC));
        touch(BUS, DELAY - 1);
        ck_assert(!bus_is_quiet(bus, DELAY, DELAY));
        ck_assert_uint_eq(bus->due, 2 * DELAY - 1);
}
END_TEST

START_TEST(the_longest_waiting_bus_comes_first)
{
        Bus *first = touch(OTHER, 0), *second = touch(BUS, 1);
        ck_assert_ptr_eq(bus_queue_due(queue, DELAY), first);
        bus_rest(first, REASON_NONE);
        ck_assert_ptr_eq(bus_queue_due(queue, DELAY), second);
        bus_rest(second, REASON_NONE);
        ck_assert_ptr_null(bus_queue_due(queue, BUS_NEVER));
        ck_assert_uint_eq(bus_queue_count(queue, BUS_SETTLED), 2);
}
END_TEST

START_TEST(an_event_below_is_one_of_the_known_bus_above)
{
        Bus *above = touch(BUS, 0);
        bus_rest(above, REASON_SIBLING_ON_HOST_DRIVER);
        touch(BELOW, 5 * MS);
        ck_assert_int_eq(above->state, BUS_SETTLING);
        ck_assert_uint_eq(above->last_event, 5 * MS);
        /* but a bus above that nobody knows is not made, and one below is not touched */
        touch(OTHER "/00.0", 5 * MS);
        ck_assert_ptr_null(bus_queue_find(queue, OTHER));
        Bus *below = bus_queue_find(queue, BELOW);
        bus_rest(below, REASON_NONE);
        touch(BUS, 9 * MS);
        ck_assert_int_eq(below->state, BUS_SETTLED);
}
END_TEST

START_TEST(what_comes_while_planning_is_seen_after_it)
{
        Bus *bus = touch(BUS, 0);
        bus_plan(bus);
        ck_assert(!bus_resume(bus));
        touch(BUS, DELAY);
        ck_assert_int_eq(bus->state, BUS_PLANNING);
        ck_assert_ptr_null(bus_queue_due(queue, BUS_NEVER));
        ck_assert(bus_resume(bus));
        ck_assert_int_eq(bus->state, BUS_SETTLING);
        ck_assert(!bus_is_quiet(bus, DELAY, DELAY + BUS_GLANCE_USEC));
        ck_assert(!bus->touched);
}
END_TEST

/* The transaction's own unbinds and binds must not lead to another one: one look, at once. */
START_TEST(own_events_are_swallowed)
{
        Bus *bus = touch(BUS, 0);
        bus_plan(bus);
        bus_execute(bus);
        touch(BUS, DELAY);
        bus_finish(bus, DELAY + 1);
        ck_assert(!bus->touched);
        ck_assert_ptr_eq(bus_queue_due(queue, DELAY + 1), bus);
        bus_rest(bus, REASON_NONE);
        ck_assert_uint_eq(bus_queue_next(queue), BUS_NEVER);
}
END_TEST

START_TEST(waiting_ends_by_time_or_event)
{
        Bus *bus = touch(BUS, 0);
        bus_wait(bus, REASON_IN_USE, some_watch(), 10 * DELAY);
        ck_assert_int_eq(bus->reason, REASON_IN_USE);
        ck_assert_uint_eq(bus_queue_count(queue, BUS_WAITING), 1);
        ck_assert_ptr_null(bus_queue_due(queue, 10 * DELAY - 1));
        ck_assert_ptr_eq(bus_queue_due(queue, 10 * DELAY), bus);
        touch(BUS, 2 * DELAY);
        ck_assert_int_eq(bus->state, BUS_SETTLING);
        ck_assert_ptr_null(bus->watch);
        ck_assert_ptr_eq(bus_queue_due(queue, 2 * DELAY + BUS_GLANCE_USEC), bus);
}
END_TEST

/* A close that the kernel is still at: one more delay is granted for each plan, not an endless row of them. */
START_TEST(a_closing_function_settles_once_more)
{
        Bus *bus = touch(BUS, 0);
        ck_assert(bus_is_quiet(bus, DELAY, DELAY));
        bus_plan(bus);
        ck_assert(bus_settle_again(bus, DELAY));
        ck_assert_int_eq(bus->state, BUS_SETTLING);
        ck_assert_uint_eq(bus_queue_next(queue), 2 * DELAY);
        ck_assert(!bus_is_quiet(bus, DELAY, 2 * DELAY - 1));
        ck_assert(bus_is_quiet(bus, DELAY, 2 * DELAY));
        bus_plan(bus);
        ck_assert(!bus_settle_again(bus, 2 * DELAY));
        ck_assert_int_eq(bus->state, BUS_PLANNING);
        bus_execute(bus);
        bus_finish(bus, 3 * DELAY);
        bus_plan(bus);
        ck_assert(bus_settle_again(bus, 3 * DELAY));
}
END_TEST

/* It need not be read again for them, but they still have to be quiet. */
START_TEST(all_that_settle_are_looked_at_when_all_was_read)
{
        Bus *bus = touch(BUS, 0), *other = touch(OTHER, 0);
        bus_rest(other, REASON_NONE);
        bus_queue_hasten(queue, 0);
        ck_assert_ptr_eq(bus_queue_due(queue, 0), bus);
        ck_assert(!bus_is_quiet(bus, DELAY, 0));
        ck_assert_uint_eq(bus_queue_next(queue), DELAY);
        ck_assert_int_eq(other->state, BUS_SETTLED);
}
END_TEST

START_TEST(its_changes_can_be_told)
{
        Bus *bus = touch(BUS, 0);
        unsigned before = bus->n_changes;
        bus_touch(bus, MS);
        ck_assert_uint_eq(bus->n_changes, before); /* it still settles */
        bus_rest(bus, REASON_NONE);
        ck_assert_uint_ne(bus->n_changes, before);
        before = bus->n_changes;
        bus_rest(bus, REASON_IN_USE);
        ck_assert_uint_ne(bus->n_changes, before);
}
END_TEST

START_TEST(says_only_what_is_new)
{
        Bus *bus = touch(BUS, 0);
        ck_assert(!bus_says(bus, NULL));
        ck_assert(bus_says(bus, "in use"));
        ck_assert(!bus_says(bus, "in use"));
        ck_assert(bus_says(bus, "refused"));
        ck_assert(!bus_says(bus, NULL));
        ck_assert(bus_says(bus, "refused"));
        ck_assert(bus_remarks(bus, "refused"));
        ck_assert(!bus_remarks(bus, "refused"));
}
END_TEST

int main(void)
{
        Suite *suite = suite_create("bus-queue");
        TCase *tests = tcase_create("bus-queue");
        tcase_add_checked_fixture(tests, setup, teardown);
        tcase_add_test(tests, an_event_is_looked_at_after_a_glance);
        tcase_add_test(tests, binds_of_one_bus_are_one);
        tcase_add_test(tests, an_event_while_settling_begins_anew);
        tcase_add_test(tests, the_longest_waiting_bus_comes_first);
        tcase_add_test(tests, an_event_below_is_one_of_the_known_bus_above);
        tcase_add_test(tests, what_comes_while_planning_is_seen_after_it);
        tcase_add_test(tests, own_events_are_swallowed);
        tcase_add_test(tests, waiting_ends_by_time_or_event);
        tcase_add_test(tests, a_closing_function_settles_once_more);
        tcase_add_test(tests, all_that_settle_are_looked_at_when_all_was_read);
        tcase_add_test(tests, its_changes_can_be_told);
        tcase_add_test(tests, says_only_what_is_new);
        suite_add_tcase(suite, tests);
        return suite_run(suite);
}
