/** Facts of the whole machine that programs ask for (uname(2), sysinfo(2), /proc). */

export class SystemState {
  /** edx of cpuid leaf 1, for AT_HWCAP. */
  readonly hwcap: number;
  readonly sysname = "Linux";
  /** sethostname(2). */
  nodename = "menios";
  /** A release that glibc accepts and whose interfaces are served here. */
  readonly release = "6.1.0";
  readonly version = "#1 meniOS";
  readonly machine = "x86_64";
  /** setdomainname(2). */
  domainname = "(none)";

  constructor(hwcap: number) {
    this.hwcap = hwcap >>> 0;
  }
}
