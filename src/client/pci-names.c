/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "client/pci-names.h"

#include <errno.h>
#include <pci/pci.h>
#include <stdarg.h>
#include <string.h>

#define NAME_ROOM 256

struct PciNames {
        struct pci_access *access;
};

static void stay_silent(char *message, ...)
{
}

/* libpci allows no return from here: its list of names is broken, or there is no memory. */
__attribute__((noreturn)) _printf_(1, 2) static void end(char *message, ...)
{
        va_list args;

        fputs("vfio-realign: libpci: ", stderr);
        va_start(args, message);
        vfprintf(stderr, message, args);
        va_end(args);
        fputc('\n', stderr);
        exit(EXIT_FAILURE);
}

int pci_names_open(PciNames **ret)
{
        _cleanup_(pci_names_closep) PciNames *names = calloc(1, sizeof(*names));
        if (!names)
                return -ENOMEM;
        names->access = pci_alloc();
        if (!names->access)
                return -ENOMEM;
        /* Looking names up needs no pci_init(), which would look for the machine's functions; only its messages. */
        names->access->error = end;
        names->access->warning = stay_silent;
        names->access->debug = stay_silent;
        *ret = TAKE_PTR(names);
        return 0;
}

PciNames *pci_names_close(PciNames *names)
{
        if (!names)
                return NULL;
        if (names->access)
                pci_cleanup(names->access);
        free(names);
        return NULL;
}

char *pci_names_of(const PciNames *names, const PciFunction *function)
{
        char name[NAME_ROOM];
        /* udev's database says the same as the list, and libpci leaks where it is not installed. */
        const char *found = pci_lookup_name(names->access, name, sizeof(name),
                                            PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_HWDB,
                                            function->vendor, function->device);
        return strdup(found ? found : "?");
}
