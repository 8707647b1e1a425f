/** Resource limits and usage (getrlimit(2), getrusage(2)). Import-free leaf. */

export const RLIMIT_CPU = 0, RLIMIT_FSIZE = 1, RLIMIT_DATA = 2, RLIMIT_STACK = 3, RLIMIT_CORE = 4, RLIMIT_RSS = 5, RLIMIT_NPROC = 6;
export const RLIMIT_NOFILE = 7, RLIMIT_MEMLOCK = 8, RLIMIT_AS = 9, RLIMIT_LOCKS = 10, RLIMIT_SIGPENDING = 11, RLIMIT_MSGQUEUE = 12;
export const RLIMIT_NICE = 13, RLIMIT_RTPRIO = 14, RLIMIT_RTTIME = 15;
export const RLIMIT_COUNT = 16;
/** The all-ones value; as a `number` every limit at or above 2^53 is treated as this. */
export const RLIM_INFINITY = Infinity;

export const RUSAGE_SELF = 0, RUSAGE_CHILDREN = -1, RUSAGE_THREAD = 1;
/** struct rusage: two timevals and fourteen longs. */
export const RUSAGE_BYTES = 144;
/** Clock ticks a second of times(2) and /proc (AT_CLKTCK). */
export const USER_HZ = 100;
