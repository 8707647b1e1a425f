/** Constants of socket(2), send(2), recv(2), unix(7) and socket(7) for x86-64. Import-free leaf. */

export const AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16, AF_PACKET = 17;
/** Families a kernel may know; larger numbers are refused before anything else (NPROTO). */
export const AF_MAX = 46;
export const SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_RDM = 4, SOCK_SEQPACKET = 5;
export const SOCK_TYPE_MASK = 0xf;
export const SOCK_NONBLOCK = 0o4000, SOCK_CLOEXEC = 0o2000000;

export const SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2;

export const MSG_OOB = 0x1, MSG_PEEK = 0x2, MSG_DONTROUTE = 0x4, MSG_CTRUNC = 0x8, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_EOR = 0x80;
export const MSG_WAITALL = 0x100, MSG_CONFIRM = 0x800, MSG_NOSIGNAL = 0x4000, MSG_MORE = 0x8000, MSG_WAITFORONE = 0x1_0000, MSG_CMSG_CLOEXEC = 0x4000_0000;

export const SOL_SOCKET = 1;
export const SO_DEBUG = 1, SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_DONTROUTE = 5, SO_BROADCAST = 6, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_KEEPALIVE = 9;
export const SO_OOBINLINE = 10, SO_PRIORITY = 12, SO_LINGER = 13, SO_REUSEPORT = 15, SO_PASSCRED = 16, SO_PEERCRED = 17, SO_RCVLOWAT = 18, SO_SNDLOWAT = 19;
export const SO_RCVTIMEO = 20, SO_SNDTIMEO = 21, SO_TIMESTAMP = 29, SO_ACCEPTCONN = 30, SO_PEERSEC = 31, SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33;
export const SO_PROTOCOL = 38, SO_DOMAIN = 39;
export const SCM_RIGHTS = 1, SCM_CREDENTIALS = 2;
/** Most descriptors in one message (unix(7), SCM_RIGHTS). */
export const SCM_MAX_FD = 253;

export const SOMAXCONN = 4096;
/** struct sockaddr_un: family (u16) and at most 108 bytes of path. */
export const SUN_PATH_MAX = 108, SOCKADDR_UN_BYTES = 110;
/** struct msghdr, cmsghdr, mmsghdr, ucred. */
export const MSGHDR_BYTES = 56, CMSGHDR_BYTES = 16, MMSGHDR_BYTES = 64, UCRED_BYTES = 12;
