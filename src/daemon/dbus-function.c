/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "daemon/dbus-function.h"

#include "base/text.h"
#include "daemon/function-view.h"
#include "model/policy-key.h"

#include <errno.h>
#include <string.h>

struct DBusFunctions {
        sd_bus *connection;
        const Manager *manager;
        sd_bus_slot *vtable, *enumerator;
        FunctionView *views; /* sorted by address, as the survey is */
        size_t n_views;
        uint64_t revision; /* manager->revision that the facts are of */
};

char *dbus_function_path(PciAddress address)
{
        char *path;
        return sd_bus_path_encode(DBUS_FUNCTION_PREFIX, PCI_ADDRESS_TEXT(address), &path) < 0 ? NULL : path;
}

/* --- the properties */

#define GETTER(name)                                                                                        \
        static int get_##name(sd_bus *connection, const char *path, const char *interface,                  \
                              const char *property, sd_bus_message *reply, void *userdata,                  \
                              sd_bus_error *error)
#define VIEW const FunctionView *view = userdata

#define TEXT_GETTER(name, value)                                                                            \
        GETTER(name)                                                                                        \
        {                                                                                                   \
                VIEW;                                                                                       \
                return sd_bus_message_append(reply, "s", value);                                            \
        }
TEXT_GETTER(address, PCI_ADDRESS_TEXT(view->facts.address))
TEXT_GETTER(path, view->facts.path)
TEXT_GETTER(driver, view->facts.driver)
TEXT_GETTER(verdict, function_verdict_name(view->facts.verdict))
TEXT_GETTER(state, view->state.state)
TEXT_GETTER(reason, reason_name(view->state.reason))
TEXT_GETTER(reason_text, reason_text(view->state.reason))
TEXT_GETTER(detail, view->state.detail ? view->state.detail : "")
TEXT_GETTER(remedy, view->state.reason == REASON_NONE ? "" : reason_remedy(view->state.reason))

GETTER(group)
{
        VIEW;
        return sd_bus_message_append(reply, "i", view->facts.iommu_group);
}

static int append_bar(sd_bus_message *reply, const BarView *bar)
{
        int r = sd_bus_message_open_container(reply, 'r', "ustttas");
        if (r >= 0)
                r = sd_bus_message_append(reply, "usttt", bar->line, bar->verdict, bar->start, bar->size,
                                          bar->own_size);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, bar->neighbours);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

GETTER(bars)
{
        VIEW;
        int r = sd_bus_message_open_container(reply, 'a', "(ustttas)");
        for (size_t i = 0; i < view->facts.n_bars && r >= 0; i++)
                r = append_bar(reply, &view->facts.bars[i]);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

GETTER(policy)
{
        VIEW;
        int r = sd_bus_message_open_container(reply, 'a', "{ss}");
        for (PolicyKeyId key = 0; key < POLICY_KEY_COUNT_ && r >= 0; key++) {
                _cleanup_free_ char *value = policy_key_format(key, &view->facts.settings);
                r = value ? sd_bus_message_append(reply, "{ss}", policy_key_name(key), value) : -ENOMEM;
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

GETTER(last_transaction)
{
        const FunctionState *state = &((FunctionView *) userdata)->state;
        if (!state->transaction)
                return sd_bus_message_append(reply, "(ssst)", "", "", "", UINT64_C(0));
        return sd_bus_message_append(reply, "(ssst)", state->transaction, outcome_name(state->outcome),
                                     reason_name(state->transaction_reason), state->when_usec);
}

#define CHANGING SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
const sd_bus_vtable dbus_function_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Address", "s", get_address, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Path", "s", get_path, 0, CHANGING),
        SD_BUS_PROPERTY("Driver", "s", get_driver, 0, CHANGING),
        SD_BUS_PROPERTY("IOMMUGroup", "i", get_group, 0, CHANGING),
        SD_BUS_PROPERTY("Verdict", "s", get_verdict, 0, CHANGING),
        SD_BUS_PROPERTY("State", "s", get_state, 0, CHANGING),
        SD_BUS_PROPERTY("Reason", "s", get_reason, 0, CHANGING),
        SD_BUS_PROPERTY("ReasonText", "s", get_reason_text, 0, CHANGING),
        SD_BUS_PROPERTY("Detail", "s", get_detail, 0, CHANGING),
        SD_BUS_PROPERTY("Remedy", "s", get_remedy, 0, CHANGING),
        SD_BUS_PROPERTY("BARs", "a(ustttas)", get_bars, 0, CHANGING),
        SD_BUS_PROPERTY("Policy", "a{ss}", get_policy, 0, CHANGING),
        SD_BUS_PROPERTY("LastTransaction", "(ssst)", get_last_transaction, 0, CHANGING),
        SD_BUS_VTABLE_END,
};

/* --- what has changed */

#define SAME(name) static bool same_##name(const FunctionView *a, const FunctionView *b)
SAME(path)
{
        return strcmp(a->facts.path, b->facts.path) == 0;
}
SAME(driver)
{
        return strcmp(a->facts.driver, b->facts.driver) == 0;
}
SAME(group)
{
        return a->facts.iommu_group == b->facts.iommu_group;
}
SAME(verdict)
{
        return a->facts.verdict == b->facts.verdict;
}
SAME(state)
{
        return strcmp(a->state.state, b->state.state) == 0;
}
SAME(reason)
{
        return a->state.reason == b->state.reason;
}
SAME(detail)
{
        return text_equal(a->state.detail, b->state.detail);
}
SAME(bars)
{
        return bar_views_equal(&a->facts, &b->facts);
}
SAME(policy)
{
        return policy_settings_equal(&a->facts.settings, &b->facts.settings);
}
SAME(last_transaction)
{
        return text_equal(a->state.transaction, b->state.transaction) &&
               a->state.outcome == b->state.outcome && a->state.when_usec == b->state.when_usec;
}

typedef struct ChangeRow {
        const char *property;
        bool (*same)(const FunctionView *a, const FunctionView *b);
} ChangeRow;

static const ChangeRow change_rows[] = {
        { "Path", same_path },         { "Driver", same_driver },
        { "IOMMUGroup", same_group },  { "Verdict", same_verdict },
        { "State", same_state },       { "Reason", same_reason },
        { "ReasonText", same_reason }, { "Detail", same_detail },
        { "Remedy", same_reason },     { "BARs", same_bars },
        { "Policy", same_policy },     { "LastTransaction", same_last_transaction },
};

static void view_clear(FunctionView *view)
{
        function_facts_clear(&view->facts);
        function_state_clear(&view->state);
}

static void views_free(FunctionView *views, size_t n)
{
        for (size_t i = 0; i < n; i++)
                view_clear(&views[i]);
        free(views);
}

static int compare_views(const void *a, const void *b)
{
        return pci_address_compare(((const FunctionView *) a)->facts.address,
                                   ((const FunctionView *) b)->facts.address);
}

static FunctionView *find(const DBusFunctions *functions, PciAddress address)
{
        FunctionView key = { .facts.address = address };
        if (functions->n_views == 0)
                return NULL;
        return bsearch(&key, functions->views, functions->n_views, sizeof(key), compare_views);
}

static int tell_differences(const DBusFunctions *functions, const FunctionView *before,
                            const FunctionView *now)
{
        char *names[ELEMENTSOF(change_rows) + 1] = { NULL };
        size_t n = 0;
        for (size_t i = 0; i < ELEMENTSOF(change_rows); i++)
                if (!change_rows[i].same(before, now))
                        names[n++] = (char *) change_rows[i].property; /* only read */
        if (n == 0)
                return 0;
        _cleanup_free_ char *path = dbus_function_path(now->facts.address);
        if (!path)
                return -ENOMEM;
        return sd_bus_emit_properties_changed_strv(functions->connection, path, DBUS_FUNCTION_INTERFACE,
                                                   names);
}

static int tell_coming(const DBusFunctions *functions, const FunctionView *view)
{
        _cleanup_free_ char *path = dbus_function_path(view->facts.address);
        return path ? sd_bus_emit_object_added(functions->connection, path) : -ENOMEM;
}

static int tell_going(const DBusFunctions *functions, const FunctionView *view)
{
        _cleanup_free_ char *path = dbus_function_path(view->facts.address);
        return path ? sd_bus_emit_object_removed(functions->connection, path) : -ENOMEM;
}

/* --- bringing them up to date */

static const Bus *bus_of(const DBusFunctions *functions, const FunctionView *view)
{
        const Survey *survey = functions->manager->survey;
        if (view->bus)
                return view->bus;
        const PciFunction *function = topology_find(survey->topology, view->facts.address);
        const char *key = function ? survey_bus_key(survey, function) : NULL;
        return key ? bus_queue_find(functions->manager->queue, key) : NULL;
}

static int read_state(const DBusFunctions *functions, FunctionView *view)
{
        view->bus = bus_of(functions, view);
        view->n_bus_changes = view->bus ? view->bus->n_changes : 0;
        return function_state_read(functions->manager, &view->facts, view->bus, &view->state);
}

/* Survey, policy and records being the same. */
static bool has_new_state(const DBusFunctions *functions, const FunctionView *view)
{
        const Bus *bus = bus_of(functions, view);
        return bus && (bus != view->bus || bus->n_changes != view->n_bus_changes);
}

static int read_views(const DBusFunctions *functions, FunctionView **ret, size_t *ret_n)
{
        const Survey *survey = functions->manager->survey;
        const Topology *topology = survey->topology;
        _cleanup_(page_index_freep) PageIndex *pages = NULL;
        size_t n_on_vfio = 0, n = 0;
        for (size_t i = 0; i < topology->n_functions; i++)
                n_on_vfio += topology->functions[i].on_vfio;
        FunctionView *views = calloc(n_on_vfio + 1, sizeof(*views));
        int r = views ? page_index_make(topology, survey->iomem, survey->verdicts->page, &pages) : -ENOMEM;
        for (size_t i = 0; i < topology->n_functions && r == 0; i++) {
                if (!topology->functions[i].on_vfio)
                        continue;
                r = function_facts_read(functions->manager, pages, &topology->functions[i], &views[n].facts);
                if (r == 0)
                        r = read_state(functions, &views[n]);
                n += r == 0;
        }
        if (r < 0) {
                views_free(views, n);
                return r;
        }
        *ret = views;
        *ret_n = n;
        return 0;
}

/* Those that are in the one list and not in the other go before they are replaced, and come after it. */
static int replace_views(DBusFunctions *functions, FunctionView *views, size_t n)
{
        DBusFunctions before = *functions, now = *functions;
        now.views = views;
        now.n_views = n;
        int r = 0;
        for (size_t i = 0; i < before.n_views && r >= 0; i++)
                if (!find(&now, before.views[i].facts.address))
                        r = tell_going(functions, &before.views[i]);
        functions->views = views;
        functions->n_views = n;
        for (size_t i = 0; i < n && r >= 0; i++) {
                const FunctionView *old = find(&before, views[i].facts.address);
                r = old ? tell_differences(functions, old, &views[i]) : tell_coming(functions, &views[i]);
        }
        views_free(before.views, before.n_views);
        return r;
}

static int update_state(DBusFunctions *functions, FunctionView *view)
{
        FunctionView before = *view;
        int r = read_state(functions, view);
        if (r < 0) {
                view->state = before.state;
                return r;
        }
        r = tell_differences(functions, &before, view);
        function_state_clear(&before.state);
        return r;
}

int dbus_functions_update(DBusFunctions *functions)
{
        int r = 0;
        if (!functions->manager->survey)
                return 0;
        if (functions->revision != functions->manager->revision) {
                FunctionView *views;
                size_t n;
                r = read_views(functions, &views, &n);
                if (r < 0)
                        return r;
                functions->revision = functions->manager->revision;
                r = replace_views(functions, views, n);
        } else
                for (size_t i = 0; i < functions->n_views && r >= 0; i++)
                        if (has_new_state(functions, &functions->views[i]))
                                r = update_state(functions, &functions->views[i]);
        return r < 0 ? r : 0;
}

/* --- on the bus */

static int on_find(sd_bus *connection, const char *path, const char *interface, void *userdata,
                   void **ret_found, sd_bus_error *error)
{
        _cleanup_free_ char *name = NULL;
        PciAddress address;
        int r = sd_bus_path_decode(path, DBUS_FUNCTION_PREFIX, &name);
        if (r <= 0)
                return r;
        FunctionView *view = pci_address_parse(name, &address) < 0 ? NULL : find(userdata, address);
        if (!view)
                return 0;
        *ret_found = view;
        return 1;
}

static int on_enumerate(sd_bus *connection, const char *prefix, void *userdata, char ***ret,
                        sd_bus_error *error)
{
        const DBusFunctions *functions = userdata;
        _cleanup_(text_list_freep) char **paths = calloc(functions->n_views + 1, sizeof(char *));
        if (!paths)
                return -ENOMEM;
        for (size_t i = 0; i < functions->n_views; i++) {
                paths[i] = dbus_function_path(functions->views[i].facts.address);
                if (!paths[i])
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(paths);
        return 0;
}

int dbus_functions_new(sd_bus *connection, const Manager *manager, DBusFunctions **ret)
{
        _cleanup_(dbus_functions_freep) DBusFunctions *functions = calloc(1, sizeof(*functions));
        if (!functions)
                return -ENOMEM;
        functions->connection = sd_bus_ref(connection);
        functions->manager = manager;
        functions->revision = manager->revision - 1;
        int r = sd_bus_add_fallback_vtable(connection, &functions->vtable, DBUS_FUNCTION_PREFIX,
                                           DBUS_FUNCTION_INTERFACE, dbus_function_vtable, on_find,
                                           functions);
        if (r >= 0)
                r = sd_bus_add_node_enumerator(connection, &functions->enumerator, DBUS_FUNCTION_PREFIX,
                                               on_enumerate, functions);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(functions);
        return 0;
}

DBusFunctions *dbus_functions_free(DBusFunctions *functions)
{
        if (!functions)
                return NULL;
        sd_bus_slot_unref(functions->vtable);
        sd_bus_slot_unref(functions->enumerator);
        sd_bus_unref(functions->connection);
        views_free(functions->views, functions->n_views);
        free(functions);
        return NULL;
}
