/*
 * One static program, sealed in a memfd, with parts that argv[0] chooses (the reaper is a program of its own, init.c):
 *   berth-stage   plays the operations that set a container up and becomes the payload (stage.c)
 *   berth-relay   log, notifications and guard beside a running payload (relay.c)
 *   berth-holder  keeps the namespaces of a pod (holder.c)
 */
#include "sys.h"
#include "text.h"

int tiny_main(int argc, char **argv, char **envp);

int tiny_main(int argc, char **argv, char **envp)
{
    const char *name = argc > 0 ? argv[0] : "";
    if (text_equal(name, "berth-stage") && stage_main != NULL)
        return stage_main(argc, argv, envp);
    if (text_equal(name, "berth-relay") && relay_main != NULL)
        return relay_main(argc, argv, envp);
    if (text_equal(name, "berth-holder") && holder_main != NULL)
        return holder_main(argc, argv, envp);
    static const char message[] = "berth: no such part of the tiny program\n";
    sys_write(2, message, sizeof message - 1);
    return 125;
}
