/** Calls that are known and not served, with the reason and the error programs are prepared for. Whatever has no row at all is
 *  answered with ENOSYS, too, but named once in the trace. */
import { ENOSYS, EOPNOTSUPP, EPERM } from "../../abi/linux/errno.ts";
import { absent, int, ptr, size, sys, type ParameterKind, type Row } from "./define.ts";

const notImplemented = (): number => -ENOSYS;
const notPermitted = (): number => -EPERM;
const notSupported = (): number => -EOPNOTSUPP;

const NONE: Readonly<Record<string, ParameterKind>> = {};
const missing = (name: string, why: string, parameters = NONE): Row => sys(name, parameters, notImplemented, absent(why));
const denied = (name: string, why: string, parameters = NONE): Row => sys(name, parameters, notPermitted, absent(why));

const ASYNC_IO = "no asynchronous I/O; glibc uses threads instead";
const NOTIFY = "files are not watched; programs fall back to looking";
const KEYS = "no key retention service";
const QUEUES = "no POSIX message queues";
const MOUNTS = "mounts are set up from outside";
const SANDBOX = "no further sandboxing inside the sandbox";

export const absentCalls: readonly Row[] = [
  missing("inotify_init", NOTIFY),
  missing("inotify_init1", NOTIFY, { flags: int }),
  missing("inotify_add_watch", NOTIFY, { fd: int, path: ptr, mask: int }),
  missing("inotify_rm_watch", NOTIFY, { fd: int, watch: int }),
  missing("fanotify_init", NOTIFY),
  missing("fanotify_mark", NOTIFY),
  missing("io_setup", ASYNC_IO, { count: int, context: ptr }),
  missing("io_destroy", ASYNC_IO),
  missing("io_getevents", ASYNC_IO),
  missing("io_pgetevents", ASYNC_IO),
  missing("io_submit", ASYNC_IO),
  missing("io_cancel", ASYNC_IO),
  missing("io_uring_setup", ASYNC_IO, { entries: int, parameters: ptr }),
  missing("io_uring_enter", ASYNC_IO),
  missing("io_uring_register", ASYNC_IO),
  missing("add_key", KEYS),
  missing("request_key", KEYS),
  missing("keyctl", KEYS),
  missing("mq_open", QUEUES),
  missing("mq_unlink", QUEUES),
  missing("mq_timedsend", QUEUES),
  missing("mq_timedreceive", QUEUES),
  missing("mq_notify", QUEUES),
  missing("mq_getsetattr", QUEUES),
  missing("tee", "a pipe's bytes cannot be read twice", { from: int, to: int, count: size, flags: int }),
  missing("remap_file_pages", "deprecated; mmap does the same"),
  missing("userfaultfd", "faults are answered by the kernel only"),
  missing("memfd_secret", "memory is not hidden from the kernel"),
  missing("process_madvise", "advice is for the caller's own memory"),
  missing("process_mrelease", "memory of a killed process goes at once"),
  missing("move_pages", "one memory node"),
  missing("migrate_pages", "one memory node"),
  missing("set_mempolicy_home_node", "one memory node"),
  missing("landlock_create_ruleset", SANDBOX),
  missing("landlock_add_rule", SANDBOX),
  missing("landlock_restrict_self", SANDBOX),
  missing("open_tree", MOUNTS),
  missing("move_mount", MOUNTS),
  missing("fsopen", MOUNTS),
  missing("fsconfig", MOUNTS),
  missing("fsmount", MOUNTS),
  missing("fspick", MOUNTS),
  missing("mount_setattr", MOUNTS),
  missing("quotactl_fd", "no disk quotas"),
  missing("futex_waitv", "one futex at a time; futex(2) serves it"),
  missing("lookup_dcookie", "removed from Linux"),
  missing("uselib", "removed from Linux"),
  missing("ustat", "obsolete; statfs serves it"),
  missing("_sysctl", "removed from Linux; /proc/sys serves it"),
  missing("modify_ldt", "64-bit programs have no use for segments"),
  ...["nfsservctl", "create_module", "get_kernel_syms", "query_module", "getpmsg", "putpmsg", "afs_syscall", "tuxcall", "security", "vserver",
    "epoll_ctl_old", "epoll_wait_old"].map((name) => missing(name, "never served or removed by Linux itself")),
  missing("set_thread_area", "for 32-bit programs; arch_prctl serves 64-bit ones"),
  missing("get_thread_area", "for 32-bit programs; arch_prctl serves 64-bit ones"),
  missing("kcmp", "kernel objects are not compared"),
  sys("name_to_handle_at", { directory: int, path: ptr, handle: ptr, mountId: ptr, flags: int }, notSupported, absent("files have no handles: EOPNOTSUPP")),
  denied("open_by_handle_at", "files have no handles"),
  denied("kexec_file_load", "administration of the machine is not a guest's"),
];
