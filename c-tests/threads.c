/*
 * A machine that gives no more threads: the driver then does not open and says so, or goes on with
 * those that it has. The program is linked with -rdynamic, so that the library
 * calls the pthread_create that is here.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "library.h"
#include "process.h"
#include "sample.h"

static struct driver driver;

/* Threads besides the first one, how many there may be, and how many were refused. */
static atomic_int running, limit = INT_MAX, refused;

struct start {
  void *(*run)(void *);
  void *argument;
};

static void *run_counted(void *argument)
{
  struct start start = *(struct start *)argument;
  free(argument);
  void *result = start.run(start.argument);
  atomic_fetch_sub(&running, 1);
  return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument)
{
  __typeof__(&pthread_create) of_system;
  void *symbol = dlsym(RTLD_NEXT, "pthread_create");
  memcpy(&of_system, &symbol, sizeof symbol);
  if (atomic_fetch_add(&running, 1) >= atomic_load(&limit)) {
    atomic_fetch_sub(&running, 1);
    atomic_fetch_add(&refused, 1);
    return EAGAIN;
  }
  struct start *start = malloc(sizeof *start);
  *start = (struct start){run, argument};
  return of_system(thread, attributes, run_counted, start);
}

/* Opens a driver, and keeps what it says on standard error. */
static long open_and_listen(const char *configuration, char *said, size_t size)
{
  char name[] = "stderrXXXXXX";
  int file = mkstemp(name), kept = dup(2);
  CHECK(file >= 0 && kept >= 0);
  CHECK_NUMBER(dup2(file, 2), 2);
  long handle = driver.open(configuration, NULL);
  CHECK_NUMBER(dup2(kept, 2), 2);
  ssize_t length = pread(file, said, size - 1, 0);
  CHECK_RANGE(length, 0, size - 1);
  said[length] = '\0';
  close(kept);
  close(file);
  CHECK_NUMBER(unlink(name), 0);
  return handle;
}

static int count(const char *text, const char *part)
{
  int count = 0;
  for (text = strstr(text, part); text; text = strstr(text + 1, part)) count++;
  return count;
}

static void a_driver_opens_with_all_its_threads_or_says_why_not(void)
{
  char said[1 << 14];
  int lacking = 0;
  step("too few threads to open");
  for (;; lacking++) {
    atomic_store(&limit, lacking);
    long handle = open_and_listen(configuration(free_port(), LAYOUT).text, said, sizeof said);
    if (handle != 0) {
      CHECK_RANGE(handle, 1, LONG_MAX);
      CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
      break;
    }
    if (count(said, "the driver cannot be opened: ") != 1 ||
        count(said, "Resource temporarily unavailable") != 1 || count(said, "panicked") != 0)
      check_failed(__FILE__, __LINE__, "with %d threads it said:\n%s", lacking, said);
    WAIT_UNTIL(threads() == 1, DEADLINE);
  }
  CHECK_RANGE(lacking, 4, 10);
  atomic_store(&limit, INT_MAX);
  WAIT_UNTIL(threads() == 1, DEADLINE);
}

static void an_open_driver_goes_on_without_more_threads(void)
{
  static struct client client;
  int port = free_port();
  step("no more threads");
  long handle = driver.open(configuration(port, LAYOUT).text, NULL);
  CHECK_RANGE(handle, 1, LONG_MAX);
  atomic_store(&limit, 0);
  atomic_store(&refused, 0);
  client_login(&client, port);
  client_close(&client);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
  CHECK_RANGE(atomic_load(&refused), 1, INT_MAX);
  WAIT_UNTIL(threads() == 1, DEADLINE);
  atomic_store(&limit, INT_MAX);
}

int main(int argc, char **argv)
{
  driver = driver_load(library_path(argc, argv));
  a_driver_opens_with_all_its_threads_or_says_why_not();
  an_open_driver_goes_on_without_more_threads();
  driver_unload(&driver);
  return 0;
}
