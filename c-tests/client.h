/* A small blocking websocket client. */
#ifndef CLIENT_H
#define CLIENT_H

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "configuration.h"

struct client {
  int fd;
  int close_code;                 /* 0: open; 1006: the connection ended without a close frame */
  size_t begin, end;              /* what was received and not yet taken from `buffer` */
  unsigned char buffer[1 << 15];
  char text[1 << 14];             /* the message received last */
};

/* Sends a frame whose first byte is `first`. Returns false where the connection is gone. */
static inline bool client_send_part(struct client *client, int first, const void *payload,
                                    size_t size)
{
  static const unsigned char mask[4] = {0x3A, 0x00, 0xC5, 0x7F};
  unsigned char frame[(1 << 14) + 8];
  size_t head = 2, sent = 0;
  CHECK_RANGE(size, 0, 1 << 14);
  frame[0] = (unsigned char)first;
  if (size < 126) {
    frame[1] = (unsigned char)(0x80 | size);
  }
  else {
    frame[1] = 0x80 | 126;
    frame[2] = (unsigned char)(size >> 8);
    frame[3] = (unsigned char)size;
    head = 4;
  }
  memcpy(frame + head, mask, sizeof mask);
  head += sizeof mask;
  for (size_t i = 0; i < size; i++)
    frame[head + i] = (unsigned char)(((const unsigned char *)payload)[i] ^ mask[i % 4]);
  while (sent < head + size) {
    ssize_t count = send(client->fd, frame + sent, head + size - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    sent += (size_t)count;
  }
  return true;
}

/* Sends a message of one frame. Returns false where the connection is gone. */
static inline bool client_send_frame(struct client *client, int opcode, const void *payload,
                                     size_t size)
{
  return client_send_part(client, 0x80 | opcode, payload, size);
}

static inline void client_send(struct client *client, const char *text)
{
  if (!client_send_frame(client, 1, text, strlen(text)))
    check_failed(__FILE__, __LINE__, "cannot send '%s': %s", text, strerror(errno));
}

/* Waits until `needed` bytes are in the buffer. False: not in time, or the connection ended. */
static inline bool client_fill(struct client *client, size_t needed, long deadline)
{
  CHECK_RANGE(needed, 1, sizeof client->buffer);
  if (client->begin + needed > sizeof client->buffer) {
    client->end -= client->begin;
    memmove(client->buffer, client->buffer + client->begin, client->end);
    client->begin = 0;
  }
  while (client->end - client->begin < needed) {
    struct pollfd ready = {client->fd, POLLIN, 0};
    long left = deadline - now_ms();
    int count = poll(&ready, 1, left > 0 ? (int)left : 0);
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) return false;
    ssize_t size = recv(client->fd, client->buffer + client->end,
                        sizeof client->buffer - client->end, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      client->close_code = 1006;
      return false;
    }
    client->end += (size_t)size;
  }
  return true;
}

/*
 * The next text message, valid until the next call. NULL where none came within `timeout` ms or
 * the connection was closed: then `close_code` is set. Pings are answered on the way.
 */
static inline const char *client_receive(struct client *client, long timeout)
{
  long deadline = now_ms() + patient(timeout);
  while (!client->close_code) {
    size_t head = 2;
    if (!client_fill(client, head, deadline)) return NULL;
    unsigned char *frame = client->buffer + client->begin;
    int opcode = frame[0] & 0x0F;
    size_t size = frame[1];
    CHECK_NUMBER(frame[0] & 0xF0, 0x80); /* whole, no extension */
    CHECK_RANGE(size, 0, 126);           /* not masked, less than 64 KiB */
    if (size == 126) {
      head = 4;
      if (!client_fill(client, head, deadline)) return NULL;
      frame = client->buffer + client->begin;
      size = (size_t)frame[2] << 8 | frame[3];
    }
    if (!client_fill(client, head + size, deadline)) return NULL;
    frame = client->buffer + client->begin;
    client->begin += head + size;

    switch (opcode) {
    case 1:
      CHECK_RANGE(size, 0, sizeof client->text - 1);
      memcpy(client->text, frame + head, size);
      client->text[size] = '\0';
      return client->text;
    case 8:
      client->close_code = size < 2 ? 1005 : frame[head] << 8 | frame[head + 1];
      client_send_frame(client, 8, frame + head, size < 2 ? 0 : 2);
      break;
    case 9: client_send_frame(client, 10, frame + head, size); break;
    case 10: break;
    default: check_failed(__FILE__, __LINE__, "a frame of opcode %d", opcode);
    }
  }
  return NULL;
}

/* Connects and upgrades. The key and what it must be answered with are the example of RFC 6455. */
static inline void client_connect(struct client *client, int port, const char *path)
{
  struct sockaddr_in address = loopback(port);
  char request[512];
  int one = 1;
  memset(client, 0, sizeof *client);
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(client->fd >= 0);
  if (connect(client->fd, (struct sockaddr *)&address, sizeof address) != 0)
    check_failed(__FILE__, __LINE__, "cannot connect to port %d: %s", port, strerror(errno));
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  int size = snprintf(request, sizeof request,
                      "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\n"
                      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                      path, port);
  CHECK_NUMBER(send(client->fd, request, (size_t)size, MSG_NOSIGNAL), size);

  long deadline = now_ms() + patient(DEADLINE);
  size_t length = 0;
  while (length < 4 || memcmp(client->text + length - 4, "\r\n\r\n", 4) != 0) {
    CHECK(length < sizeof client->text - 1);
    CHECK(client_fill(client, 1, deadline));
    client->text[length++] = (char)client->buffer[client->begin++];
  }
  client->text[length] = '\0';
  CHECK_PREFIX(client->text, "HTTP/1.1 101 ");
  if (!strstr(client->text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    check_failed(__FILE__, __LINE__, "wrong Sec-WebSocket-Accept in:\n%s", client->text);
}

/* Connects to ws1, logs in and opens the stream of events. */
static inline void client_login(struct client *client, int port)
{
  client_connect(client, port, "/ws1");
  CHECK_PREFIX(client_receive(client, DEADLINE), "+;AUTH0;");
  client_send(client, "C;AUTH;" LOGIN_IV ";" LOGIN_CRYPTO);
  CHECK_PREFIX(client_receive(client, DEADLINE), "+;AUTH1;");
  client_send(client, "C;OPEN");
  CHECK_TEXT(client_receive(client, DEADLINE), "+;OPEN");
}

/* The next message that is not the reply to an accepted event. NULL as client_receive. */
static inline const char *client_event(struct client *client, long timeout)
{
  const char *text = client_receive(client, timeout);
  while (text && strcmp(text, "+;EVENT") == 0) text = client_receive(client, timeout);
  return text;
}

/*
 * The next message that is not an event: events of others that were on their way when this client
 * logged in may come first. NULL as client_receive.
 */
static inline const char *client_reply(struct client *client, long timeout)
{
  const char *text = client_receive(client, timeout);
  while (text && strncmp(text, "E;", 2) == 0) text = client_receive(client, timeout);
  return text;
}

/* Closes as a browser does, and waits for the answer. */
static inline void client_close(struct client *client)
{
  static const unsigned char normal[2] = {1000 >> 8, 1000 & 0xFF};
  client_send_frame(client, 8, normal, sizeof normal);
  while (client_receive(client, DEADLINE)) continue;
  CHECK_NUMBER(client->close_code, 1000);
  close(client->fd);
}

/* Ends the connection by a reset. */
static inline void client_reset(struct client *client)
{
  struct linger now = {1, 0};
  CHECK_NUMBER(setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
  close(client->fd);
}

#endif
