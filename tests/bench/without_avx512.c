/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * To be preloaded: the process takes its processor for one without AVX-512 and AMX, so
 * that a runtime which cannot be held to a level otherwise shows what it does at AVX2.
 * The kernel has the instruction CPUID fault (arch_prctl(ARCH_CPUID_SET)), and what it
 * would say is given less those bits.  Where that cannot be had the process ends with a
 * message.  Register state that the OS saves is still told as it is.
 */
#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define ARCH_CPUID_SET 0x1012

/* Bits of leaf 7: all of AVX-512 and AMX. */
#define BIT(n) (1U << (n))
#define IN_EBX                                                                         \
    (BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31))
#define IN_ECX (BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14))
#define IN_EDX (BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25))
#define IN_EAX_OF_PART_1 BIT(5)

static void let_fault(int faults)
{
    syscall(SYS_arch_prctl, ARCH_CPUID_SET, (unsigned long)!faults);
}

/* CPUID in 0F A2. */
static int is_cpuid(const uint8_t *at)
{
    return at[0] == 0x0F && at[1] == 0xA2;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    greg_t *const registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint32_t leaf = (uint32_t)registers[REG_RAX];
    const uint32_t part = (uint32_t)registers[REG_RCX];
    uint32_t a, b, c, d;

    if (!is_cpuid((const uint8_t *)registers[REG_RIP])) {
        sigaction(SIGSEGV, &(struct sigaction) { .sa_handler = SIG_DFL }, NULL);
        return; /* and faults again */
    }
    let_fault(0);
    __cpuid_count(leaf, part, a, b, c, d);
    let_fault(1);
    if (leaf == 7 && part == 0) {
        b &= ~IN_EBX;
        c &= ~IN_ECX;
        d &= ~IN_EDX;
    } else if (leaf == 7 && part == 1) {
        a &= ~IN_EAX_OF_PART_1;
    }
    registers[REG_RAX] = a;
    registers[REG_RBX] = b;
    registers[REG_RCX] = c;
    registers[REG_RDX] = d;
    registers[REG_RIP] += 2;
}

__attribute__((constructor)) static void begin(void)
{
    const struct sigaction action = { .sa_sigaction = on_fault,
                                      .sa_flags = SA_SIGINFO };

    sigaction(SIGSEGV, &action, NULL);
    if (syscall(SYS_arch_prctl, ARCH_CPUID_SET, 0UL)) {
        fprintf(stderr, "without_avx512: this machine has no CPUID faulting: %s\n",
                strerror(errno));
        exit(1);
    }
}
