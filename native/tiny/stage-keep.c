/*
 * Mounts that are made before the container's user namespace is, for what its root cannot reach by a path (a directory of the host that
 * is closed to others) and may not mount (layers with an id map). They wait detached, by number, and are attached inside.
 */
#include "stage.h"

static int keep(struct stage *s, int mount)
{
    if (mount < 0)
        return mount;
    if (s->kept_count == MAX_KEPT) {
        s->hint = "a container with a user namespace of its own has at most 256 mounts";
        sys_close(mount);
        return -E2BIG;
    }
    s->kept[s->kept_count++] = mount;
    return 0;
}

int op_keep(struct stage *s, const struct op *op)
{
    struct mount_words words;
    s->subject = op->fields[0];
    if (!parse_mount_words(op->fields[3], &words))
        return unknown_word(s);
    return keep(s, make_bind(s, op->fields[0], op->fields[1], op->fields[2], &words, op->fields[4]));
}

int op_keep_mount(struct stage *s, const struct op *op)
{
    struct mount_words words;
    s->subject = op->fields[0];
    if (!parse_mount_words(op->fields[2], &words))
        return unknown_word(s);
    return keep(s, make_file_system(s, op->fields[0], op->fields[1], op->fields[3], &words, op->fields[4]));
}

int op_attach(struct stage *s, const struct op *op)
{
    struct mount_words words;
    int64_t number = field_int(op->fields[0]);
    s->subject = op->fields[1];
    if (!parse_mount_words(op->fields[2], &words))
        return unknown_word(s);
    if (number < 0 || number >= (int64_t)s->kept_count || s->kept[number] < 0) {
        s->hint = "there is no kept mount of this number";
        return -EINVAL;
    }
    int mount = s->kept[number];
    s->kept[number] = -1;
    return attach_at(s, mount, op->fields[1], &words);
}

int op_id_map_at(struct stage *s, const struct op *op)
{
    const struct mount_words words = {0};
    int mount = make_bind(s, op->fields[0], "", "", &words, op->fields[1]);
    if (mount < 0)
        return mount;
    int target = (int)sys_openat(AT_FDCWD, op->fields[0], O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    int result = target < 0 ? target : attach(mount, target);
    if (target >= 0)
        sys_close(target);
    sys_close(mount);
    return result;
}
