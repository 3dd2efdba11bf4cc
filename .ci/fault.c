/* Makes one call of one libc function fail in parsim, or kills parsim there.

   Preloaded with FAULT=function:errno:N, the Nth call of the function returns -1 with
   that errno; errno 0 is SIGKILL instead. That the call was reached shows in the file
   $FAULT_HIT. Other programs than parsim are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char wanted[32];
static int error, number, calls;

__attribute__((constructor)) static void read_order(void) {
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    const char *order = getenv("FAULT");
    if (length < 7 || !order) return;
    program[length] = 0;
    if (strcmp(program + length - 7, "/parsim") != 0) return;
    if (sscanf(order, "%31[^:]:%d:%d", wanted, &error, &number) != 3) wanted[0] = 0;
}

static int fails(const char *function) {
    if (strcmp(function, wanted) != 0) return 0;
    if (__atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) != number) return 0;
    const char *hit = getenv("FAULT_HIT");
    /* The bare system calls, for libc's may be the ones that fail. */
    if (hit) syscall(SYS_close, syscall(SYS_openat, -100, hit, 01 | 0100, 0600));
    if (error == 0) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    errno = error;
    return 1;
}

#define FAULTY(type, name, parameters, arguments)                      \
    type name parameters {                                             \
        static type(*real) parameters;                                 \
        if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name); \
        return fails(#name) ? (type)-1 : real arguments;               \
    }

FAULTY(ssize_t, write, (int fd, const void *bytes, size_t n), (fd, bytes, n))
FAULTY(ssize_t, writev, (int fd, const struct iovec *parts, int n), (fd, parts, n))
FAULTY(ssize_t, pwrite64, (int fd, const void *bytes, size_t n, off_t at), (fd, bytes, n, at))
FAULTY(ssize_t, read, (int fd, void *bytes, size_t n), (fd, bytes, n))
FAULTY(ssize_t, pread64, (int fd, void *bytes, size_t n, off_t at), (fd, bytes, n, at))
FAULTY(int, open64, (const char *path, int flags, mode_t mode), (path, flags, mode))
FAULTY(int, poll, (struct pollfd *fds, nfds_t n, int timeout), (fds, n, timeout))
FAULTY(int, pipe2, (int ends[2], int flags), (ends, flags))
FAULTY(int, socketpair, (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends))
FAULTY(int, rename, (const char *from, const char *to), (from, to))
FAULTY(int, unlink, (const char *path), (path))
FAULTY(int, mkdir, (const char *path, mode_t mode), (path, mode))
FAULTY(int, ftruncate64, (int fd, off_t length), (fd, length))
FAULTY(int, flock, (int fd, int operation), (fd, operation))
FAULTY(pid_t, wait4, (pid_t pid, int *status, int options, struct rusage *usage), (pid, status, options, usage))
FAULTY(int, waitid, (int type, unsigned id, void *info, int options), (type, id, info, options))

/* What follows the four is there only if the flags say so. */
int clone(int (*run)(void *), void *stack, int flags, void *with, ...) {
    static int (*real)(int (*)(void *), void *, int, void *, ...);
    va_list rest;
    va_start(rest, with);
    void *a = va_arg(rest, void *), *b = va_arg(rest, void *), *c = va_arg(rest, void *);
    va_end(rest);
    if (!real) real = dlsym(RTLD_NEXT, "clone");
    return fails("clone") ? -1 : real(run, stack, flags, with, a, b, c);
}

/* Its errors are returned, not put into errno. */
int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *with) {
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!real) real = dlsym(RTLD_NEXT, "pthread_create");
    return fails("pthread_create") ? error : real(thread, how, run, with);
}
