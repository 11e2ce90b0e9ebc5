/*
 * The terminal of a payload that nobody attends to (`run -d -t`): the relay reads it for the log. Who attaches later (`berth attach`)
 * connects to a socket in the bundle, which no other account can reach (T33), and gets all that is written from then on, byte by byte. It
 * sends frames: a length from 1 to 255 and as many bytes, which are typed; or a 0, then rows and columns, two bytes each, the low one first.
 *
 * One attaches at a time; another one is shut out. While it does not read, the payload waits, as for any terminal; the end of the
 * payload does not. What is typed and not read yet by the payload stays in the frame, and the next frame in the socket.
 */
#include "relay-probe.h"

#include <asm/termios.h>

static struct {
    unsigned char bytes[256];
    size_t used, typed;
    bool waits; /* it does not read */
} client;

static void put_away(void)
{
    relay_close(&relay.client);
    client.used = client.typed = 0;
    client.waits = false;
}

/* How many bytes the frame has; 1 before its first one is there. */
static size_t whole(void)
{
    if (client.used == 0)
        return 1;
    return client.bytes[0] == 0 ? 5 : 1 + (size_t)client.bytes[0];
}

static bool pending(void)
{
    return client.used > 0 && client.used == whole();
}

static void play_frame(void)
{
    int terminal = relay.stream[0].pipe;
    if (client.bytes[0] == 0) {
        const unsigned char *at = client.bytes;
        struct winsize size = {(unsigned short)(at[1] | at[2] << 8), (unsigned short)(at[3] | at[4] << 8), 0, 0};
        sys_ioctl(terminal, TIOCSWINSZ, PTR(&size));
        client.used = 0;
        return;
    }
    long n = sys_write(terminal, client.bytes + 1 + client.typed, client.bytes[0] - client.typed);
    if (n == -EAGAIN)
        return;
    client.typed += n > 0 ? (size_t)n : client.bytes[0];
    if (client.typed >= client.bytes[0])
        client.used = client.typed = 0;
}

/* Nobody is attached, or reads. */
bool terminal_ready(void)
{
    struct pollfd now = {.fd = relay.client, .events = POLLOUT};
    struct __kernel_timespec none = {0, 0};
    if (relay.client < 0)
        return true;
    sys_ppoll(&now, 1, &none);
    client.waits = now.revents == 0 && !relay.ended;
    if ((now.revents & POLLOUT) == 0 && !client.waits)
        put_away();
    return !client.waits;
}

void terminal_show(const char *data, size_t n)
{
    long sent = relay.client < 0
                    ? (long)n
                    : sys6(__NR_sendto, relay.client, PTR(data), (long)n, TINY_MSG_DONTWAIT | TINY_MSG_NOSIGNAL, 0, 0);
    if (sent != (long)n)
        put_away();
}

void terminal_choose(struct pollfd *fds, struct pollfd *out)
{
    bool held = pending();
    fds[0] = (struct pollfd){.fd = relay.attach, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = relay.client, .events = (short)((held ? 0 : POLLIN) | (client.waits ? POLLOUT : 0))};
    fds[2] = (struct pollfd){.fd = held ? relay.stream[0].pipe : -1, .events = POLLOUT};
    if (client.waits && !relay.ended)
        out->fd = -1;
}

void terminal_serve(const struct pollfd *fds)
{
    if (fds[0].revents != 0) {
        int fd = (int)sys4(__NR_accept4, relay.attach, 0, 0, TINY_SOCK_CLOEXEC | TINY_SOCK_NONBLOCK);
        if (relay.client < 0)
            relay.client = fd;
        else
            relay_close(&fd);
    }
    if ((fds[1].revents & POLLOUT) != 0)
        client.waits = false;
    if ((fds[1].revents & ~POLLOUT) != 0 && fds[1].fd == relay.client) {
        long n = pending() ? 0 : sys_read(relay.client, client.bytes + client.used, whole() - client.used);
        if (n > 0)
            client.used += (size_t)n;
        else if (n != -EAGAIN)
            put_away();
    }
    if (pending())
        play_frame();
}
