/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Preloaded into User Mode Linux.  Before 6.8 that keeps 2696 bytes of a process's
 * extended registers, which was all there was before AMX; the kernel of a machine that
 * has more takes nothing but the whole, and the guest dies of "ptrace set fp regs
 * failed, errno = 14".  The rest is left here as the process has it.
 */
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

typedef long (*Ptrace)(int request, int pid, void *address, void *data);

static unsigned char state[65536]; /* not on the small stacks of that kernel */

static long set_whole(Ptrace next, int pid, void *address, const struct iovec *given)
{
    struct iovec all = { state, sizeof state };
    if (next(PTRACE_GETREGSET, pid, address, &all) < 0)
        return -1;
    memcpy(state, given->iov_base,
           given->iov_len < all.iov_len ? given->iov_len : all.iov_len);
    return next(PTRACE_SETREGSET, pid, address, &all);
}

long ptrace(enum __ptrace_request request, ...)
{
    static Ptrace next;
    va_list args;
    va_start(args, request);
    const int pid = va_arg(args, int);
    void *address = va_arg(args, void *);
    void *data = va_arg(args, void *);
    va_end(args);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "ptrace");
    if ((int)request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE)
        return set_whole(next, pid, address, data);
    return next((int)request, pid, address, data);
}
