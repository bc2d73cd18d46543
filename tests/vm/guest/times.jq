"transaction \(.outcome): " +
"\([.steps[].duration_usec] | add / 1000 | floor) ms, \([.steps[].kernel_usec // 0] | add / 1000 | floor) ms of it the kernel's"
