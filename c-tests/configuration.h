/* The configuration that the tests start from. */
#ifndef CONFIGURATION_H
#define CONFIGURATION_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "check.h"

/* A login of admin with the password "secret" by the well-known test key: no AES is needed here. */
#define LOGIN_IV "00112233445566778899AABBCCDDEEFF"
#define LOGIN_CRYPTO "3c378ed1f8cc54eb417b3780cc1019cd"

/* The member of the configuration that fits the header's vscpEvent. */
#ifdef VSCP_EVENT_UNIX_NS
#define LAYOUT ",\"event-layout\":\"unix-ns\""
#else
#define LAYOUT ",\"event-layout\":\"classic\""
#endif

struct configuration {
  char text[4096];
};

/* `more` holds further members, each with a comma in front. */
static inline struct configuration configuration(int port, const char *more)
{
  struct configuration made;
  int size = snprintf(made.text, sizeof made.text,
                      "{\"interface\":\"ws://127.0.0.1:%d\",\"enable-static\":false,"
                      "\"allow-default-key\":true,\"ws1-iv\":\"any\","
                      "\"users\":[{\"name\":\"admin\",\"rights\":\"admin\","
                      "\"password\":\"2d1e4f91dae49cd08eaba2293e422273\"}]%s}",
                      port, more);
  CHECK_RANGE(size, 1, sizeof made.text - 1);
  return made;
}

static inline struct sockaddr_in loopback(int port)
{
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)port);
  return address;
}

/*
 * A socket that listens on a free port of the loopback. It is none of those that the system gives to
 * others, and each program begins at another one: nobody takes it before the driver listens there.
 */
static inline int listen_on_free_port(int *port)
{
  static int next;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(fd >= 0);
  for (;;) {
    int offset = getpid() % 4096 * 64 + __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
    *port = 10000 + offset % 20000;
    struct sockaddr_in address = loopback(*port);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0) break;
    CHECK_NUMBER(errno, EADDRINUSE);
  }
  CHECK_NUMBER(listen(fd, 1), 0);
  return fd;
}

static inline int free_port(void)
{
  int port;
  close(listen_on_free_port(&port));
  return port;
}

#endif
