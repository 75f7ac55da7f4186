/*
 * A daemon that restarts its drivers again and again: dlopen, VSCPOpen, some traffic, VSCPClose,
 * dlclose. Nothing may be left: no thread, file or memory.
 */
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>

#include "library.h"
#include "process.h"
#include "sample.h"

enum { WARM_UP = 20, CYCLES = 200, WITH_CLIENT = 10 };

/* Limits of what may be left after all cycles behind the warm-up. */
enum { RESIDENT_KIB = 4096, HEAP_BYTES = 128 * 1024 };

static struct driver driver;
static long handle;
static sem_t has_read, may_end;

/* A thread of the host that has been inside the library and lives on without it. */
static void *read_once_and_live_on(void *argument)
{
  vscpEvent event;
  (void)argument;
  CHECK_NUMBER(driver.read(handle, &event, 1), CANAL_ERROR_TIMEOUT);
  CHECK_NUMBER(sem_post(&has_read), 0);
  while (sem_wait(&may_end) != 0) continue;
  return NULL;
}

static void exchange(struct client *client, unsigned number)
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

  sample_event(number + 1, &event, data);
  CHECK_NUMBER(driver.write(handle, &event, DEADLINE), CANAL_ERROR_SUCCESS);
  sample_check_text(number + 1, client_receive(client, DEADLINE));
}

static void cycle(const char *library, int port, unsigned number, pthread_t *survivor)
{
  static struct client client;
  driver = driver_load(library);
  handle = driver.open(configuration(port, LAYOUT).text, NULL);
  CHECK_RANGE(handle, 1, LONG_MAX);
  if (survivor) {
    CHECK_NUMBER(pthread_create(survivor, NULL, read_once_and_live_on, NULL), 0);
    while (sem_wait(&has_read) != 0) continue;
  }

  client_login(&client, port);
  exchange(&client, 2 * number);
  if (number % WITH_CLIENT != 0) client_close(&client);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
  if (number % WITH_CLIENT == 0) {
    CHECK(client_receive(&client, DEADLINE) == NULL);
    CHECK_NUMBER(client.close_code, 1001);
    close(client.fd);
  }
  driver_unload(&driver);
}

int main(int argc, char **argv)
{
  const char *library = library_path(argc, argv);
  int port = free_port();
  pthread_t survivor;
  CHECK_NUMBER(sem_init(&has_read, 0, 0), 0);
  CHECK_NUMBER(sem_init(&may_end, 0, 0), 0);

  /* Else each thread takes memory of its own, and how much depends on how they are scheduled. */
  CHECK_NUMBER(mallopt(M_ARENA_MAX, 1), 1);

  step("warm-up");
  cycle(library, port, 0, &survivor);
  for (unsigned i = 1; i < WARM_UP; i++) cycle(library, port, i, NULL);
  WAIT_UNTIL(threads() == 2, 2000); /* this one and the survivor */
  long files_before = files(), resident_before = resident_kib();
  size_t heap_before = mallinfo2().uordblks;

  step("cycles");
  for (unsigned i = WARM_UP; i < CYCLES; i++) {
    cycle(library, port, i, NULL);
    WAIT_UNTIL(threads() == 2, 2000);
    CHECK_NUMBER(files(), files_before);
  }
  long resident = resident_kib() - resident_before;
  long heap = (long)(mallinfo2().uordblks - heap_before);
  printf("left: %ld KiB resident, %ld bytes of the heap\n", resident, heap);
  CHECK_RANGE(resident, LONG_MIN, patient(RESIDENT_KIB));
  CHECK_RANGE(heap, LONG_MIN, HEAP_BYTES);

  step("the thread that lived on ends");
  CHECK_NUMBER(sem_post(&may_end), 0);
  CHECK_NUMBER(pthread_join(survivor, NULL), 0);
  WAIT_UNTIL(threads() == 1, 2000);
  return 0;
}
