/*
 * The clock of the machine is set, far back and far ahead, while the driver runs: events, logins,
 * the recognition of echoes and the log go on. The program is linked with -rdynamic, so that the
 * library calls the clock_gettime that is here.
 */
#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "library.h"
#include "process.h"
#include "sample.h"

static struct driver driver;

/* Seconds by which the clock of the machine is wrong. */
static atomic_long shift;

int clock_gettime(clockid_t clock, struct timespec *time)
{
  long result = syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    time->tv_sec += atomic_load(&shift);
  return (int)result;
}

static long size_of(const char *path)
{
  struct stat status;
  return stat(path, &status) == 0 ? (long)status.st_size : 0;
}

static void exchange(long handle, struct client *client, unsigned number)
{
  uint8_t data[40];
  char text[SAMPLE_TEXT];
  vscpEvent event;
  sample_text(number, text);
  client_send(client, text);
  CHECK_TEXT(client_receive(client, DEADLINE), "+;EVENT");
  CHECK_NUMBER(driver.read(handle, &event, DEADLINE), CANAL_ERROR_SUCCESS);
  sample_check_event(number, &event);
  free(event.pdata);

  /* An echo of it, which goes nowhere, and an event. */
  for (unsigned i = 0; i < 2; i++) {
    sample_event(number + i, &event, data);
    CHECK_NUMBER(driver.write(handle, &event, DEADLINE), CANAL_ERROR_SUCCESS);
  }
  sample_check_text(number + 1, client_receive(client, DEADLINE));
}

int main(int argc, char **argv)
{
  enum { DAY = 86400 };
  static const long steps[] = {0, -DAY, 1000L * DAY, -20000L * DAY, 3600};
  static struct client old, new;
  const char *logging = LAYOUT ",\"logging\":{\"file-path\":\"driver.log\",\"file-enable\":true,"
                               "\"file-log-level\":\"trace\",\"file-max-size\":2000}";
  int port = free_port();
  driver = driver_load(library_path(argc, argv));
  long handle = driver.open(configuration(port, logging).text, NULL);
  CHECK_RANGE(handle, 1, LONG_MAX);
  client_login(&old, port);
  for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
    printf("- clock set by %ld s\n", steps[i]);
    atomic_store(&shift, steps[i]);
    exchange(handle, &old, 10 * i);
    unlink("driver.1.log");
    /* Each connection and each login is a line, so that the log is rotated. */
    while (size_of("driver.1.log") == 0) {
      client_login(&new, port);
      client_close(&new);
    }
  }
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
  CHECK_NUMBER(old.close_code, 0);
  CHECK(client_receive(&old, DEADLINE) == NULL);
  CHECK_NUMBER(old.close_code, 1001);
  driver_unload(&driver);
  return 0;
}
