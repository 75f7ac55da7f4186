/*
 * Memory is short: whatever clients send, what cannot be kept is refused, and the host goes on. The
 * program is linked with -rdynamic, so that the library takes its memory from here, where large
 * pieces are refused on command.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdatomic.h>

#include "library.h"
#include "process.h"
#include "sample.h"

/* Pieces of this size and above are refused while memory is short. */
enum { LARGE = 256 * 1024 };

static struct driver driver;
static atomic_bool is_short;
static atomic_int refused;

static bool refuses(size_t size)
{
  if (size < LARGE || !atomic_load(&is_short)) return false;
  atomic_fetch_add(&refused, 1);
  errno = ENOMEM;
  return true;
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *piece, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) { return refuses(size) ? NULL : __libc_malloc(size); }

void *calloc(size_t count, size_t size)
{
  return size != 0 && refuses(count * size) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *piece, size_t size)
{
  return refuses(size) ? NULL : __libc_realloc(piece, size);
}

int posix_memalign(void **piece, size_t alignment, size_t size)
{
  if (refuses(size)) return ENOMEM;
  *piece = __libc_memalign(alignment, size);
  return *piece ? 0 : ENOMEM;
}

static int open_socket(int port)
{
  struct sockaddr_in address = loopback(port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(fd >= 0);
  CHECK_NUMBER(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

/* Sends zeros until all are sent or the driver has had enough. */
static void send_zeros(int fd, size_t size)
{
  static const char zeros[1 << 14];
  while (size > 0) {
    size_t part = size < sizeof zeros ? size : sizeof zeros;
    ssize_t sent = send(fd, zeros, part, MSG_NOSIGNAL);
    if (sent <= 0) return;
    size -= (size_t)sent;
  }
}

static void a_large_frame_is_refused(int port)
{
  /* Text, whole, masked with zeros; 64 bits of length: 1 MiB. */
  static const unsigned char head[] = {0x81, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0};
  static struct client client;
  step("a large frame");
  client_login(&client, port);
  CHECK_NUMBER(send(client.fd, head, sizeof head, MSG_NOSIGNAL), sizeof head);
  send_zeros(client.fd, 1 << 20);
  CHECK(client_receive(&client, DEADLINE) == NULL);
  CHECK_NUMBER(client.close_code, 1009);
  close(client.fd);
}

static void a_message_of_many_frames_is_refused(int port)
{
  static struct client client;
  static char part[1 << 14];
  step("a message of many frames");
  memset(part, ' ', sizeof part);
  client_login(&client, port);
  for (int i = 0; i < 64; i++)
    if (!client_send_part(&client, i == 0 ? 0x01 : 0x00, part, sizeof part)) break;
  CHECK(client_receive(&client, DEADLINE) == NULL);
  CHECK_NUMBER(client.close_code, 1009);
  close(client.fd);
}

static void a_large_body_is_refused(int port)
{
  char answer[1024];
  step("a large body");
  for (int chunked = 0; chunked <= 1; chunked++) {
    int fd = open_socket(port);
    const char *head = chunked ? "POST /rest HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "100000\r\n"
                               : "POST /rest HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1048576\r\n\r\n";
    CHECK_NUMBER(send(fd, head, strlen(head), MSG_NOSIGNAL), strlen(head));
    send_zeros(fd, 1 << 20);
    if (chunked) send(fd, "\r\n0\r\n\r\n", 7, MSG_NOSIGNAL);
    ssize_t size = recv(fd, answer, sizeof answer - 1, 0);
    answer[size < 0 ? 0 : size] = '\0';
    CHECK_PREFIX(answer, "HTTP/1.1 503 ");
    close(fd);
  }
}

/* Events that the host does not take fill its queue up to what there is memory for. */
static void events_that_nobody_takes_are_refused(int port)
{
  static struct client sender;
  char text[SAMPLE_TEXT];
  const char *reply;
  step("events for the host");
  client_login(&sender, port);
  sample_text(1, text);
  do {
    client_send(&sender, text);
    reply = client_reply(&sender, DEADLINE);
  } while (reply && strcmp(reply, "+;EVENT") == 0);
  CHECK_PREFIX(reply, "-;EVENT;3;");
  client_close(&sender);
}

/* Events that a client does not take yet fill its backlog up to what there is memory for. */
static void a_client_that_takes_nothing_loses_events(long handle, int port)
{
  static struct client client;
  uint8_t data[40];
  vscpEvent event;
  step("events for a client");
  client_connect(&client, port, "/ws1");
  CHECK_PREFIX(client_receive(&client, DEADLINE), "+;AUTH0;");
  client_send(&client, "C;AUTH;" LOGIN_IV ";" LOGIN_CRYPTO);
  CHECK_PREFIX(client_receive(&client, DEADLINE), "+;AUTH1;");
  atomic_store(&refused, 0);
  for (unsigned i = 0; i < 50000 && atomic_load(&refused) == 0; i++) {
    sample_event(i, &event, data);
    int status = driver.write(handle, &event, DEADLINE);
    CHECK_NUMBER(status, CANAL_ERROR_SUCCESS);
  }
  close(client.fd);
}

int main(int argc, char **argv)
{
  static struct client client;
  const char *more = LAYOUT ",\"max-message-size\":16777216,\"max-in-queue\":16777216,"
                            "\"max-client-queue-size\":16777216";
  int port = free_port();
  driver = driver_load(library_path(argc, argv));
  long handle = driver.open(configuration(port, more).text, NULL);
  CHECK_RANGE(handle, 1, LONG_MAX);
  atomic_store(&is_short, true);

  a_large_frame_is_refused(port);
  a_message_of_many_frames_is_refused(port);
  a_large_body_is_refused(port);
  events_that_nobody_takes_are_refused(port);
  a_client_that_takes_nothing_loses_events(handle, port);

  step("afterwards");
  atomic_store(&is_short, false);
  client_login(&client, port);
  client_close(&client);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
  driver_unload(&driver);
  return 0;
}
