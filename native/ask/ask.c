/*
 * /usr/lib/berth/ask: one question to a server and the head of its answer, for the part of Berth that has no Node.
 *
 *   ask tls HOST PORT [ca=FILE]… [cert=FILE key=FILE]     certificate and name of the host are checked
 *   ask either HOST PORT [cert=FILE key=FILE]             TLS that is not verified, else none: a registry that is marked insecure
 *
 * The question is what stands on standard input. On standard output comes one byte, `s` for TLS and `p` for none, and the answer up to its
 * first empty line. Nothing is said of why there is no answer (status 1): whoever wants to know asks by Node, which tells it. What
 * is secret is in the streams alone: the list of processes shows the words.
 *
 * It is the system's OpenSSL, linked at run time: the library that Node uses, kept up by the distribution, and the name service of
 * the C library, which a static program does not have.
 */
#include "authorities.h"
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LIMIT_SECONDS = 30,  /* of the whole; who calls has a shorter one */
    ADDRESS_SECONDS = 3, /* for each address of a host */
    MOST = 64 << 10      /* bytes of a question, and of the head of an answer */
};

struct wish {
    const char *kind, *host, *port, *cert, *key;
    int words;
    char **word; /* those behind the port */
};

static bool starts(const char *word, const char *with)
{
    return strncmp(word, with, strlen(with)) == 0;
}

/* A descriptor, or -1. */
static int connect_one(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, address->ai_protocol);
    if (fd < 0)
        return -1;
    struct timeval limit = {.tv_sec = ADDRESS_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    /* The end of the handshake and the question go at once, not when the peer has acknowledged the first. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    /* Nor does the peer wait with its answer for us to have acknowledged the tickets of TLS. */
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_any(const struct wish *wish)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *found;
    if (getaddrinfo(wish->host, wish->port, &hints, &found) != 0)
        return -1;
    int fd = -1;
    for (const struct addrinfo *one = found; one && fd < 0; one = one->ai_next)
        fd = connect_one(one);
    freeaddrinfo(found);
    return fd;
}

/* Is the host an address? Then the certificate must be for the address, and no name is sent (RFC 6066, 3). */
static bool is_address(const char *host)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *found;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

static bool trust(SSL_CTX *context, const struct wish *wish)
{
    bool some = false;
    for (int i = 0; i < wish->words; i++)
        if (starts(wish->word[i], "ca=")) {
            if (!authorities_add(SSL_CTX_get_cert_store(context), wish->word[i] + 3))
                return false;
            some = true;
        }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return some;
}

static SSL_CTX *make_context(const struct wish *wish, bool verify)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
        return NULL;
    if (wish->cert && (SSL_CTX_use_certificate_chain_file(context, wish->cert) != 1 ||
                       SSL_CTX_use_PrivateKey_file(context, wish->key, SSL_FILETYPE_PEM) != 1))
        return NULL;
    return verify && !trust(context, wish) ? NULL : context;
}

static bool expect_name(SSL *tls, const struct wish *wish, bool verify)
{
    bool address = is_address(wish->host);
    X509_VERIFY_PARAM *param = SSL_get0_param(tls);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (verify && (address ? X509_VERIFY_PARAM_set1_ip_asc(param, wish->host)
                           : X509_VERIFY_PARAM_set1_host(param, wish->host, 0)) != 1)
        return false;
    return address || SSL_set_tlsext_host_name(tls, wish->host) == 1;
}

/* The connection after its handshake, or NULL. */
static SSL *shake(int fd, const struct wish *wish, bool verify)
{
    SSL_CTX *context = make_context(wish, verify);
    SSL *tls = context ? SSL_new(context) : NULL;
    if (!tls || !expect_name(tls, wish, verify) || SSL_set_fd(tls, fd) != 1 || SSL_connect(tls) != 1)
        return NULL;
    return !verify || SSL_get_verify_result(tls) == X509_V_OK ? tls : NULL;
}

static bool write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t done = write(fd, data, length);
        if (done < 0)
            return false;
        data += done;
        length -= (size_t)done;
    }
    return true;
}

/* Standard input to its end; its length, or -1 when it cannot be read or is too long. */
static ssize_t read_question(char *question)
{
    size_t length = 0;
    for (;;) {
        ssize_t got = read(STDIN_FILENO, question + length, MOST - length);
        if (got < 0 || (got > 0 && length + (size_t)got == MOST))
            return -1;
        if (got == 0)
            return (ssize_t)length;
        length += (size_t)got;
    }
}

/* The answer up to the empty line, with it; its length, or 0. */
static size_t read_head(int fd, SSL *tls, char *head)
{
    size_t length = 0;
    while (length < MOST) {
        ssize_t got = tls ? SSL_read(tls, head + length, (int)(MOST - length)) : read(fd, head + length, MOST - length);
        if (got <= 0)
            return 0;
        length += (size_t)got;
        const char *end = memmem(head, length, "\r\n\r\n", 4);
        if (end)
            return (size_t)(end - head) + 4;
    }
    return 0;
}

static bool ask(int fd, SSL *tls)
{
    static char text[MOST];
    ssize_t length = read_question(text);
    if (length <= 0 || !(tls ? SSL_write(tls, text, (int)length) == length : write_all(fd, text, (size_t)length)))
        return false;
    size_t answer = read_head(fd, tls, text);
    return answer > 0 && write_all(STDOUT_FILENO, tls ? "s" : "p", 1) && write_all(STDOUT_FILENO, text, answer);
}

static bool read_wish(struct wish *wish, int argc, char **argv)
{
    if (argc < 4)
        return false;
    *wish = (struct wish){.kind = argv[1], .host = argv[2], .port = argv[3], .words = argc - 4, .word = argv + 4};
    for (int i = 0; i < wish->words; i++) {
        if (starts(wish->word[i], "cert="))
            wish->cert = wish->word[i] + 5;
        else if (starts(wish->word[i], "key="))
            wish->key = wish->word[i] + 4;
        else if (!starts(wish->word[i], "ca="))
            return false;
    }
    return !wish->cert == !wish->key;
}

int main(int argc, char **argv)
{
    struct wish wish;
    if (!read_wish(&wish, argc, argv))
        return 1;
    signal(SIGPIPE, SIG_IGN);
    alarm(LIMIT_SECONDS);
    bool verify = strcmp(wish.kind, "tls") == 0;
    if (!verify && strcmp(wish.kind, "either") != 0)
        return 1;
    int fd = connect_any(&wish);
    SSL *tls = fd >= 0 ? shake(fd, &wish, verify) : NULL;
    if (fd >= 0 && !tls && !verify) {
        close(fd);
        fd = connect_any(&wish);
    }
    return fd >= 0 && (tls || !verify) && ask(fd, tls) ? 0 : 1;
}
