/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The few macros that every file uses: ownership by cleanup attributes, and what a prototype promises. */

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _warn_unused_result_ __attribute__((warn_unused_result))
#define _nonnull_(...) __attribute__((nonnull(__VA_ARGS__)))
#define _printf_(text, first) __attribute__((format(printf, text, first)))
#define _pure_ __attribute__((pure))
#define _unused_ __attribute__((unused))

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))
#define STRINGIFY_(x) #x
#define STRINGIFY(x) STRINGIFY_(x)

/* Hand ownership over: the variable is left empty. */
#define TAKE_PTR(p)                                                                                         \
        ({                                                                                                  \
                __typeof__(p) *_where = &(p);                                                               \
                __typeof__(p) _taken = *_where;                                                             \
                *_where = NULL;                                                                             \
                _taken;                                                                                     \
        })
#define TAKE_FD(fd)                                                                                         \
        ({                                                                                                  \
                int *_where = &(fd);                                                                        \
                int _taken = *_where;                                                                       \
                *_where = -1;                                                                               \
                _taken;                                                                                     \
        })

/* Defines FUNCp() for _cleanup_(): calls FUNC on what the variable points to. FUNC(NULL) must be fine. */
#define DEFINE_CLEANUP(type, func)                                                                          \
        static inline void func##p(type *p)                                                                 \
        {                                                                                                   \
                func(*p);                                                                                   \
        }                                                                                                   \
        struct func##p_needs_a_semicolon

static inline void freep(void *p)
{
        free(*(void **) p);
}

static inline void closep(int *fd)
{
        if (*fd >= 0)
                close(*fd);
}

static inline void fclosep(FILE **f)
{
        if (*f)
                fclose(*f);
}

static inline void closedirp(DIR **d)
{
        if (*d)
                closedir(*d);
}

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
#define _cleanup_fclose_ _cleanup_(fclosep)
#define _cleanup_closedir_ _cleanup_(closedirp)
