# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2086,SC2154 # read after lib.sh and product.sh
#
# slow: a worker that is held at an exact place of its transaction until the scenario lets it go. The leak detector
# cannot work under a tracer.

# slow_worker N KIND REGEX: /tmp/slow-worker is held in front of that call, as tripwire knows it, of its first execution.
slow_worker()
{
    rm -f /tmp/slow.reached /tmp/slow.go
    mkfifo /tmp/slow.reached /tmp/slow.go
    echo "ASAN_OPTIONS=\$ASAN_OPTIONS:detect_leaks=0 exec tripwire --hold /tmp/slow $1 $2 '$3' $worker \"\$@\"" >/tmp/slowly
    cat >/tmp/slow-worker <<END
#!/bin/sh
[ "\$1" = --execute ] && mv /tmp/slowly /tmp/slowly-once 2>/dev/null || exec $worker "\$@"
. /tmp/slowly-once
END
    chmod +x /tmp/slow-worker
}

# held: the worker has come to that place.
held()
{
    timeout 60 grep -q reached /tmp/slow.reached
}

let_go()
{
    echo go >/tmp/slow.go
}
