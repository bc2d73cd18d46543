/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * await: waits, without polling, until a text file has enough lines that match an extended regular
 * expression, or a folder enough entries whose names match. The file or folder need not exist yet. Exits
 * 0 when it came true, 1 when the time was over, 2 on an error.
 *
 *   await SECONDS COUNT PATH REGEX
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long count_entries(const char *path, const regex_t *regex)
{
        DIR *folder = opendir(path);
        struct dirent *e;
        long n = 0;

        if (!folder)
                return 0;
        while ((e = readdir(folder)))
                n += e->d_name[0] != '.' && regexec(regex, e->d_name, 0, NULL, 0) == 0;
        closedir(folder);
        return n;
}

static long count_lines(const char *path, const regex_t *regex)
{
        FILE *file = fopen(path, "re");
        char *line = NULL;
        size_t size = 0;
        long n = 0;

        if (!file)
                return 0;
        while (getline(&line, &size, file) > 0) {
                line[strcspn(line, "\n")] = '\0';
                n += regexec(regex, line, 0, NULL, 0) == 0;
        }
        free(line);
        fclose(file);
        return n;
}

static long count(const char *path, const regex_t *regex)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return 0;
        return S_ISDIR(st.st_mode) ? count_entries(path, regex) : count_lines(path, regex);
}

/* Watches the path itself where it exists, and else the nearest folder above it in which it will appear. */
static int watch(int inotify, const char *path)
{
        const uint32_t mask =
                        IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
        char *p = strdup(path);
        int r = -1;

        if (!p)
                return -1;
        while ((r = inotify_add_watch(inotify, p, mask)) < 0 && errno == ENOENT && strrchr(p, '/') > p)
                *strrchr(p, '/') = '\0';
        free(p);
        return r;
}

static int64_t milliseconds(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int await(double seconds, long wanted, const char *path, const regex_t *regex)
{
        int64_t deadline = milliseconds() + (int64_t) (seconds * 1000);
        int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

        if (inotify < 0)
                return 2;
        for (;;) {
                struct pollfd p = { .fd = inotify, .events = POLLIN };
                char events[4096];
                int64_t left;

                /* First the watch, then the look: what comes in between wakes poll(). */
                if (watch(inotify, path) < 0)
                        return 2;
                if (count(path, regex) >= wanted)
                        return 0;
                left = deadline - milliseconds();
                if (left <= 0 || poll(&p, 1, (int) left) == 0)
                        return 1;
                while (read(inotify, events, sizeof(events)) > 0)
                        ;
        }
}

int main(int argc, char **argv)
{
        regex_t regex;
        int r;

        if (argc != 5 || regcomp(&regex, argv[4], REG_EXTENDED | REG_NOSUB) != 0) {
                fprintf(stderr, "usage: await SECONDS COUNT PATH REGEX\n");
                return 2;
        }
        r = await(strtod(argv[1], NULL), strtol(argv[2], NULL, 10), argv[3], &regex);
        if (r == 2)
                fprintf(stderr, "await: %s: %s\n", argv[3], strerror(errno));
        regfree(&regex);
        return r;
}
