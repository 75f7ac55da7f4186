/*
 * A resolver that does not answer: opening and closing do not wait for it, and the driver listens
 * on a name as soon as it has an address. The program is linked with -rdynamic, so that the library
 * calls the getaddrinfo that is here.
 */
#include <limits.h>
#include <netdb.h>
#include <stdatomic.h>

#include "library.h"
#include "process.h"
#include "sample.h"

#define SLOW "slow.example"

static struct driver driver;

/* Whether the resolver answers for SLOW. */
static atomic_bool answers;
static atomic_int asked;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
  __typeof__(&getaddrinfo) of_system;
  void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
  memcpy(&of_system, &symbol, sizeof symbol);
  if (node && strcmp(node, SLOW) == 0) {
    atomic_fetch_add(&asked, 1);
    while (!atomic_load(&answers)) pause_ms(1);
    node = "127.0.0.1";
  }
  return of_system(node, service, hints, found);
}

static long open_with(const char *interface, const char *more)
{
  char text[512];
  snprintf(text, sizeof text,
           "{\"interface\":\"%s\",\"enable-static\":false,\"allow-default-key\":true,"
           "\"ws1-iv\":\"any\",\"users\":[{\"name\":\"admin\",\"rights\":\"admin\","
           "\"password\":\"2d1e4f91dae49cd08eaba2293e422273\"}]" LAYOUT "%s}",
           interface, more);
  return driver.open(text, NULL);
}

static void an_address_of_a_name_that_comes_later_is_served(void)
{
  static struct client client;
  char interface[64];
  int port = free_port();
  step("a name to listen on");
  snprintf(interface, sizeof interface, "ws://" SLOW ":%d", port);
  long handle = open_with(interface, "");
  CHECK_RANGE(handle, 1, LONG_MAX);
  CHECK_RANGE(atomic_load(&asked), 1, INT_MAX);

  atomic_store(&answers, true);
  struct sockaddr_in address = loopback(port);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  WAIT_UNTIL(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, DEADLINE);
  close(fd);
  client_login(&client, port);
  client_close(&client);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
  WAIT_UNTIL(threads() == 1, DEADLINE);
}

static void a_server_of_variables_is_given_up(void)
{
  step("a server of variables");
  atomic_store(&answers, false);
  char interface[64];
  snprintf(interface, sizeof interface, "ws://127.0.0.1:%d", free_port());
  const char *optional = ",\"remote-variables\":{\"host\":\"" SLOW "\",\"timeout-ms\":50}";
  const char *required =
      ",\"remote-variables\":{\"host\":\"" SLOW "\",\"timeout-ms\":50,\"required\":true}";
  for (int i = 0; i < 20; i++) {
    long handle = open_with(interface, optional);
    CHECK_RANGE(handle, 1, LONG_MAX);
    CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
    CHECK_NUMBER(open_with(interface, required), 0);
  }
  /* However often it was opened. */
  WAIT_UNTIL(threads() <= 1 + 8, DEADLINE);
  CHECK_RANGE(threads(), 2, 1 + 8);

  step("a port that is taken, while the resolver hangs");
  int port;
  int taken = listen_on_free_port(&port);
  snprintf(interface, sizeof interface, "ws://127.0.0.1:%d", port);
  CHECK_NUMBER(open_with(interface, optional), 0);
  close(taken);
  atomic_store(&answers, true);
  WAIT_UNTIL(threads() == 1, DEADLINE);
}

int main(int argc, char **argv)
{
  driver = driver_load(library_path(argc, argv));
  an_address_of_a_name_that_comes_later_is_served();
  a_server_of_variables_is_given_up();
  driver_unload(&driver);
  return 0;
}
