/*
 * Standard input, output and error belong to the host. One that has closed them, as daemons do, or
 * whose standard error nobody reads, is not held up, and its text never ends up in a connection.
 */
#include <fcntl.h>
#include <limits.h>

#include "configuration.h"
#include "library.h"
#include "process.h"

static struct driver driver;

/* The host's own, while it has others or none. */
static int kept[3];

static void keep_descriptors(void)
{
  for (int fd = 0; fd <= 2; fd++) {
    kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    CHECK_RANGE(kept[fd], 10, INT_MAX);
  }
}

/* From here on checks may fail visibly. */
static void restore_descriptors(void)
{
  for (int fd = 0; fd <= 2; fd++) {
    CHECK_NUMBER(dup2(kept[fd], fd), fd);
    close(kept[fd]);
  }
}

/* What a descriptor stands for. */
static void name_of(int fd, char *name, size_t size)
{
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, name, size - 1);
  name[length < 0 ? 0 : length] = '\0';
}

static void closed_descriptors_do_not_become_connections(void)
{
  char names[3][PATH_MAX];
  step("closed descriptors");
  long before = files();
  keep_descriptors();
  for (int fd = 0; fd <= 2; fd++) close(fd);
  long handle = driver.open(configuration(free_port(), LAYOUT).text, NULL);
  for (int fd = 0; fd <= 2; fd++) name_of(fd, names[fd], sizeof names[fd]);
  int closed = driver.close(handle);
  restore_descriptors();
  CHECK_RANGE(handle, 1, LONG_MAX);
  for (int fd = 0; fd <= 2; fd++) CHECK_TEXT(names[fd], "/dev/null");
  CHECK_NUMBER(closed, CANAL_ERROR_SUCCESS);
  CHECK_NUMBER(files(), before);
}

static void a_standard_error_that_nobody_reads_holds_nobody_up(void)
{
  step("full standard error");
  int ends[2];
  CHECK_NUMBER(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  keep_descriptors();
  while (write(ends[1], "full", 4) > 0) continue;
  /* The driver's descriptor is one that waits. */
  fcntl(ends[1], F_SETFL, 0);
  dup2(ends[1], 2);
  long start = now_ms();
  long failed = driver.open("{\"interface\":7}", NULL);
  long failing_ms = now_ms() - start;
  /* It warns of the well-known key. */
  long handle = driver.open(configuration(free_port(), LAYOUT).text, NULL);
  start = now_ms();
  int closed = driver.close(handle);
  long closing_ms = now_ms() - start;
  restore_descriptors();
  close(ends[0]);
  close(ends[1]);
  CHECK_NUMBER(failed, 0);
  CHECK_RANGE(failing_ms, 0, patient(DEADLINE));
  CHECK_RANGE(handle, 1, LONG_MAX);
  CHECK_NUMBER(closed, CANAL_ERROR_SUCCESS);
  CHECK_RANGE(closing_ms, 0, patient(DEADLINE));
}

int main(int argc, char **argv)
{
  driver = driver_load(library_path(argc, argv));
  closed_descriptors_do_not_become_connections();
  a_standard_error_that_nobody_reads_holds_nobody_up();
  driver_unload(&driver);
  return 0;
}
