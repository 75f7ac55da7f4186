/*
 * Signals belong to the host. One that leaves SIGPIPE at its default survives clients that vanish;
 * its handlers and masks stay as they are; no signal ends up on a thread of the driver.
 */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "library.h"
#include "process.h"
#include "sample.h"

enum { CLIENTS = 50, EVENTS = 20000 };

static struct driver driver;
static long handle;
static atomic_uint written;

struct signals {
  struct sigaction actions[NSIG];
  sigset_t mask;
};

static struct signals signals_of_host(void)
{
  struct signals now;
  memset(&now, 0, sizeof now);
  for (int number = 1; number < NSIG; number++)
    sigaction(number, NULL, &now.actions[number]); /* fails for the two of the C library */
  CHECK_NUMBER(pthread_sigmask(SIG_SETMASK, NULL, &now.mask), 0);
  return now;
}

static void check_signals_of_host(const struct signals *before)
{
  struct signals now = signals_of_host();
  for (int number = 1; number < NSIG; number++) {
    const struct sigaction *was = &before->actions[number], *is = &now.actions[number];
    if (was->sa_handler != is->sa_handler || was->sa_flags != is->sa_flags)
      check_failed(__FILE__, __LINE__, "the handler of signal %d is another one", number);
    for (int other = 1; other < NSIG; other++)
      if (sigismember(&was->sa_mask, other) != sigismember(&is->sa_mask, other))
        check_failed(__FILE__, __LINE__, "the mask of the handler of signal %d changed", number);
    if (sigismember(&before->mask, number) != sigismember(&now.mask, number))
      check_failed(__FILE__, __LINE__, "the host's mask changed for signal %d", number);
  }
}

/* Whether all threads but this one block the signals that a host handles. */
static bool driver_blocks_signals(void)
{
  static const int handled[] = {SIGPIPE, SIGHUP,  SIGINT,  SIGTERM, SIGQUIT,
                                SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD};
  bool all = true;
  DIR *listing = opendir("/proc/self/task");
  CHECK(listing != NULL);
  for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing)) {
    char value[64];
    int thread = atoi(entry->d_name);
    if (thread == 0 || thread == thread_id()) continue;
    if (!thread_status(thread, "SigBlk", value, sizeof value)) continue;
    unsigned long long blocked = strtoull(value, NULL, 16);
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
      all = all && (blocked >> (handled[i] - 1) & 1);
  }
  closedir(listing);
  return all;
}

static atomic_int interruptions;

static void count_interruption(int number)
{
  (void)number;
  atomic_fetch_add(&interruptions, 1);
}

static atomic_int reader_thread;
static long read_ms;

static void *read_half_a_second(void *argument)
{
  vscpEvent event;
  (void)argument;
  atomic_store(&reader_thread, thread_id());
  long start = now_ms();
  CHECK_NUMBER(driver.read(handle, &event, (unsigned long)patient(500)), CANAL_ERROR_TIMEOUT);
  read_ms = now_ms() - start;
  return NULL;
}

/* A signal without SA_RESTART interrupts the wait of VSCPRead, which goes on. */
static void an_interrupted_read_goes_on(void)
{
  pthread_t reader;
  step("a signal during VSCPRead");
  CHECK_NUMBER(pthread_create(&reader, NULL, read_half_a_second, NULL), 0);
  for (int i = 1; i <= 5; i++) {
    WAIT_UNTIL(thread_sleeps(atomic_load(&reader_thread)), DEADLINE);
    CHECK_NUMBER(pthread_kill(reader, SIGUSR1), 0);
    WAIT_UNTIL(atomic_load(&interruptions) == i, DEADLINE);
  }
  CHECK_NUMBER(pthread_join(reader, NULL), 0);
  CHECK_RANGE(read_ms, patient(500) - 1, patient(1500));
}

static void *write_stream(void *argument)
{
  uint8_t data[40];
  vscpEvent event;
  (void)argument;
  for (unsigned i = 0; i < EVENTS; i++) {
    sample_event(i, &event, data);
    CHECK_NUMBER(driver.write(handle, &event, (unsigned long)patient(DEADLINE)),
                 CANAL_ERROR_SUCCESS);
    atomic_store(&written, i + 1);
  }
  return NULL;
}

static void *receive_stream(void *argument)
{
  struct client *client = argument;
  for (unsigned i = 0; i < EVENTS; i++) sample_check_text(i, client_receive(client, DEADLINE));
  return NULL;
}

static void clients_vanish_during_a_stream(int port)
{
  static struct client clients[CLIENTS], staying;
  pthread_t writer, receiver;
  step("clients vanish");
  for (int i = 0; i < CLIENTS; i++) client_login(&clients[i], port);
  client_login(&staying, port);
  CHECK_NUMBER(pthread_create(&receiver, NULL, receive_stream, &staying), 0);
  CHECK_NUMBER(pthread_create(&writer, NULL, write_stream, NULL), 0);
  for (unsigned i = 0; i < CLIENTS; i++) {
    WAIT_UNTIL(atomic_load(&written) > (i + 1) * (EVENTS / (CLIENTS + 5)), 60000);
    switch (i % 3) {
    case 0: client_reset(&clients[i]); break;
    case 1: close(clients[i].fd); break; /* with events that were not read */
    default:
      CHECK_NUMBER(shutdown(clients[i].fd, SHUT_RDWR), 0);
      close(clients[i].fd);
    }
  }
  CHECK_NUMBER(pthread_join(writer, NULL), 0);
  CHECK_NUMBER(pthread_join(receiver, NULL), 0);
  client_close(&staying);
}

int main(int argc, char **argv)
{
  struct sigaction counting;
  sigset_t mask;
  sigemptyset(&mask);
  CHECK_NUMBER(sigprocmask(SIG_SETMASK, &mask, NULL), 0);
  CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
  CHECK(signal(SIGHUP, SIG_IGN) != SIG_ERR);
  CHECK(signal(SIGTERM, count_interruption) != SIG_ERR);
  memset(&counting, 0, sizeof counting);
  counting.sa_handler = count_interruption; /* without SA_RESTART */
  CHECK_NUMBER(sigaction(SIGUSR1, &counting, NULL), 0);
  sigaddset(&mask, SIGUSR2);
  CHECK_NUMBER(sigprocmask(SIG_SETMASK, &mask, NULL), 0);
  struct signals before = signals_of_host();

  step("handlers and masks");
  driver = driver_load(library_path(argc, argv));
  int port = free_port();
  handle = driver.open(configuration(port, LAYOUT).text, NULL);
  CHECK_RANGE(handle, 1, LONG_MAX);
  check_signals_of_host(&before);
  CHECK_RANGE(threads(), 2, 100);
  WAIT_UNTIL(driver_blocks_signals(), DEADLINE);

  an_interrupted_read_goes_on();
  clients_vanish_during_a_stream(port);
  WAIT_UNTIL(driver_blocks_signals(), DEADLINE);

  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
  check_signals_of_host(&before);
  driver_unload(&driver);
  check_signals_of_host(&before);
  return 0;
}
