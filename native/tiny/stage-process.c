/*
 * Operations on the process itself: limits, ids, capabilities, filter.
 *
 * The order of the last ones, and why (capabilities(7), seccomp(2)):
 *   capabilities        drops the bounding set: that needs CAP_SETPCAP, which the sets may take away.
 *   user                groups, gid, uid; PR_SET_KEEPCAPS carries the permitted set over a change from root. The sets
 *                       themselves stay pending.
 *   no-new-privileges   the sets are applied, then the bit is set; the filter after it needs no privilege.
 *   seccomp             without that bit a filter needs CAP_SYS_ADMIN: it is loaded first and the sets are applied
 *                       after it, so that the filter must allow only capset(2), prctl(2) and the exec itself.
 *   init, exec          whoever comes first applies what is still pending.
 * Between user and then the process is not dumpable, so nobody of the payload's uid can reach it.
 */
#include "stage.h"

#include <linux/bpf_common.h>

enum { MAX_GROUPS = 65536, LAST_CAPABILITY = 63 };

int op_umask(struct stage *s, const struct op *op)
{
    (void)s;
    sys1(__NR_umask, field_octal(op->fields[0]));
    return 0;
}

struct limit {
    uint64_t soft, hard;
};

/* A `?` at the end sets *lenient. */
static bool parse_limit(const char *text, uint64_t *out, bool *lenient)
{
    char number[24];
    size_t n = text_length(text);
    *lenient = n > 0 && text[n - 1] == '?';
    n -= *lenient;
    if (n >= sizeof number)
        return false;
    memcpy(number, text, n);
    number[n] = 0;
    if (text_equal(number, "unlimited") || text_equal(number, "-1")) {
        *out = RLIM64_INFINITY;
        return true;
    }
    return text_unsigned(number, 10, UINT64_MAX, out);
}

static long set_limit(int64_t resource, const struct limit *wanted, bool lenient)
{
    struct limit ours, most = *wanted;
    long result = sys4(__NR_prlimit64, 0, resource, PTR(wanted), 0);
    if (result != -EPERM || !lenient)
        return result;
    result = sys4(__NR_prlimit64, 0, resource, 0, PTR(&ours));
    if (result < 0)
        return result;
    most.hard = most.hard < ours.hard ? most.hard : ours.hard;
    most.soft = most.soft < most.hard ? most.soft : most.hard;
    return sys4(__NR_prlimit64, 0, resource, PTR(&most), 0);
}

int op_rlimit(struct stage *s, const struct op *op)
{
    struct limit limit;
    bool strict, lenient;
    s->subject = op->fields[0];
    if (!parse_limit(op->fields[1], &limit.soft, &strict) || !parse_limit(op->fields[2], &limit.hard, &lenient)) {
        s->hint = "a limit is a decimal number or `unlimited`";
        return -EINVAL;
    }
    long result = set_limit(field_int(op->fields[0]), &limit, lenient);
    if (result == -EPERM)
        s->hint = "the hard limit is above ours; set Limit…= in [Service]";
    return (int)result;
}

int op_capabilities(struct stage *s, const struct op *op)
{
    s->sets = (struct capability_sets){
        .bounding = field_hex(op->fields[0]),
        .permitted = field_hex(op->fields[1]),
        .effective = field_hex(op->fields[2]),
        .inheritable = field_hex(op->fields[3]),
        .ambient = field_hex(op->fields[4]),
    };
    s->sets_given = s->sets_pending = true;
    for (int i = 0; i <= LAST_CAPABILITY; i++) {
        if ((s->sets.bounding >> i & 1) != 0)
            continue;
        long result = sys_prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
        if (result == -EINVAL) /* the kernel knows no more */
            break;
        if (result < 0)
            return (int)result;
    }
    return 0;
}

struct kernel_sets {
    struct __user_cap_data_struct data[2];
};

static long get_sets(struct kernel_sets *sets)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    return sys2(__NR_capget, PTR(&head), PTR(sets->data));
}

static long set_sets(const struct kernel_sets *sets)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    return sys2(__NR_capset, PTR(&head), PTR(sets->data));
}

/* A change of uid from root empties the effective set; what comes until the sets are applied needs it. */
static int raise_all(void)
{
    struct kernel_sets sets;
    long result = get_sets(&sets);
    for (int i = 0; i < 2; i++)
        sets.data[i].effective = sets.data[i].permitted;
    return (int)(result < 0 ? result : set_sets(&sets));
}

int apply_sets(struct stage *s)
{
    struct kernel_sets sets;
    if (!s->sets_pending)
        return 0;
    s->sets_pending = false;
    long result = get_sets(&sets);
    if (result < 0)
        return (int)result;
    for (int i = 0; i < 2; i++) {
        unsigned shift = 32 * (unsigned)i;
        /* What we have not ourselves cannot be given (OCI runtime-spec, "capabilities": no error). */
        sets.data[i].permitted &= (uint32_t)(s->sets.permitted >> shift);
        sets.data[i].effective = sets.data[i].permitted & (uint32_t)(s->sets.effective >> shift);
        sets.data[i].inheritable = sets.data[i].permitted & (uint32_t)(s->sets.inheritable >> shift);
    }
    result = set_sets(&sets);
    sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (unsigned i = 0; result == 0 && i <= LAST_CAPABILITY; i++)
        if ((s->sets.ambient >> i & 1) != 0 && (sets.data[i / 32].inheritable >> (i % 32) & 1) != 0)
            result = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0);
    return (int)result;
}

/* The supplementary groups (T12). */
static int set_groups(struct stage *s, const struct op *op)
{
    unsigned n = op->count - 2;
    if (n == 1 && text_equal(op->fields[2], "-1"))
        return 0;
    uint32_t *groups = n == 0 ? NULL : stage_pages(n * sizeof *groups);
    if (n != 0 && groups == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < n; i++)
        groups[i] = (uint32_t)field_int(op->fields[2 + i]);
    long result = sys2(__NR_setgroups, n, PTR(groups));
    if (result != -EPERM)
        return (int)result;
    /* With a single-id map the kernel forbids it; the account's groups stay, and count for nothing inside. */
    if (n == 0 && setgroups_denied(s))
        return 0;
    s->hint = "supplementary groups need subordinate ids (/etc/subuid, /etc/subgid)";
    return -EPERM;
}

int op_user(struct stage *s, const struct op *op)
{
    s->subject = op->fields[0];
    for (unsigned i = 0; i < op->count; i++) {
        int64_t id = field_int(op->fields[i]);
        bool keep = i == 2 && op->count == 3 && id == -1;
        if (!keep && (id < 0 || id >= UINT32_MAX)) { /* T13 */
            s->subject = op->fields[i];
            s->hint = "an id is between 0 and 4294967294";
            return -EINVAL;
        }
    }
    sys_prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    long gid = field_int(op->fields[1]), uid = field_int(op->fields[0]);
    long result = set_groups(s, op);
    if (result < 0)
        return (int)result;
    s->hint = "the id is not mapped in the user namespace";
    result = sys3(__NR_setresgid, gid, gid, gid);
    if (result == 0)
        result = sys3(__NR_setresuid, uid, uid, uid);
    sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return result < 0 ? (int)result : raise_all();
}

int op_no_new_privileges(struct stage *s, const struct op *op)
{
    (void)op;
    int result = apply_sets(s);
    if (result < 0)
        return result;
    s->no_new_privileges = true;
    return (int)sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* The program's bytes; NULL when the text is no program. */
static struct sock_filter *decode_program(const char *text, unsigned short *instructions)
{
    size_t bytes = 0;
    for (const char *at = text; *at != 0; at++, bytes++)
        if (*at == 1 && at[1] != 0)
            at++;
    if (bytes == 0 || bytes % sizeof(struct sock_filter) != 0 || bytes / sizeof(struct sock_filter) > BPF_MAXINSNS)
        return NULL;
    char *program = stage_pages(bytes);
    if (program == NULL)
        return NULL;
    for (char *to = program; *text != 0; text++)
        if (*text == 1 && text[1] != 0)
            *to++ = *++text == 2 ? 0 : *text;
        else
            *to++ = *text;
    *instructions = (unsigned short)(bytes / sizeof(struct sock_filter));
    return (struct sock_filter *)program;
}

int op_seccomp(struct stage *s, const struct op *op)
{
    struct {
        unsigned short length;
        struct sock_filter *filter;
    } program;
    const char *words = op->fields[1];
    char word[24];
    long flags = 0;
    s->subject = "filter";
    while (next_word(&words, word, sizeof word)) {
        if (text_equal(word, "log"))
            flags |= SECCOMP_FILTER_FLAG_LOG;
        else if (text_equal(word, "spec-allow"))
            flags |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
        else if (text_equal(word, "tsync"))
            flags |= SECCOMP_FILTER_FLAG_TSYNC;
        else
            return -EINVAL;
    }
    program.filter = decode_program(op->fields[0], &program.length);
    if (program.filter == NULL) {
        s->hint = "the program is damaged";
        return -EINVAL;
    }
    long result = hide_descriptors(s);
    if (result < 0)
        return (int)result;
    result = sys3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, PTR(&program));
    if (result == -EACCES)
        s->hint = "without CAP_SYS_ADMIN a filter needs no-new-privileges";
    return result < 0 ? (int)result : apply_sets(s);
}
