/* VSCPClose while other threads are inside the library; several instances in one process. */
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "library.h"
#include "process.h"
#include "sample.h"

static struct driver driver;

static long open_driver(int *port)
{
  *port = free_port();
  long handle = driver.open(configuration(*port, LAYOUT).text, NULL);
  CHECK_RANGE(handle, 1, LONG_MAX);
  return handle;
}

static pthread_t start(void *(*run)(void *), void *argument)
{
  pthread_t thread;
  CHECK_NUMBER(pthread_create(&thread, NULL, run, argument), 0);
  return thread;
}

static void write_sample(long handle, unsigned number)
{
  uint8_t data[40];
  vscpEvent event;
  sample_event(number, &event, data);
  CHECK_NUMBER(driver.write(handle, &event, DEADLINE), CANAL_ERROR_SUCCESS);
}

static void read_sample(long handle, unsigned number)
{
  vscpEvent event;
  CHECK_NUMBER(driver.read(handle, &event, DEADLINE), CANAL_ERROR_SUCCESS);
  sample_check_event(number, &event);
  free(event.pdata);
}

static void send_sample(struct client *client, unsigned number)
{
  char text[SAMPLE_TEXT];
  sample_text(number, text);
  client_send(client, text);
}

struct reader {
  long handle;
  unsigned long timeout;
  atomic_int thread;
  int result;
  atomic_long returned; /* when; 0: not yet */
};

static void *read_once(void *argument)
{
  struct reader *reader = argument;
  vscpEvent event;
  atomic_store(&reader->thread, thread_id());
  reader->result = driver.read(reader->handle, &event, reader->timeout);
  atomic_store(&reader->returned, now_ms());
  if (reader->result == CANAL_ERROR_SUCCESS) free(event.pdata);
  return NULL;
}

static void close_wakes_readers(void)
{
  enum { READERS = 4, ROUNDS = 5 };
  static const unsigned long timeouts[READERS] = {0, 10000, 10000, ULONG_MAX};
  long fastest = LONG_MAX;
  step("VSCPClose wakes VSCPRead");
  for (int round = 0; round < ROUNDS; round++) {
    struct reader readers[READERS];
    pthread_t threads[READERS];
    int port;
    long slowest = 0, handle = open_driver(&port);
    for (int i = 0; i < READERS; i++) {
      readers[i].handle = handle;
      readers[i].timeout = timeouts[i];
      atomic_init(&readers[i].thread, 0);
      atomic_init(&readers[i].returned, 0);
      threads[i] = start(read_once, &readers[i]);
    }
    for (int i = 0; i < READERS; i++)
      WAIT_UNTIL(thread_sleeps(atomic_load(&readers[i].thread)), DEADLINE);

    long closing = now_ms();
    CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
    CHECK_RANGE(now_ms() - closing, 0, patient(2000));
    for (int i = 0; i < READERS; i++) {
      WAIT_UNTIL(atomic_load(&readers[i].returned), 2000);
      CHECK_NUMBER(pthread_join(threads[i], NULL), 0);
      CHECK_NUMBER(readers[i].result, CANAL_ERROR_NOT_OPEN);
      long delay = atomic_load(&readers[i].returned) - closing;
      if (delay > slowest) slowest = delay;
    }
    if (slowest < fastest) fastest = slowest;
  }
  /* The best of the rounds: the machine may be busy. */
  CHECK_RANGE(fastest, 0, patient(100));
}

static void close_tells_clients(void)
{
  struct client ws1, idle;
  int port;
  long handle = open_driver(&port);
  step("VSCPClose tells the clients");
  client_login(&ws1, port);
  client_connect(&idle, port, "/ws2"); /* has not logged in */
  CHECK_PREFIX(client_receive(&idle, DEADLINE), "{");
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
  CHECK(client_receive(&ws1, DEADLINE) == NULL);
  CHECK_NUMBER(ws1.close_code, 1001);
  CHECK(client_receive(&idle, DEADLINE) == NULL);
  CHECK_NUMBER(idle.close_code, 1001);
  close(ws1.fd);
  close(idle.fd);

  struct sockaddr_in address = loopback(port);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) != 0);
  close(fd);
}

/* The handle that the writers use; what a daemon has in it before VSCPOpen returned. */
static atomic_long shared_handle;
static atomic_bool closed, stop;
static atomic_long accepted, refused;

static void *write_always(void *argument)
{
  unsigned number = (unsigned)(uintptr_t)argument;
  uint8_t data[40];
  vscpEvent event;
  sample_event(number, &event, data);
  while (!atomic_load(&stop)) {
    bool was_closed = atomic_load(&closed);
    int result = driver.write(atomic_load(&shared_handle), &event, 10);
    if (result == CANAL_ERROR_SUCCESS) {
      CHECK(!was_closed);
      atomic_fetch_add(&accepted, 1);
    }
    else if (result == CANAL_ERROR_NOT_OPEN) {
      atomic_fetch_add(&refused, 1);
      sched_yield();
    }
    else {
      CHECK_NUMBER(result, CANAL_ERROR_FIFO_FULL);
    }
  }
  return NULL;
}

static void writers_outlive_the_driver(void)
{
  enum { WRITERS = 6 };
  static const long before[] = {0, GARBAGE, -1};
  step("VSCPWrite before, during and after");
  for (size_t round = 0; round < sizeof before / sizeof *before; round++) {
    pthread_t writers[WRITERS];
    struct client client;
    int port;
    atomic_store(&shared_handle, before[round]);
    atomic_store(&closed, false);
    atomic_store(&stop, false);
    atomic_store(&accepted, 0);
    atomic_store(&refused, 0);
    for (uintptr_t i = 0; i < WRITERS; i++) writers[i] = start(write_always, (void *)(i + 1));
    WAIT_UNTIL(atomic_load(&refused) > 100, DEADLINE);
    CHECK_NUMBER(atomic_load(&accepted), 0);

    long handle = open_driver(&port);
    atomic_store(&shared_handle, handle);
    client_connect(&client, port, "/ws1"); /* takes nothing: it has not logged in */
    WAIT_UNTIL(atomic_load(&accepted) > 100, DEADLINE);
    CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
    atomic_store(&closed, true);
    long refused_before = atomic_load(&refused);
    WAIT_UNTIL(atomic_load(&refused) > refused_before + 100, DEADLINE);

    atomic_store(&stop, true);
    for (int i = 0; i < WRITERS; i++) CHECK_NUMBER(pthread_join(writers[i], NULL), 0);
    close(client.fd);
  }
}

static void *open_and_store(void *argument)
{
  int *port = argument;
  return (void *)open_driver(port);
}

struct closer {
  long handle;
  int result;
};

static void *close_once(void *argument)
{
  struct closer *closer = argument;
  closer->result = driver.close(closer->handle);
  return NULL;
}

static void instances_are_independent(void)
{
  static struct client first_client, second_client;
  struct reader waiting;
  int first_port, second_port;
  void *first, *second;
  step("two instances");
  pthread_t opening_first = start(open_and_store, &first_port);
  pthread_t opening_second = start(open_and_store, &second_port);
  CHECK_NUMBER(pthread_join(opening_first, &first), 0);
  CHECK_NUMBER(pthread_join(opening_second, &second), 0);
  CHECK(first != second);
  CHECK_NUMBER(driver.open(configuration(first_port, LAYOUT).text, NULL), 0); /* port taken */

  client_login(&first_client, first_port);
  client_login(&second_client, second_port);
  for (unsigned i = 0; i < 100; i += 2) {
    write_sample((long)first, i);
    write_sample((long)second, i + 1);
    sample_check_text(i, client_event(&first_client, DEADLINE));
    sample_check_text(i + 1, client_event(&second_client, DEADLINE));
  }
  send_sample(&first_client, 1000);
  send_sample(&second_client, 1001);
  read_sample((long)second, 1001);
  read_sample((long)first, 1000);

  waiting.handle = (long)second;
  waiting.timeout = 0;
  atomic_init(&waiting.thread, 0);
  atomic_init(&waiting.returned, 0);
  pthread_t reader = start(read_once, &waiting);
  WAIT_UNTIL(thread_sleeps(atomic_load(&waiting.thread)), DEADLINE);
  CHECK_NUMBER(driver.close((long)first), CANAL_ERROR_SUCCESS);
  CHECK(client_event(&first_client, DEADLINE) == NULL);
  CHECK_NUMBER(first_client.close_code, 1001);
  close(first_client.fd);

  write_sample((long)second, 2000);
  sample_check_text(2000, client_event(&second_client, DEADLINE));
  send_sample(&second_client, 2001);
  WAIT_UNTIL(atomic_load(&waiting.returned), DEADLINE);
  CHECK_NUMBER(pthread_join(reader, NULL), 0);
  CHECK_NUMBER(waiting.result, CANAL_ERROR_SUCCESS);
  client_close(&second_client);

  step("two threads close one instance");
  struct closer closers[2] = {{(long)second, -1}, {(long)second, -1}};
  pthread_t closing[2] = {start(close_once, &closers[0]), start(close_once, &closers[1])};
  for (int i = 0; i < 2; i++) CHECK_NUMBER(pthread_join(closing[i], NULL), 0);
  CHECK_NUMBER(closers[0].result + closers[1].result, CANAL_ERROR_NOT_OPEN);
}

int main(int argc, char **argv)
{
  driver = driver_load(library_path(argc, argv));
  close_wakes_readers();
  close_tells_clients();
  writers_outlive_the_driver();
  instances_are_independent();
  driver_unload(&driver);
  return 0;
}
