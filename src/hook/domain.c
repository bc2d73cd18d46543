/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "hook/domain.h"

#include "base/text.h"

#include <errno.h>
#include <expat.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 65536

/* Where the addresses stand: /domain/devices/DEVICE/source/address. */
enum { DEPTH_DOMAIN, DEPTH_DEVICES, DEPTH_DEVICE, DEPTH_SOURCE, DEPTH_ADDRESS };

typedef struct Reader {
        XML_Parser parser;
        Domain domain;
        unsigned depth;   /* of the element that begins or ends */
        unsigned on_path; /* so many elements from the root on are those that lead to an address */
        bool managed;     /* the device that is being read */
        int error;
        char *problem;
} Reader;

static void stop(Reader *reader, int error, char *problem)
{
        if (reader->error == 0) {
                reader->error = error;
                reader->problem = problem;
        } else
                free(problem);
        XML_StopParser(reader->parser, XML_FALSE);
}

static const char *attribute(const char **attributes, const char *name)
{
        for (; attributes[0]; attributes += 2)
                if (strcmp(attributes[0], name) == 0)
                        return attributes[1];
        return NULL;
}

static bool has(const char **attributes, const char *name, const char *value)
{
        return text_equal(attribute(attributes, name), value);
}

/* <hostdev mode='subsystem' type='pci'> or <interface type='hostdev'>, whose source may still be a USB device. */
static bool is_device(const char *name, const char **attributes)
{
        if (strcmp(name, "hostdev") == 0)
                return has(attributes, "type", "pci") && !has(attributes, "mode", "capabilities");
        return strcmp(name, "interface") == 0 && has(attributes, "type", "hostdev");
}

/* In C's notation, as libvirt writes it; left out is 0. */
static bool read_part(const char **attributes, const char *name, uint64_t max, uint64_t *ret)
{
        const char *text = attribute(attributes, name);
        bool is_hexadecimal = text && strncmp(text, "0x", 2) == 0;
        *ret = 0;
        return !text ||
               text_to_u64(is_hexadecimal ? text + 2 : text, is_hexadecimal ? 16 : 10, max, ret) == 0;
}

static void add_function(Reader *reader, const char **attributes)
{
        uint64_t domain, bus, slot, function;
        Domain *known = &reader->domain;

        if (attribute(attributes, "type") && !has(attributes, "type", "pci"))
                return;
        if (!read_part(attributes, "domain", UINT16_MAX, &domain) ||
            !read_part(attributes, "bus", 0xff, &bus) || !read_part(attributes, "slot", 0x1f, &slot) ||
            !read_part(attributes, "function", 7, &function)) {
                stop(reader, -EBADMSG, strdup("it has an address that none of a PCI function can be"));
                return;
        }
        PciAddress address = { .domain = (uint32_t) domain,
                               .bus = (uint8_t) bus,
                               .device = (uint8_t) slot,
                               .function = (uint8_t) function };
        for (size_t i = 0; i < known->n_functions; i++)
                if (pci_address_equal(known->functions[i].address, address))
                        return;
        DomainFunction *more = reallocarray(known->functions, known->n_functions + 1, sizeof(*more));
        if (!more) {
                stop(reader, -ENOMEM, NULL);
                return;
        }
        known->functions = more;
        more[known->n_functions++] = (DomainFunction){ address, reader->managed };
}

static bool leads_on(Reader *reader, const char *name, const char **attributes)
{
        switch (reader->depth) {
        case DEPTH_DOMAIN:
                return strcmp(name, "domain") == 0;
        case DEPTH_DEVICES:
                return strcmp(name, "devices") == 0;
        case DEPTH_DEVICE:
                reader->managed = has(attributes, "managed", "yes");
                return is_device(name, attributes);
        case DEPTH_SOURCE:
                return strcmp(name, "source") == 0;
        default:
                return reader->depth == DEPTH_ADDRESS && strcmp(name, "address") == 0;
        }
}

static void XMLCALL on_start(void *userdata, const char *name, const char **attributes)
{
        Reader *reader = userdata;
        if (reader->on_path == reader->depth && leads_on(reader, name, attributes)) {
                reader->on_path++;
                if (reader->depth == DEPTH_ADDRESS)
                        add_function(reader, attributes);
        } else if (reader->depth == DEPTH_DOMAIN)
                stop(reader, -EBADMSG, strdup("it is not the XML of a domain"));
        reader->depth++;
}

static void XMLCALL on_end(void *userdata, const char *name)
{
        Reader *reader = userdata;
        reader->depth--;
        if (reader->on_path > reader->depth)
                reader->on_path = reader->depth;
}

/* Where entities could be declared: libvirt writes none. */
static void XMLCALL on_doctype(void *userdata, const char *name, const char *system, const char *public,
                               int has_subset)
{
        stop(userdata, -EBADMSG, strdup("it has a document type declaration, which libvirt's never has"));
}

static uint64_t now_usec(void)
{
        struct timespec now;
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

/* How many bytes there are; 0: the end. */
static ssize_t read_some(int fd, uint64_t deadline, void *buffer)
{
        for (;;) {
                uint64_t now = now_usec();
                struct pollfd item = { .fd = fd, .events = POLLIN };
                int n = now >= deadline ? 0 : poll(&item, 1, (int) ((deadline - now) / 1000 + 1));
                if (n == 0)
                        return -ETIMEDOUT;
                ssize_t size = n < 0 ? -1 : read(fd, buffer, CHUNK);
                if (size >= 0)
                        return size;
                if (errno != EINTR && errno != EAGAIN)
                        return -errno;
        }
}

static int parse(Reader *reader, int fd, uint64_t deadline)
{
        size_t total = 0;
        ssize_t size;

        do {
                void *buffer = XML_GetBuffer(reader->parser, CHUNK);
                if (!buffer)
                        return -ENOMEM;
                size = read_some(fd, deadline, buffer);
                if (size < 0) {
                        reader->problem = text_format("it cannot be read: %s", strerror((int) -size));
                        return (int) size;
                }
                total += (size_t) size;
                if (total > DOMAIN_SIZE_MAX) {
                        reader->problem = text_format("it has more than %u bytes", DOMAIN_SIZE_MAX);
                        return -EFBIG;
                }
                if (XML_ParseBuffer(reader->parser, (int) size, size == 0) == XML_STATUS_OK)
                        continue;
                if (reader->error != 0)
                        return reader->error;
                reader->problem = text_format("line %lu: %s", XML_GetCurrentLineNumber(reader->parser),
                                              XML_ErrorString(XML_GetErrorCode(reader->parser)));
                return -EBADMSG;
        } while (size > 0);
        return 0;
}

int domain_read(int fd, uint64_t deadline, Domain *ret, char **ret_problem)
{
        Reader reader = { .parser = XML_ParserCreate(NULL) };
        if (!reader.parser)
                return -ENOMEM;
        XML_SetUserData(reader.parser, &reader);
        XML_SetElementHandler(reader.parser, on_start, on_end);
        XML_SetStartDoctypeDeclHandler(reader.parser, on_doctype);
        int r = parse(&reader, fd, deadline);
        XML_ParserFree(reader.parser);
        if (r == 0) {
                *ret = reader.domain;
                return 0;
        }
        domain_clear(&reader.domain);
        *ret_problem = reader.problem;
        return r;
}

void domain_clear(Domain *domain)
{
        free(domain->functions);
        *domain = (Domain){ 0 };
}
