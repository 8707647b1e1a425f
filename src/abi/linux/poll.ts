/** poll(2) event bits; epoll(7) uses the same numbers. Import-free leaf. */

export const POLLIN = 0x001;
export const POLLPRI = 0x002;
export const POLLOUT = 0x004;
export const POLLERR = 0x008;
export const POLLHUP = 0x010;
export const POLLNVAL = 0x020;
export const POLLRDNORM = 0x040;
export const POLLRDBAND = 0x080;
export const POLLWRNORM = 0x100;
export const POLLWRBAND = 0x200;
export const POLLMSG = 0x400;
export const POLLRDHUP = 0x2000;

/** What select(2) counts as readable, writable and exceptional (fs/select.c's sets, documented in select(2)). */
export const SELECT_READ = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR;
export const SELECT_WRITE = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR;
export const SELECT_EXCEPT = POLLPRI;
