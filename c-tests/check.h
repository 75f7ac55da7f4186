/*
 * Checks. One that fails prints the place, what was found and what was expected, and ends the process immediately (_exit): other threads may still be inside the driver.
 *
 * The programs here are compiled and run by tests/c_interface.rs. C_TEST_SLOWDOWN (default 1) in
 * the environment stretches all limits of time, for runs under valgrind.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long to wait for what must come, in ms. */
#define DEADLINE 5000

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) check_failed(__FILE__, __LINE__, "%s", #condition);                          \
  } while (0)

#define CHECK_NUMBER(found, expected)                                                              \
  check_number(__FILE__, __LINE__, #found, (long long)(found), (long long)(expected))

#define CHECK_RANGE(found, least, most)                                                            \
  check_range(__FILE__, __LINE__, #found, (long long)(found), (long long)(least), (long long)(most))

/* The found text may be NULL. */
#define CHECK_TEXT(found, expected)                                                                \
  check_text(__FILE__, __LINE__, #found, found, expected, strlen(expected) + 1)

#define CHECK_PREFIX(found, expected)                                                              \
  check_text(__FILE__, __LINE__, #found, found, expected, strlen(expected))

#define WAIT_UNTIL(condition, milliseconds)                                                        \
  do {                                                                                             \
    long deadline_ = now_ms() + patient(milliseconds);                                             \
    while (!(condition)) {                                                                         \
      if (now_ms() > deadline_)                                                                    \
        check_failed(__FILE__, __LINE__, "not within %ld ms: %s", (long)(milliseconds),            \
                     #condition);                                                                  \
      pause_ms(1);                                                                                 \
    }                                                                                              \
  } while (0)

__attribute__((noreturn, format(printf, 3, 4))) static inline void
check_failed(const char *file, int line, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  fflush(stdout);
  fprintf(stderr, "%s:%d: check failed: ", file, line);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  _exit(1);
}

static inline void check_number(const char *file, int line, const char *what, long long found,
                                long long expected)
{
  if (found != expected)
    check_failed(file, line, "%s: found %lld (0x%llX), expected %lld (0x%llX)", what, found, found,
                 expected, expected);
}

static inline void check_range(const char *file, int line, const char *what, long long found,
                               long long least, long long most)
{
  if (found < least || found > most)
    check_failed(file, line, "%s: found %lld, expected %lld to %lld", what, found, least, most);
}

static inline void check_text(const char *file, int line, const char *what, const char *found,
                              const char *expected, size_t compared)
{
  if (!found || strncmp(found, expected, compared) != 0)
    check_failed(file, line, "%s:\n  found    %s\n  expected %s", what, found ? found : "(nothing)",
                 expected);
}

/* A limit for the machine at hand, in ms as a rule. */
static inline long patient(long milliseconds)
{
  const char *slowdown = getenv("C_TEST_SLOWDOWN");
  return slowdown ? milliseconds * atol(slowdown) : milliseconds;
}

static inline long now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void pause_ms(long milliseconds)
{
  struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&pause, NULL);
}

/* Tells how far the program has come: shown where a later check fails or the time is over. */
static inline void step(const char *name)
{
  printf("- %s\n", name);
  fflush(stdout);
}

#endif
