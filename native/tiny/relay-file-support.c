/*
 * The process that carries the network, or its ports, ends alone: killed by the kernel for want of memory, or by somebody's hand. What stays
 * would look healthy and reach nobody. So the process that the network is for (the payload, or `victim`, the holder of the pod
 * that the payload is a member of) is killed, and its unit's Restart= brings back both.
 * One signal may be on its way to all of us, though, as systemd stops a scope: then the payload decides when it ends.
 * SIGTERM is blocked, so it is pending for us, too.
 */
#include "relay-probe.h"

void support_ended(void)
{
    static const char message[] =
        "\n<2>berth: the process that carried the network was killed; what has this network is killed, too\n";
    struct __kernel_timespec patience = {.tv_nsec = 200000000};
    uint64_t pending = 0;
    relay_close(&relay.support);
    sys_ppoll(NULL, 0, &patience);
    sys2(__NR_rt_sigpending, PTR(&pending), sizeof pending);
    if ((pending & 1ull << (SIGTERM - 1)) != 0 || payload_exiting())
        return;
    /* It takes the place of the payload's stderr. */
    log_move(&relay.stream[1]);
    log_say(message);
    sys4(__NR_pidfd_send_signal, relay.victim >= 0 ? relay.victim : relay.payload, SIGKILL, 0, 0);
}

void limit_reached(void)
{
    probe.limit = 0;
    if (payload_exiting())
        return;
    probe.late = true;
    if (!relay.attended) {
        log_move(&relay.stream[1]);
        log_say("\n<2>berth: the time that --timeout allows is over; the payload is killed\n");
    }
    sys4(__NR_pidfd_send_signal, relay.payload, SIGKILL, 0, 0);
}
