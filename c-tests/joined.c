/*
 * Daemons from 15.0.0 join their threads twice at the stop, with the closing of two drivers in
 * between. The second join reads the stack of a thread that has ended, which glibc unmaps if more
 * than 40 MB of stacks are free: so the driver's threads must leave it there.
 */
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

#include "library.h"
#include "process.h"
#include "sample.h"

enum { DRIVERS = 2, THREADS_OF_A_DRIVER = 2 };

static struct driver driver;
static long handles[DRIVERS];

/* What a daemon's thread for a driver does, shortly. */
static void *read_once(void *argument)
{
  vscpEvent event;
  CHECK_NUMBER(driver.read(*(long *)argument, &event, 1), CANAL_ERROR_TIMEOUT);
  return NULL;
}

static void check_mapped(pthread_t thread)
{
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  unsigned char resident;
  /* In glibc it is the address of what pthread_join reads. */
  void *address = (void *)((uintptr_t)thread & ~(page - 1));
  CHECK_NUMBER(mincore(address, page, &resident), 0);
}

int main(int argc, char **argv)
{
  static struct client clients[DRIVERS];
  pthread_t threads[DRIVERS][THREADS_OF_A_DRIVER];
  pthread_attr_t attributes;
  driver = driver_load(library_path(argc, argv));
  CHECK_NUMBER(pthread_attr_init(&attributes), 0);
  CHECK_NUMBER(pthread_attr_setstacksize(&attributes, 8 << 20), 0); /* the usual limit */
  for (int i = 0; i < DRIVERS; i++) {
    int port = free_port();
    handles[i] = driver.open(configuration(port, LAYOUT).text, NULL);
    CHECK_RANGE(handles[i], 1, LONG_MAX);
    client_login(&clients[i], port);
    for (int j = 0; j < THREADS_OF_A_DRIVER; j++)
      CHECK_NUMBER(pthread_create(&threads[i][j], &attributes, read_once, &handles[i]), 0);
  }
  for (int i = 0; i < DRIVERS; i++)
    for (int j = 0; j < THREADS_OF_A_DRIVER; j++)
      CHECK_NUMBER(pthread_join(threads[i][j], NULL), 0);
  for (int i = 0; i < DRIVERS; i++)
    CHECK_NUMBER(driver.close(handles[i]), CANAL_ERROR_SUCCESS);
  for (int i = 0; i < DRIVERS; i++)
    for (int j = 0; j < THREADS_OF_A_DRIVER; j++) check_mapped(threads[i][j]);
  return 0;
}
