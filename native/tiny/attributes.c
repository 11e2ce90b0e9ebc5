/* Words of mount flags and what they mean to mount_setattr(2). */
#include "stage.h"

static const struct {
    char word[16];
    uint16_t set, clear;
} attributes[] = {
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    /* The access time is one value of three: clear all of it, then set. */
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"norelatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
};

static const struct {
    char word[12];
    uint32_t flag;
} propagations[] = {
    {"private", 1 << 18},
    {"slave", 1 << 19},
    {"shared", 1 << 20},
    {"unbindable", 1 << 17},
};

static bool parse_attribute(const char *word, uint64_t *set, uint64_t *clear)
{
    for (unsigned i = 0; i < sizeof attributes / sizeof *attributes; i++)
        if (text_equal(word, attributes[i].word)) {
            *set = (*set & ~(uint64_t)attributes[i].clear) | attributes[i].set;
            *clear = (*clear & ~(uint64_t)attributes[i].set) | attributes[i].clear;
            return true;
        }
    if (text_equal(word, "nosymfollow"))
        *set |= MOUNT_ATTR_NOSYMFOLLOW;
    else if (text_equal(word, "symfollow"))
        *clear |= MOUNT_ATTR_NOSYMFOLLOW;
    else
        return false;
    return true;
}

static bool parse_propagation(const char *word, struct mount_words *out)
{
    bool deep = word[0] == 'r';
    for (unsigned i = 0; i < sizeof propagations / sizeof *propagations; i++)
        if (text_equal(word + deep, propagations[i].word)) {
            out->propagation = propagations[i].flag;
            out->propagation_deep = deep;
            return true;
        }
    return false;
}

bool parse_mount_words(const char *flags, struct mount_words *out)
{
    char word[24];
    *out = (struct mount_words){0};
    while (next_word(&flags, word, sizeof word)) {
        if (text_equal(word, "r"))
            out->recursive = true;
        else if (text_equal(word, "ridmap"))
            out->deep_idmap = true;
        else if (text_equal(word, "create"))
            out->create = true;
        else if (text_equal(word, "point"))
            out->point = true;
        else if (text_equal(word, "source-dir"))
            out->source_directory = true;
        else if (text_equal(word, "source-file"))
            out->source_file = true;
        else if (parse_propagation(word, out))
            continue;
        else if (parse_attribute(word, &out->set, &out->clear))
            continue;
        /* `rro`, `rnosuid`… (mount(8), "recursive"); `relatime` was met above. */
        else if (word[0] != 'r' || !parse_attribute(word + 1, &out->set_deep, &out->clear_deep))
            return false;
    }
    return true;
}

static int set_attributes(int mount, bool deep, const struct mount_attr *attributes_)
{
    return (int)sys5(__NR_mount_setattr, mount, PTR(""), AT_EMPTY_PATH | (deep ? AT_RECURSIVE : 0), PTR(attributes_),
                     sizeof *attributes_);
}

/*
 * In a user namespace flags of the host's mount are locked: what may not be cleared stays as the host has it (a
 * read-only source stays read-only although `rw` was said). What is to be set must be set.
 */
static int set_and_clear(int mount, bool deep, uint64_t set, uint64_t clear)
{
    struct mount_attr both = {.attr_set = set, .attr_clr = clear};
    struct mount_attr only_set = {.attr_set = set & ~(uint64_t)MOUNT_ATTR__ATIME};
    if ((set | clear) == 0)
        return 0;
    int result = set_attributes(mount, deep, &both);
    if (result != -EPERM || clear == 0)
        return result;
    return only_set.attr_set == 0 ? 0 : set_attributes(mount, deep, &only_set);
}

int apply_mount_words(int mount, const struct mount_words *words, int idmap)
{
    struct mount_attr propagation = {.propagation = words->propagation};
    struct mount_attr map = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)idmap};
    int result = 0;
    if (idmap >= 0)
        result = set_attributes(mount, words->deep_idmap, &map);
    if (result == 0)
        result = set_and_clear(mount, true, words->set_deep, words->clear_deep);
    if (result == 0)
        result = set_and_clear(mount, false, words->set, words->clear);
    if (result == 0 && words->propagation != 0)
        result = set_attributes(mount, words->propagation_deep, &propagation);
    return result;
}
