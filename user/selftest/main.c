/* The named self-tests of meniOS:
 *
 *    selftest             runs all of them
 *    selftest NAME…       runs the named ones
 *    selftest --list      prints the names
 *
 * Prints `ok NAME` or `not ok NAME: reason` for each; the exit status is the number of failures. */
#include "selftest.h"

#define EACH_TEST(_)                                                                                                         \
  _(start_stack_top_page_only) _(start_stack_is_aligned) _(start_registers_and_vectors)                                      \
  _(stack_expands_by_recursion) _(stack_expands_by_alloca) _(stack_write_far_below) _(stack_ends_at_its_limit)               \
  _(stack_guard_above_a_mapping) _(stack_grows_for_the_kernel)                                                               \
  _(fault_null_pointer) _(fault_recovery) _(fault_recovery_many) _(fault_write_to_read_only) _(fault_execute_data)            \
  _(fault_kernel_half) _(fault_non_canonical) _(fault_unmapped) _(fault_guard_pages) _(fault_text_is_read_only)               \
  _(fault_file_beyond_end) _(fault_kills_without_handler)                                                                    \
  _(heap_grow_and_shrink) _(heap_grow_shrink_stress) _(heap_window_is_lazy) _(heap_window_limit) _(heap_malloc_gives_back)    \
  _(heap_malloc_stress)                                                                                                      \
  _(cow_child_write) _(cow_parent_write) _(cow_generations) _(cow_counts) _(clone_partially_committed) _(clone_stack)         \
  _(clone_shared_mapping) _(clone_many)                                                                                      \
  _(map_zero_filled) _(map_fixed_replaces) _(map_fixed_noreplace) _(map_hint) _(map_errors) _(map_file_private)              \
  _(map_file_shared) _(map_rounds_up)                                                                                        \
  _(unmap_middle) _(unmap_head) _(unmap_tail) _(unmap_across) _(unmap_hole) _(unmap_errors) _(unmap_frees)                    \
  _(window_reuse) _(window_fragments)                                                                                        \
  _(exec_failure) _(exec_self) _(exec_close_on_exec) _(exec_limits) _(exec_resets_signals) _(path_limits)                     \
  _(wait_status) _(wait_nohang) _(wait_order) _(wait_no_children) _(wait_signaled) _(orphan)                                  \
  _(pipe_round_trip) _(pipe_larger_than_buffer) _(pipe_end_of_file) _(pipe_broken) _(dup_shares_offset)                       \
  _(signal_mask) _(signal_siginfo) _(signal_keeps_registers) _(signal_nested) _(signal_interrupts) _(signal_restarts)         \
  _(signal_reset_hand) _(signal_ignored) _(signal_to_child) _(alarm_fires) _(timer_repeats)                                   \
  _(shm_shared) _(shm_control)                                                                                               \
  _(file_write_and_read) _(file_descriptor_flags) _(file_errors) _(directory_list) _(directory_change)                        \
  _(process_list) _(process_kill) _(stdin_poll_byte) _(time_moves) _(gate_keeps_registers) _(gate_unknown_number)             \
  _(gate_bad_pointers) _(gate_constants) _(float_state_is_private)

#define DECLARE(name) TEST(name);
EACH_TEST(DECLARE)
#define ROW(name) {#name, name},
static const struct {
  const char *name;
  test_t run;
} tests[] = {EACH_TEST(ROW)};
#define COUNT (int)(sizeof tests / sizeof *tests)

const char *self_path;
char **start_arguments;
long pages_below_stack, pages_of_stack;
int exec_child(int argc, char **argv);

/* Runs one test in a child, so that nothing it breaks reaches the next one. */
static int run(int index) {
  int reason[2], status;
  char text[200] = "";
  if (pipe(reason) != 0) return 1;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    close(reason[0]);
    const char *failure = tests[index].run();
    if (failure) write(reason[1], failure, strnlen(failure, sizeof text - 1));
    _exit(failure ? 1 : 0);
  }
  close(reason[1]);
  size_t length = 0;
  for (ssize_t part; length < sizeof text - 1 && (part = read(reason[0], text + length, sizeof text - 1 - length)) > 0;) length += (size_t)part;
  text[length] = 0;
  close(reason[0]);
  if (child < 0 || waitpid(child, &status, 0) != child) strcpy(text, "could not be run");
  else if (WIFSIGNALED(status)) snprintf(text, sizeof text, "ended by signal %d", WTERMSIG(status));
  else if (WEXITSTATUS(status) != 0 && length == 0) snprintf(text, sizeof text, "exit status %d", WEXITSTATUS(status));
  if (text[0]) printf("not ok %s: %s\n", tests[index].name, text);
  else printf("ok %s\n", tests[index].name);
  return text[0] != 0;
}

static int find(const char *name) {
  for (int i = 0; i < COUNT; i++)
    if (strcmp(tests[i].name, name) == 0) return i;
  return -1;
}

int main(int argc, char **argv) {
  uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~(PAGE - 1);
  region_t stack = region_at((void *)here);
  pages_below_stack = resident_pages((void *)(here - 64 * PAGE), 64 * PAGE);
  pages_of_stack = resident_pages((void *)here, stack.end - here);
  self_path = "/proc/self/exe";
  start_arguments = argv;
  if (argc > 1 && strcmp(argv[1], "--exec-child") == 0) return exec_child(argc, argv);
  if (argc > 1 && strcmp(argv[1], "--list") == 0) {
    for (int i = 0; i < COUNT; i++) puts(tests[i].name);
    return 0;
  }
  int failures = 0;
  for (int i = 1; i < argc; i++) {
    int index = find(argv[i]);
    if (index < 0) {
      fprintf(stderr, "selftest: no test is called %s\n", argv[i]);
      return 125;
    }
    failures += run(index);
  }
  if (argc == 1)
    for (int i = 0; i < COUNT; i++) failures += run(i);
  return failures;
}
