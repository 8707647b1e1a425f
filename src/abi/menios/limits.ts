/** Limits of the meniOS gate, in bytes unless said otherwise. Import-free leaf. */

/** A path name with its NUL; a longer one is ENAMETOOLONG. */
export const MENIOS_PATH_MAX = 256;
/** execve: strings in argv, strings in envp, and bytes of all of them; more is E2BIG. */
export const MENIOS_ARGUMENTS_MAX = 64;
export const MENIOS_VARIABLES_MAX = 64;
export const MENIOS_STRINGS_MAX = 4096;
