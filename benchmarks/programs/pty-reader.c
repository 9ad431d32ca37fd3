/*
 * Forks a shell command on a PTY and reads what it prints as fast as it can, in C: what the kernel allows, beside
 * which the bare loop in Node shows what Node takes of it.
 *
 *     pty-reader BYTES COMMAND
 *
 * COMMAND prints one '@' when it is ready, waits for a byte, and then prints BYTES bytes. Written to standard
 * output as one line: bytes that came, nanoseconds from the byte that was typed to the last that came, and
 * microseconds of CPU of this process and of what it ran.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* As the loop in Node has it; the kernel gives little more than 4 KiB a read. */
#define READ_BYTES (64 * 1024)

static int64_t now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static int64_t cpu_us(int who) {
  struct rusage usage;
  getrusage(who, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * (int64_t)1000000 +
         usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void fail(const char *what) {
  fprintf(stderr, "pty-reader: %s: %s\n", what, strerror(errno));
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: pty-reader BYTES COMMAND\n");
    return 2;
  }
  const int64_t expected = strtoll(argv[1], NULL, 10);
  static char buffer[READ_BYTES];
  const struct winsize size = {.ws_row = 24, .ws_col = 80};
  int master;
  const pid_t child = forkpty(&master, NULL, NULL, &size);
  if (child < 0) fail("forkpty");
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", argv[2], (char *)NULL);
    _exit(127);
  }
  for (;;) {
    const ssize_t count = read(master, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("the command ended before it was ready");
    if (memchr(buffer, '@', (size_t)count) != NULL) break;
  }
  const int64_t own_before = cpu_us(RUSAGE_SELF);
  const int64_t start = now_ns();
  if (write(master, "g", 1) != 1) fail("write");
  int64_t received = 0;
  int64_t end = start;
  while (received < expected) {
    const ssize_t count = read(master, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    received += count;
    end = now_ns();
  }
  const int64_t own = cpu_us(RUSAGE_SELF) - own_before;
  close(master);
  waitpid(child, NULL, 0);
  printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", received, end - start,
         own + cpu_us(RUSAGE_CHILDREN));
  return 0;
}
